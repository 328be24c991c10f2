"""What a project can be told; what nobody says is inferred from the data."""

# ruff: noqa: RUF009  `option` makes a field of a dataclass

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, List, Optional

from ..trainer.backbone import DEFAULT_BACKBONE

DATA, PIPELINE, TRAINING = "Your data", "Pipeline", "Training"


class EntityFactory(StrEnum):
    """The components that find entities."""

    crf_ner = "crf_ner"
    span_ner = "span_ner"


class Annotators(StrEnum):
    """What counts where several people judged a document."""

    majority = "majority"
    first = "first"
    error = "error"


class Precision(StrEnum):
    """What the encoder computes in."""

    fp32 = "fp32"
    bf16 = "bf16"
    auto = "auto"


def option(group: str, help: str, default: Any = None, **settings: Any) -> Any:
    """A field that the command line has as an option: its heading in the help, its help, and its
    bounds (min, max)."""
    return field(default=default, metadata={"group": group, "help": help, **settings})


@dataclass(frozen=True)
class ProjectOptions:
    """Everything that `mtnlp init` infers and a flag can set. None is inferred.

    The help of each field is its description.
    """

    format: Optional[str] = option(DATA, "Format of the files; recognised by content otherwise.")
    text_field: Optional[str] = option(DATA, "Field or column of the text (a number: no header).")
    label_field: Optional[str] = option(DATA, "Field or column of the label (a number: no header).")
    label_separator: Optional[str] = option(
        DATA, "Splits the label column of a CSV into several labels."
    )
    delimiter: Optional[str] = option(
        DATA, "What separates the columns of a CSV or of CoNLL-style columns."
    )
    group_field: Optional[str] = option(
        DATA, "Field or column of what no split may tear apart, such as an author."
    )
    annotators: Optional[Annotators] = option(
        DATA, "What counts where several people judged a document; majority by default."
    )
    lang: Optional[str] = option(DATA, "Language of the texts, such as en; it sets the tokenizer.")
    ratio: Optional[str] = option(
        DATA,
        "Split everything anew, train:dev:test. Without it files keep their split, and a corpus of "
        "one file becomes 80:10:10.",
    )
    dev_share: Optional[float] = option(
        DATA, "Share of train that becomes dev where there is test but no dev.", min=0.01, max=0.99
    )
    seed: Optional[int] = option(DATA, "Seed of the splits.")
    skip_bad: Optional[bool] = option(
        DATA,
        "Leave malformed texts out and count them, instead of stopping.",
        names=("--skip-bad",),
    )
    copy_data: Optional[bool] = option(
        DATA, "Copy the files into the project, or name them by their path; copied up to 100 MB."
    )
    task: Optional[str] = option(PIPELINE, "Name of the classification task.")
    exclusive: Optional[List[str]] = option(
        PIPELINE, "A task of which exactly one label holds per document; repeatable."
    )
    multilabel: Optional[List[str]] = option(
        PIPELINE, "A task of which any number of labels may hold; repeatable."
    )
    entities: Optional[EntityFactory] = option(
        PIPELINE, "The component for entities: crf_ner (flat) or span_ner (they may overlap)."
    )
    spans_key: Optional[str] = option(
        PIPELINE, "Entities go to doc.spans[KEY]; to doc.ents unless they overlap."
    )
    ents_from: Optional[str] = option(
        PIPELINE,
        "A layer of doc.spans whose longest entities doc.ents gets, too, for a flat tagger beside "
        "the nested one.",
    )
    encoder: str = option(
        PIPELINE, "A name on the Hugging Face hub, or a local folder.", DEFAULT_BACKBONE
    )
    window: Optional[int] = option(TRAINING, "Wordpieces that the encoder reads at once.", min=16)
    batch: Optional[int] = option(TRAINING, "Wordpieces per step.", min=1)
    rate: Optional[float] = option(TRAINING, "The encoder's highest learning rate.")
    epochs: Optional[int] = option(TRAINING, "How often each document is seen.", min=1)
    precision: Optional[Precision] = option(TRAINING, "What the encoder computes in.")
    tune: int = option(TRAINING, "Trials of a search over the settings; 0 for none.", 0, min=0)
    gpu_id: int = option(TRAINING, "The GPU, -1 for the CPU.", -1)

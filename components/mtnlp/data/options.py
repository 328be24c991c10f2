"""What a conversion can be asked for, and how its options are written on a command line."""

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, Iterable, List, Optional, Sequence, Tuple, TypeVar

from ..errors import Errors, MtnlpError
from ..types import Record

T = TypeVar("T")

SPLITS: Tuple[str, ...] = ("train", "dev", "test")
Splits = Dict[str, List[Record]]

# Wraps an iterable to show progress: (iterable, what it is, length or None).
Progress = Callable[[Iterable[T], str, Optional[int]], Iterable[T]]


@dataclass(frozen=True)
class ConvertOptions:
    """A conversion.

    format: a corpus (imdb conll nerel multinerd) or a format of one's own data (columns, jsonl and
        so on: `datasets.FORMATS`).
    source: "sample", "local" or "hub"; corpora only.
    path: where your copy is; source "local" alone reads it.
    sample: the folder of the embedded sample.
    train, dev, test: the files or folders of one's own data.
    name: the output's file name; None takes the format's.
    out: the folder of the splits.
    ratio: shares of train, dev and test to split everything anew; None keeps the splits as found.
    dev_share: the share of train that becomes dev where the input has none.
    stratify: whether splits and limits keep the labels' proportions.
    limit: at most so many units of train, dev, test; 0 is no limit.
    unit: "sentence" or "document"; None takes the corpus's own.
    labels: the entity labels to keep, all others becoming "outside"; None keeps all.
    seed: of splits and limits.
    skip_bad: leave malformed units out and count them, instead of stopping.
    lang: the language whose tokenizer splits raw texts; None takes the corpus's.
    task: the name of the classification task of one's own data.
    text_field, label_field: the fields or columns of one's own data; None takes `text` and `label`
        or, in a CSV and JSONL without them, what looks like it.
    label_separator: splits a CSV label column into several labels.
    spans_field, tags_field: the JSONL fields of offsets and of a tag per token; None takes the
        usual names.
    delimiter: what separates the columns of a CSV or of columns; None finds it.
    label_names: a file with the names of numbered labels, one per line.
    group_field: the JSONL field or CSV column of what a split may not tear apart.
    spans_key: the layer of `doc.spans` for entities; None is `doc.ents`, or "sc" where a format
        that may hold overlapping entities does.
    ents_from: a layer of `doc.spans`; its longest entities, none overlapping, are written to
        `doc.ents`, too, where that is not annotated.
    annotators: what counts where several people judged a document: "majority", "first" (of each
        layer and task, the first who judged it), or "error".
    """

    format: str
    source: str = "sample"
    path: Optional[Path] = None
    sample: Path = Path("corpus/sample")
    train: Optional[Path] = None
    dev: Optional[Path] = None
    test: Optional[Path] = None
    name: Optional[str] = None
    out: Path = Path("corpus")
    ratio: Optional[Tuple[float, float, float]] = None
    dev_share: float = 0.2
    stratify: bool = True
    limit: Tuple[int, int, int] = (0, 0, 0)
    unit: Optional[str] = None
    labels: Optional[Sequence[str]] = None
    seed: int = 0
    skip_bad: bool = False
    lang: Optional[str] = None
    task: str = "category"
    text_field: Optional[str] = None
    label_field: Optional[str] = None
    label_separator: Optional[str] = None
    label_names: Optional[Path] = None
    spans_field: Optional[str] = None
    tags_field: Optional[str] = None
    delimiter: Optional[str] = None
    group_field: Optional[str] = None
    spans_key: Optional[str] = None
    ents_from: Optional[str] = None
    annotators: str = "majority"


def parse_ratio(value: str) -> Tuple[float, float, float]:
    """ "60:15:25" as shares of train, dev and test that add up to 1.

    Raises: MtnlpError when it is something else.
    """
    error = MtnlpError(
        Errors.E144.format(option="--ratio", value=value, form="train:dev:test, such as 60:15:25")
    )
    try:
        numbers = [float(number) for number in value.split(":")]
    except ValueError:
        raise error from None
    if len(numbers) != 3 or not all(0 <= number < float("inf") for number in numbers):
        raise error
    if numbers[0] == 0:
        raise error
    total = sum(numbers)
    return (numbers[0] / total, numbers[1] / total, numbers[2] / total)


def parse_limit(value: str) -> Tuple[int, int, int]:
    """ "500" (each split) or "500:100:0" (train, dev, test; 0 is no limit).

    Raises: MtnlpError when it is something else.
    """
    pieces = value.split(":")
    if len(pieces) not in (1, 3) or not all(piece.strip().isdecimal() for piece in pieces):
        form = "a number, or train:dev:test such as 500:100:0"
        raise MtnlpError(Errors.E144.format(option="--limit", value=value, form=form))
    numbers = [int(piece) for piece in pieces]
    return (numbers[0], numbers[-2] if len(numbers) == 3 else numbers[0], numbers[-1])


def parse_delimiter(value: str) -> str:
    """ "tab" (or "\\t"), "space" or a character, as that character.

    Raises: MtnlpError when it is something else.
    """
    named = {"tab": "\t", "\\t": "\t", "space": " "}.get(value.lower(), value)
    if len(named) != 1 or named in '\r\n"':
        form = "a character such as ; or |, or the word tab or space"
        raise MtnlpError(Errors.E144.format(option="--delimiter", value=value, form=form))
    return named


def parse_labels(value: str) -> List[str]:
    """ "PER,ORG,LOC" as a list. An empty value is an empty list."""
    return [label.strip() for label in value.split(",") if label.strip()]


def quiet(items: Iterable[T], what: str, length: Optional[int] = None) -> Iterable[T]:
    """The `Progress` that shows nothing."""
    return items

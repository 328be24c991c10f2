"""`event_textcat`: which events and relations a document reports."""

from typing import Callable, Iterable, List, Mapping, Optional, Unpack

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.api import Model

from ..errors import Errors, MtnlpError
from .classifier import MODEL, DocClassifier
from .extensions import install_extension
from .settings import POOLER, CommonSettings, default_config
from .weighting import Weighting

DEFAULT_CONFIG = default_config(
    settings="""
    task = "event"
    threshold = 0.5
    """,
    scorer="mtnlp.CategoryScorer.v1",
    model=MODEL,
    tok2vec=POOLER,
)


@Language.factory(
    "event_textcat",
    default_config=DEFAULT_CONFIG,
    assigns=["doc.cats", "doc._.events"],
    default_score_weights={"cats_score": 1.0, "cats_f_per_type": None},
)
def make_event_textcat(
    nlp: Language,
    name: str,
    model: Model,
    task: str,
    threshold: float,
    score_loss: bool,
    task_weight: float,
    weighting: Weighting,
    teacher_weight: float,
    teacher_temperature: float,
    teacher_confidence: float,
    scorer: Optional[Callable],
) -> "EventClassifier":
    """A multi-label classifier of whole documents, over all windows of the encoder.

    A document that holds nothing to read (no text, white space alone, characters without a
    wordpiece) has 0.0 for all labels in `doc.cats`, and `doc._.events` is empty.

    model: `mtnlp.DocClassifier.v1` or a model of its shape.
    task: the name before the slash in `doc.cats`.
    threshold: the probability from which on a label stands in `doc._.events`, where
        `cfg["thresholds"]` has none for it.
    task_weight: λ, how much this component's loss counts; mostly in the shared encoder.
    weighting: "uncertainty" learns it instead.
    teacher_weight: the share of teachers' opinions in the loss of what has gold, too, from 0 to 1.
    teacher_temperature: what scores are divided by where they are compared with a teacher's.
    teacher_confidence: the power of a teacher's largest probability by which its opinion counts
        where there is no gold; 0: always in full.
    score_loss: score the mean loss, too, as `NAME_loss`. Docs then keep the head's inputs for as
        long as they live, so it is for training, not for prediction.
    scorer: `mtnlp.CategoryScorer.v1`.
    """
    pipe = EventClassifier(
        nlp.vocab,
        model,
        name,
        task=task,
        threshold=threshold,
        score_loss=score_loss,
        task_weight=task_weight,
        weighting=weighting,
        teacher_weight=teacher_weight,
        teacher_temperature=teacher_temperature,
        teacher_confidence=teacher_confidence,
        scorer=scorer,
    )
    return pipe


class EventClassifier(DocClassifier):
    """A `DocClassifier` with one multi-label task, whose positive labels are `doc._.events`."""

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str = "event_textcat",
        *,
        task: str = "event",
        threshold: float = 0.5,
        **common: Unpack[CommonSettings],
    ):
        super().__init__(
            vocab,
            model,
            name,
            tasks={task: False},
            threshold=threshold,
            **common,
        )
        install_events()

    def grow(
        self, labels: Iterable[str], exclusive: Optional[Mapping[str, bool]] = None
    ) -> List[str]:
        """As `DocClassifier.grow`, in the one task there is. Raises: MtnlpError also E304."""
        if not exclusive:
            return super().grow(labels)
        label, tasks = next(iter(exclusive)), ", ".join(self.tasks)
        raise MtnlpError(Errors.E304.format(label=label, name=self.name, tasks=tasks))

    @property
    def event_labels(self) -> List[str]:
        """The labels without the task's name."""
        return [label for task in self.tasks.values() for label in task["labels"]]

    def set_annotations(self, docs: Iterable[Doc], probabilities: np.ndarray) -> None:
        """Write `doc.cats` and `doc._.events`."""
        docs = list(docs)
        super().set_annotations(docs, probabilities)
        labels = self.event_labels
        reported = (probabilities >= self.label_thresholds) & (probabilities > 0)
        for doc, row in zip(docs, reported, strict=True):
            set_events(doc, [labels[i] for i in np.flatnonzero(row)])


def install_events() -> None:
    """Register `doc._.events`; a warning E320 where another library has done so."""
    install_extension(
        Doc, "events", getter=get_events, setter=set_events, instead='doc.user_data["events"]'
    )


def get_events(doc: Doc) -> Optional[List[str]]:
    """`doc._.events`: the labels that reach their thresholds, none where there is nothing to read;
    None where no component has looked."""
    labels = doc.user_data.get("events")
    # A Doc that was serialised has a tuple where the list was.
    return None if labels is None else list(labels)


def set_events(doc: Doc, labels: List[str]) -> None:
    """Set `doc._.events`."""
    doc.user_data["events"] = labels

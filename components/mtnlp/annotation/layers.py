"""The layers of annotation that a Doc has, and whether it is annotated for one.

Missing is not negative: a Doc without the layer says nothing, and one whose layer is empty says
that nothing is there. All rooms ask here, so that what trains nothing also counts for nothing.
"""

from collections import Counter
from dataclasses import dataclass
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Dict,
    List,
    Mapping,
    Optional,
    Protocol,
    Sequence,
    Tuple,
    Union,
)

import numpy as np
from numpy.typing import NDArray
from spacy.pipeline.ner import EntityRecognizer
from spacy.pipeline.spancat import SpanCategorizer
from spacy.pipeline.textcat import TextCategorizer
from spacy.pipeline.textcat_multilabel import MultiLabel_TextCategorizer
from spacy.tokens import Doc, Span

from ..errors import Errors, MtnlpError
from .annotated_labels import annotated_labels, task_place
from .categories import (
    UNNAMED,
    category_key,
    category_keys,
    is_positive,
    is_task_annotated,
    split_key,
    task_keys,
    task_of,
)

if TYPE_CHECKING:  # `types` imports torch
    from ..types import Task

# How many characters of a text name a Doc in a message.
START = 40


class Layer(Protocol):
    """Where a pipe's gold and predictions are in a Doc. `str(layer)`: as a user writes it."""

    def is_annotated(self, doc: Doc) -> bool:
        """Whether somebody annotated the Doc for this layer; empty is annotated."""

    def label_counts(self, doc: Doc) -> "Counter[str]":
        """How often the Doc has each label, as the pipe's `labels` write them: entities, or
        categories that hold. Nothing where it is not annotated."""

    def check(self, doc: Doc, index: int) -> None:
        """Raises: MtnlpError for gold that cannot be, E340 to E342 for categories, E344 for spans.

        index: the Doc's place in the training corpus, from 0.
        """


@dataclass(frozen=True)
class EntsLayer:
    """Flat entities in `doc.ents`; single tokens may be missing."""

    spans_key: ClassVar[None] = None

    def __str__(self) -> str:
        return "doc.ents"

    def is_annotated(self, doc: Doc) -> bool:
        """Whether any token is marked inside or outside of an entity."""
        # spaCy says of a Doc without tokens that it has every annotation.
        return len(doc) > 0 and doc.has_annotation("ENT_IOB")

    def is_complete(self, doc: Doc) -> bool:
        """Whether the Doc is annotated, and each of its tokens."""
        return self.is_annotated(doc) and not self.missing(doc).any()

    def missing(self, doc: Doc) -> NDArray[np.bool_]:
        """`[tokens]`: of which tokens nobody knows whether they belong to an entity."""
        return doc.to_array("ENT_IOB") == 0

    def spans(self, doc: Doc) -> List[Span]:
        """The entities, none where the Doc is not annotated."""
        return list(doc.ents)

    def label_counts(self, doc: Doc) -> "Counter[str]":
        """How often the Doc has each label."""
        return Counter(span.label_ for span in self.spans(doc))

    def check(self, doc: Doc, index: int) -> None:
        """Raises: MtnlpError E344 for an entity without a label."""
        check_spans(self.spans(doc), self, doc, index)


@dataclass(frozen=True)
class SpansLayer:
    """Spans in `doc.spans[spans_key]`, which may overlap; annotated as a whole or not at all."""

    spans_key: str

    def __str__(self) -> str:
        return f"doc.spans['{self.spans_key}']"

    def is_annotated(self, doc: Doc) -> bool:
        """Whether the group is there."""
        return self.spans_key in doc.spans

    def is_complete(self, doc: Doc) -> bool:
        """Whether the Doc is annotated: with it, each of its tokens is."""
        return self.is_annotated(doc)

    def missing(self, doc: Doc) -> NDArray[np.bool_]:
        """`[tokens]`, all False."""
        return np.zeros(len(doc), dtype=bool)

    def spans(self, doc: Doc) -> List[Span]:
        """The spans, none where the Doc is not annotated."""
        return list(doc.spans.get(self.spans_key, ()))

    def label_counts(self, doc: Doc) -> "Counter[str]":
        """How often the Doc has each label."""
        return Counter(span.label_ for span in self.spans(doc))

    def check(self, doc: Doc, index: int) -> None:
        """Raises: MtnlpError E344 for a span without a label."""
        check_spans(self.spans(doc), self, doc, index)


EntityLayer = Union[EntsLayer, SpansLayer]


@dataclass(frozen=True)
class CategoriesLayer:
    """The categories of some tasks, `doc.cats["task/LABEL"]`.

    tasks: by name, the labels that are known and whether exactly one of a task's labels holds.
    """

    tasks: Mapping[str, "Task"]

    def __str__(self) -> str:
        return "doc.cats, as " + " and ".join(category_key(task, "LABEL") for task in self.tasks)

    @property
    def columns(self) -> List[Tuple[slice, bool]]:
        """For each task, where its labels stand among all, and whether it is exclusive."""
        ends = np.cumsum([len(task["labels"]) for task in self.tasks.values()]).tolist()
        return [
            (slice(end - len(task["labels"]), end), task["exclusive"])
            for task, end in zip(self.tasks.values(), ends, strict=True)
        ]

    def is_annotated(self, doc: Doc) -> bool:
        """Whether the Doc has a key of one of the tasks; of an exclusive one, one that holds. Its
        label need not be known."""
        return any(
            is_task_annotated(doc.cats, name, task["exclusive"])
            for name, task in self.tasks.items()
        )

    def label_counts(self, doc: Doc) -> "Counter[str]":
        """The keys of the tasks that hold, once each."""
        return Counter(
            key
            for key, value in doc.cats.items()
            if is_positive(value) and self._has(key) and split_key(key)[1]
        )

    def read(self, docs: Sequence[Doc]) -> Tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """What Docs say of the known labels.

        A label without a key is missing. In an exclusive task one positive label says that the
        others are negative, so there a task is annotated as a whole or not at all: not where no
        label is positive, and not where only a label that the task does not know is.

        A Doc that is said to be annotated for some labels of a task alone says nothing of those
        that have 0.0 beside them. In an exclusive task without a positive label, one that has 0.0
        and is among them is known not to be the one.

        Returns: values `[docs, labels]`, 0.0 and 1.0; and which of them are annotated, bool
        `[docs, labels]`.
        Raises: MtnlpError E340 for another value, E341 for two positive labels in an exclusive
            task.
        """
        keys = category_keys(self.tasks)
        shape = len(docs), len(keys)
        cats = [doc.cats for doc in docs]
        known = np.array([[key in part for key in keys] for part in cats], dtype=bool)
        rows = [[part.get(key, 0.0) for key in keys] for part in cats]
        values = np.array(rows, dtype=np.float64).reshape(shape)
        known = known.reshape(shape)
        # NaN equals neither.
        for row in np.flatnonzero(((values != 0) & (values != 1)).any(1)).tolist():
            self.check_values(docs[row])
        for part, exclusive in self.columns:
            if exclusive:
                positive = values[:, part].sum(1)
                for row in np.flatnonzero(positive > 1).tolist():
                    self.check_positives(docs[row])
                known[:, part] = (positive > 0)[:, np.newaxis]
        self._read_partial(docs, keys, values, known)
        return values, known

    def _read_partial(
        self,
        docs: Sequence[Doc],
        keys: Sequence[str],
        values: NDArray[np.float64],
        known: NDArray[np.bool_],
    ) -> None:
        """Correct `known` for Docs that are annotated for some labels of a task alone."""
        for name, (part, exclusive) in zip(self.tasks, self.columns, strict=True):
            for row, doc in enumerate(docs):
                labels = annotated_labels(doc, task_place(name))
                if labels is None or (exclusive and known[row, part].any()):
                    continue
                for column in range(part.start, part.stop):
                    said = keys[column] in labels and keys[column] in doc.cats
                    known[row, column] = said or values[row, column] == 1

    def check(self, doc: Doc, index: int) -> None:
        """Raises: MtnlpError E340 for a value that is neither 0.0 nor 1.0, E341 and E342 for an
        exclusive task of which two labels hold, or none although each known one has a key."""
        self.check_values(doc, index)
        self.check_positives(doc, index)
        for name, task in self.tasks.items():
            keys = task_keys(name, task)
            negative = task["exclusive"] and keys and all(key in doc.cats for key in keys)
            if negative and not is_task_annotated(doc.cats, name, exclusive=True):
                where = describe(doc, index)
                raise MtnlpError(Errors.E342.format(task=name, where=where, keys=listed(keys)))

    def check_values(self, doc: Doc, index: Optional[int] = None) -> None:
        """Raises: MtnlpError E340 for a value of one of the tasks that is neither 0.0 nor 1.0."""
        for key, value in doc.cats.items():
            if value not in (0, 1) and self._has(key):
                where = describe(doc, index)
                raise MtnlpError(Errors.E340.format(key=key, value=value, where=where))

    def check_positives(self, doc: Doc, index: Optional[int] = None) -> None:
        """Raises: MtnlpError E341 where several labels of an exclusive task hold, known or not."""
        exclusive = {name for name, task in self.tasks.items() if task["exclusive"]}
        held: Dict[Any, List[str]] = {}
        for key, value in doc.cats.items():
            if value == 1 and (task := task_of(key) or UNNAMED) in exclusive:
                held.setdefault(task, []).append(key)
        for task, keys in held.items():
            if len(keys) > 1:
                where = describe(doc, index)
                raise MtnlpError(Errors.E341.format(task=task, where=where, keys=listed(keys)))

    def _has(self, key: str) -> bool:
        return (task_of(key) or UNNAMED) in self.tasks


AnyLayer = Union[EntsLayer, SpansLayer, CategoriesLayer]


def entity_layer(spans_key: Optional[str]) -> EntityLayer:
    """The layer that a pipe's `spans_key` names: None for `doc.ents`."""
    return EntsLayer() if spans_key is None else SpansLayer(spans_key)


def find_layer(pipe: Any) -> Optional[AnyLayer]:
    """The layer that a component of a pipeline predicts: its `layer`, or that of a spaCy `ner`,
    `spancat` or `textcat`; None for other components."""
    layer = getattr(pipe, "layer", None)
    if isinstance(layer, (EntsLayer, SpansLayer, CategoriesLayer)):
        return layer
    if isinstance(pipe, EntityRecognizer):
        return EntsLayer()
    if isinstance(pipe, TextCategorizer):
        return CategoriesLayer(_tasks_of_labels(pipe))
    return SpansLayer(pipe.key) if isinstance(pipe, SpanCategorizer) else None


def _tasks_of_labels(pipe: TextCategorizer) -> Dict[str, "Task"]:
    """The tasks of spaCy's own classifier: one of all its labels, or one per word before a slash.

    Where its labels are of several tasks, none is exclusive: `textcat` chooses one label of all.
    """
    labels: Dict[str, List[str]] = {}
    for key in pipe.labels:
        task, label = split_key(key)
        labels.setdefault(task or UNNAMED, []).append(label)
    exclusive = len(labels) == 1 and not isinstance(pipe, MultiLabel_TextCategorizer)
    return {task: {"labels": own, "exclusive": exclusive} for task, own in labels.items()}


def check_spans(spans: Sequence[Span], layer: Layer, doc: Doc, index: int) -> None:
    """Raises: MtnlpError E344 for a span without a label."""
    for span in spans:
        if not span.label_:
            where = describe(doc, index)
            raise MtnlpError(Errors.E344.format(span=span.text, layer=layer, where=where))


def describe(doc: Doc, index: Optional[int] = None) -> str:
    """A Doc, for messages: the beginning of its text and, where given, its place in a corpus."""
    text = doc.text.strip()
    text = repr(text if len(text) <= START else text[:START] + "…")
    if index is None:
        return f"the document {text}"
    return f"document {index} of the training corpus (counted from 0), {text}"


def listed(keys: Sequence[str]) -> str:
    """Keys in a message."""
    return ", ".join(f"'{key}'" for key in keys)

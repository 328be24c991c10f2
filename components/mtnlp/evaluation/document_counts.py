"""What each document adds to a score, so that two systems can be compared on the same documents."""

from dataclasses import dataclass
from functools import partial
from typing import AbstractSet, Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch

from ..annotation.layers import (
    CategoriesLayer,
    EntsLayer,
    SpansLayer,
    entity_layer,
    find_layer,
)
from ..errors import Errors, MtnlpError
from ..scorers.categories import CategoryTask
from ..scorers.entities import gold_entities, predicted_entities
from .categories import category_tasks, task_path
from .evaluator import predict
from .intervals import Difference, Statistic, fscores, paired_bootstrap, ratios
from .spans import document_counts

ACCURACY, F1 = "accuracy", "micro F1"
STATISTICS: Dict[str, Statistic] = {ACCURACY: ratios, F1: fscores}
SUMS = {ACCURACY: 2, F1: 3}
Counter = Callable[[Example], Optional[List[int]]]


@dataclass(frozen=True)
class DocumentCounts:
    """The counts of one task, a row for each annotated document, in the order they came.

    metric: "micro F1", rows of true positives, false positives and false negatives, or "accuracy",
    rows of 1 (right) or 0, and 1. counts: `[documents, sums]`.
    """

    metric: str
    counts: NDArray[np.int64]

    @property
    def score(self) -> float:
        """The metric over all documents."""
        return float(STATISTICS[self.metric](self.counts.sum(axis=0)[None])[0])

    def to_dict(self) -> Dict[str, Any]:
        """For JSON."""
        return {"metric": self.metric, "counts": self.counts.tolist()}

    @classmethod
    def from_dict(cls, data: Dict[str, Any]) -> "DocumentCounts":
        """Of `to_dict`."""
        counts = np.array(data["counts"], dtype=np.int64)
        return cls(data["metric"], counts.reshape(-1, SUMS[data["metric"]]))


def count_documents(
    nlp: Language, docs: Iterable[Doc], chunk_size: int = 64
) -> Dict[str, DocumentCounts]:
    """Predict and count, for every entity pipe and every task of every classifier.

    An entity pipe goes by its component's name, a classifier's task by `component/task` (see
    `task_path`). Entities
    and multi-label tasks are counted for micro-F1, exclusive tasks for accuracy.

    docs: reference documents; those not annotated for a task have no row in it.
    """
    counters = find_counters(nlp)
    rows: Dict[str, List[List[int]]] = {name: [] for name in counters}
    for references in minibatch(docs, chunk_size):
        for example in predict(nlp, references):
            for name, (_, count) in counters.items():
                row = count(example)
                if row is not None:
                    rows[name].append(row)
    return {
        name: DocumentCounts.from_dict({"metric": metric, "counts": rows[name]})
        for name, (metric, _) in counters.items()
    }


def find_counters(nlp: Language) -> Dict[str, Tuple[str, Counter]]:
    """Metric and counting function of each entity pipe and each task; a counter gives a document's
    row, None where it is not annotated."""
    counters: Dict[str, Tuple[str, Counter]] = {}
    for name, pipe in nlp.pipeline:
        layer = find_layer(pipe)
        if isinstance(layer, (EntsLayer, SpansLayer)):
            counters[name] = F1, partial(count_entities, spans_key=layer.spans_key)
        elif isinstance(layer, CategoriesLayer):
            for task in category_tasks(pipe, layer):
                metric = ACCURACY if task.exclusive else F1
                counters[task_path(name, task, "/")] = metric, partial(count_decision, task=task)
    return counters


def unannotated_tasks(nlp: Language, docs: Sequence[Doc]) -> List[str]:
    """The names, as in `count_documents`, of what no document would count in.

    nlp: need not be trained. docs: references; nothing is predicted on them.
    """
    pairs = [Example(doc, doc) for doc in docs]
    return [
        name
        for name, (_, count) in find_counters(nlp).items()
        if all(count(example) is None for example in pairs)
    ]


def count_entities(example: Example, spans_key: Optional[str]) -> Optional[List[int]]:
    """A document's row of one entity layer."""
    if not entity_layer(spans_key).is_annotated(example.reference):
        return None
    return _prf_row(gold_entities(example, spans_key), predicted_entities(example, spans_key))


def count_decision(example: Example, task: CategoryTask) -> Optional[List[int]]:
    """A document's row of one classification task."""
    decision = task.decide(example.reference.cats, example.predicted.cats)
    if decision is None:
        return None
    gold, given = decision
    return [int(gold == given), 1] if task.exclusive else _prf_row(gold, given)


def add_up(runs: Sequence[DocumentCounts]) -> DocumentCounts:
    """The counts of several runs of one system, such as its seeds, document by document: what a
    document adds in all of them is drawn together.

    Raises: MtnlpError (E501) where the runs saw different numbers of documents.
    """
    first = runs[0]
    for other in runs[1:]:
        if other.counts.shape != first.counts.shape:
            shapes = {"gold": first.counts.shape, "predicted": other.counts.shape}
            raise MtnlpError(Errors.E501.format(**shapes))
    return DocumentCounts(first.metric, np.sum([run.counts for run in runs], axis=0))


def compare(
    first: DocumentCounts, second: DocumentCounts, *, samples: int = 1000, seed: int = 0
) -> Difference:
    """The second system's score minus the first's, by the paired bootstrap over documents.

    Raises: MtnlpError (E501) unless both saw the same number of documents, at least one.
    """
    return paired_bootstrap(
        first.counts, second.counts, STATISTICS[first.metric], samples=samples, seed=seed
    )


def _prf_row(gold: AbstractSet[Any], given: AbstractSet[Any]) -> List[int]:
    row: List[int] = document_counts([gold], [given])[0].tolist()
    return row

"""Two pipelines on the same documents: what is better, what is worse, and where they differ."""

from collections import Counter
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

import numpy as np
from numpy.typing import NDArray
from spacy.training import Example

from ..annotation.layers import EntsLayer, SpansLayer
from ..evaluation.confusions import LabelTask
from ..evaluation.document_counts import compare
from ..evaluation.intervals import Difference, paired_bootstrap_statistic
from ..evaluation.vectors import VectorEvaluation
from .error_examples import Best
from .options import Settings
from .task_counts import TaskCounts, find_metric
from .windows import cut, sentence_numbers, window

THIS, OTHER, NEITHER = "this", "other", "neither"
BETTER, WORSE, UNCLEAR = "better", "worse", "no clear difference"


class Versus:
    """Compares two pipelines in the tasks that both have; keeps numbers and a few texts.

    this, other: their tasks by name (see `find_tasks`). vectors: what those of both pipelines are
    called, None unless both have any.
    """

    def __init__(
        self,
        this: Mapping[str, LabelTask],
        other: Mapping[str, LabelTask],
        settings: Settings,
        vectors: Optional[str] = None,
    ) -> None:
        self._settings = settings
        self._vector_pipe = vectors
        self._tasks = {name: (this[name], other[name]) for name in this if _same(this, other, name)}
        self.only_this = [name for name in this if name not in self._tasks]
        self.only_other = [name for name in other if name not in self._tasks]
        self._sides = {
            name: (TaskCounts(mine), TaskCounts(theirs))
            for name, (mine, theirs) in self._tasks.items()
        }
        self._vectors = VectorEvaluation(), VectorEvaluation()
        # By task and which of the two is right.
        self._texts: Best[str] = Best(settings.texts)

    def add(self, examples: Sequence[Example], others: Sequence[Example]) -> None:
        """Take up a chunk. examples, others: what each pipeline made of the same references."""
        if self._vector_pipe is not None:
            for vectors, side in zip(self._vectors, (examples, others), strict=True):
                vectors.add(list(side))
        for example, other in zip(examples, others, strict=True):
            for name, (this_side, other_side) in self._sides.items():
                mine, theirs = this_side.add(example), other_side.add(other)
                if mine is not None and theirs is not None and mine[1] != theirs[1]:
                    self._add_texts(name, this_side.task, example, mine[0], mine[1], theirs[1])

    def _add_texts(
        self, name: str, task: LabelTask, example: Example, gold: Any, this: Any, other: Any
    ) -> None:
        if not isinstance(task.source, (EntsLayer, SpansLayer)):
            sides = {"gold": gold, "this": this, "other": other}
            self._keep(name, sides, lambda: _show_labels(task, example, sides))
            return
        # The sentence in which they differ most.
        sentences = sentence_numbers(example.reference)
        differing = Counter(
            int(sentences[entity[0]]) for entity in this ^ other if 0 <= entity[0] < len(sentences)
        )
        if not differing:
            return
        sentence = min(differing, key=lambda number: (-differing[number], number))
        inside = {
            side: {item for item in found if item[0] >= 0 and sentences[item[0]] == sentence}
            for side, found in (("gold", gold), ("this", this), ("other", other))
        }
        self._keep(name, inside, lambda: _show_entities(example, inside, sentences))

    def _keep(self, name: str, sides: Mapping[str, Any], show: Callable[[], Any]) -> None:
        mistakes = [len(sides["gold"] ^ sides[side]) for side in (THIS, OTHER)]
        right = NEITHER
        if mistakes[0] != mistakes[1]:
            right = THIS if mistakes[0] < mistakes[1] else OTHER
        self._texts.add(
            f"{name}\t{right}",
            abs(mistakes[0] - mistakes[1]),
            lambda: {"task": name, **show(), "which_right": right},
        )

    def result(self) -> Dict[str, Any]:
        """Differences are this pipeline's score minus the other's, with the interval and p value of
        the paired bootstrap over documents.

        Returns: {"tasks": [{"name", "metric", "this", "other", "difference", "low", "high",
            "p_value", "documents", "verdict"}], "labels": [{"task", "label", "this", "other",
            "difference", "support"}], the largest differences first, "texts": [{"task", "text",
            "words", "spaces", "gold", "this", "other", "which_right"}], "only_this",
            "only_other": tasks that one of the two has alone}.
        """
        compared = {name: sides for name, sides in self._sides.items() if sides[0].rows}
        tasks = [self._task_row(name, *sides) for name, sides in compared.items()]
        return {
            "tasks": tasks + self._vector_rows(),
            "labels": [
                row for name, sides in compared.items() for row in _label_rows(name, *sides)
            ],
            "texts": self._texts.mixed(self._settings.texts),
            "only_this": self.only_this,
            "only_other": self.only_other,
        }

    def _task_row(self, name: str, this: TaskCounts, other: TaskCounts) -> Dict[str, Any]:
        mine, theirs = this.counts, other.counts
        found = compare(theirs, mine, samples=self._settings.samples, seed=self._settings.seed)
        return _row(name, mine.metric, mine.score, theirs.score, found, len(this.rows))

    def _vector_rows(self) -> List[Dict[str, Any]]:
        """Of vectors, where any gold similarity is known."""
        mine, theirs = self._vectors
        if self._vector_pipe is None or not mine.pairs:
            return []
        samples, seed = self._settings.samples, self._settings.seed
        found = paired_bootstrap_statistic(
            theirs.correlation, mine.correlation, mine.pairs, samples=samples, seed=seed
        )
        scores = mine.correlation(), theirs.correlation()
        return [_row(self._vector_pipe, "Spearman", *scores, found, mine.pairs)]


def _row(
    name: str, metric: str, this: float, other: float, found: Difference, documents: int
) -> Dict[str, Any]:
    """A line of "tasks"."""
    low, high = found.interval
    return {
        "name": name,
        "metric": metric,
        "this": this,
        "other": other,
        "difference": found.value,
        "low": low,
        "high": high,
        "p_value": found.p_value,
        "documents": documents,
        "verdict": BETTER if low > 0 else WORSE if high < 0 else UNCLEAR,
    }


def _same(this: Mapping[str, LabelTask], other: Mapping[str, LabelTask], name: str) -> bool:
    """Whether both pipelines have a task, counted in the same way."""
    return name in other and find_metric(this[name]) == find_metric(other[name])


def _label_rows(name: str, this: TaskCounts, other: TaskCounts) -> List[Dict[str, Any]]:
    rows = [
        {
            "task": name,
            "label": label,
            "this": this.fscore(label),
            "other": other.fscore(label),
            "difference": this.fscore(label) - other.fscore(label),
            "support": max(this.support(label), other.support(label)),
        }
        for label in sorted({*this.per_label, *other.per_label})
    ]
    return sorted(rows, key=lambda row: -abs(row["difference"]))


def _show_labels(task: LabelTask, example: Example, sides: Mapping[str, Any]) -> Dict[str, Any]:
    labels = {name: sorted(map(task.label, keys)) for name, keys in sides.items()}
    return {"text": cut(example.reference.text), "words": None, "spaces": None, **labels}


def _show_entities(
    example: Example, sides: Mapping[str, Any], sentences: NDArray[np.int64]
) -> Dict[str, Any]:
    # One window for all three: it begins and ends where the outermost of them do.
    everything = sorted(set().union(*sides.values()))
    shown = window(example.reference, everything, [], None, sentences)
    first = everything[0][0] - shown["gold"][0][0]
    moved = {
        name: [[start - first, end - first, label] for start, end, label in sorted(entities)]
        for name, entities in sides.items()
    }
    return {**{key: shown[key] for key in ("text", "words", "spaces")}, **moved}

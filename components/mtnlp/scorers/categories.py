"""Scores of document labels, task by task, over the keys `task/LABEL` of `doc.cats`."""

from dataclasses import dataclass, field
from typing import Any, Callable, Dict, FrozenSet, Iterable, Mapping, Optional, Tuple

from spacy.training import Example

from ..annotation.annotated_labels import annotated_cats
from ..annotation.categories import (
    POSITIVE,
    Cats,
    annotated_keys,
    is_positive,
    is_task_annotated,
    positive_keys,
    task_keys,
    task_of,
)
from .counts import Counts, count_per_label, mean, total

Decision = Tuple[FrozenSet[str], FrozenSet[str]]


@dataclass(frozen=True)
class CategoryTask:
    """A named group of categories.

    name: the part of a key before the first slash; empty for keys without one.
    keys: the full keys, `task/LABEL`.
    exclusive: exactly one label is right, and the best-scored one is predicted; otherwise each
        label is decided alone, by its threshold. A score of 0.0 predicts nothing: that is what a
        document has that holds nothing to read.
    threshold: what a score must reach where `thresholds` has no entry for its key.
    """

    name: str
    keys: Tuple[str, ...]
    exclusive: bool
    threshold: float = POSITIVE
    thresholds: Cats = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The name, or a word for it where there is none."""
        return self.name or "labels"

    def own(self, cats: Cats) -> Cats:
        """Categories without those of others. A named task's keys are told by its name. Keys
        without a slash may be another classifier's: only those that the task knows are its own."""
        return cats if self.name else {key: cats[key] for key in self.keys if key in cats}

    def decide(self, gold: Cats, predicted: Cats) -> Optional[Decision]:
        """The gold and the predicted keys of one document.

        A key absent from `gold` is not annotated: nothing predicted for it counts in a
        multi-label task.

        Returns: None where the document is not annotated for the task: no key of it in `gold`
            or, if exclusive, no key that is set.
        """
        gold = self.own(gold)
        if not is_task_annotated(gold, self.name, self.exclusive):
            return None
        right = frozenset(positive_keys(gold, self.name))
        if self.exclusive:
            scored = [key for key in self.keys if key in predicted]
            best = max(scored, key=lambda key: predicted[key], default=None)
            if best is None or not predicted[best] > 0:
                return right, frozenset()
            return right, frozenset([best])
        reached = frozenset(
            key
            for key in annotated_keys(gold, self.name)
            if predicted.get(key, 0.0) > 0
            and predicted[key] >= self.thresholds.get(key, self.threshold)
        )
        return right, reached


@dataclass
class TaskCounts:
    """What a task's scores are computed from.

    right, documents: annotated documents decided without any error, and all annotated ones.
    per_key: counts for each key that is gold or predicted somewhere.
    """

    right: int = 0
    documents: int = 0
    per_key: Dict[str, Counts] = field(default_factory=dict)

    @property
    def accuracy(self) -> float:
        return self.right / self.documents if self.documents else 0.0

    @property
    def micro(self) -> Counts:
        return total(self.per_key.values())

    @property
    def macro_f(self) -> float:
        return mean(counts.fscore for counts in self.per_key.values())


def make_category_scorer_v1() -> Callable[..., Dict[str, Any]]:
    """Registered as `mtnlp.CategoryScorer.v1`."""
    return score_categories


def score_categories(
    examples: Iterable[Example],
    *,
    tasks: Mapping[str, Mapping[str, Any]],
    threshold: float = POSITIVE,
    thresholds: Optional[Mapping[str, float]] = None,
    **kwargs: Any,
) -> Dict[str, Any]:
    """Scores of a classifier's tasks, and two sums over the tasks of all classifiers.

    Per task: `cats_{task}_acc` (share of documents without any error; for a multi-label task
    the exact-match ratio), `cats_{task}_micro_p`, `_micro_r`, `_micro_f`, `cats_{task}_macro_f`
    (mean F1 of the labels that are gold or predicted somewhere) and `cats_{task}_f_per_type`.

    `cats_score` is the mean of the tasks' main scores (accuracy if exclusive, else micro F1)
    and `cats_f_per_type` covers all keys. spaCy merges the scores of pipes by `dict.update`, so
    that the last classifier's value of these two stands. They are therefore computed over every
    task in the reference documents, those of other classifiers too. What another classifier's
    configuration says is not known here: its task counts as exclusive if each annotated
    document has exactly one label set, and its threshold is 0.5. The value is thus the same
    from every classifier as long as thresholds stay at 0.5.

    tasks: name to {"labels": [...], "exclusive": bool}.
    threshold, thresholds: what a multi-label score must reach; by full key, where given.
    kwargs: ignored (`Pipe.score` passes a pipe's whole configuration).
    Returns: Python numbers; 0.0 where nothing was annotated. Documents with no key of a task
        in the reference count for nothing in it.
    """
    pairs = [(annotated_cats(example.reference), example.predicted.cats) for example in examples]
    own = {
        name: CategoryTask(
            name, task_keys(name, spec), bool(spec["exclusive"]), threshold, thresholds or {}
        )
        for name, spec in tasks.items()
    }
    everyone = {**infer_tasks(pairs), **own}
    counted = {name: count_task(task, pairs) for name, task in everyone.items()}
    scores: Dict[str, Any] = {}
    for name in own:
        scores.update(_task_scores(name, counted[name]))
    annotated = [name for name in sorted(counted) if counted[name].documents]
    scores["cats_score"] = mean(_main_score(everyone[name], counted[name]) for name in annotated)
    scores["cats_score_desc"] = "mean over tasks"
    scores["cats_f_per_type"] = {
        key: prf for name in annotated for key, prf in _per_type(counted[name]).items()
    }
    return scores


def infer_tasks(pairs: Iterable[Tuple[Cats, Cats]]) -> Dict[str, CategoryTask]:
    """The tasks the gold side of (gold cats, predicted cats) speaks of, by name.

    Labels are the keys of either side; a task is exclusive if every annotated document has
    exactly one label set.
    """
    keys: Dict[str, Dict[str, None]] = {}
    exclusive: Dict[str, bool] = {}
    predicted_keys: Dict[str, None] = {}
    for gold, predicted in pairs:
        positives: Dict[str, int] = {}
        for key, value in gold.items():
            name = task_of(key)
            if name is not None:
                keys.setdefault(name, {})[key] = None
                positives[name] = positives.get(name, 0) + int(is_positive(value))
        for name, number in positives.items():
            exclusive[name] = exclusive.get(name, True) and number == 1
        predicted_keys.update(dict.fromkeys(predicted))
    for key in predicted_keys:
        keys.get(task_of(key) or "", {}).setdefault(key)
    return {name: CategoryTask(name, tuple(keys[name]), exclusive[name]) for name in keys}


def count_task(task: CategoryTask, pairs: Iterable[Tuple[Cats, Cats]]) -> TaskCounts:
    """Add up a task's decisions over (gold cats, predicted cats)."""
    found = (task.decide(gold, predicted) for gold, predicted in pairs)
    decisions = [decision for decision in found if decision is not None]
    right = sum(gold == predicted for gold, predicted in decisions)
    return TaskCounts(right, len(decisions), count_per_label(decisions, label=str))


def _task_scores(name: str, counts: TaskCounts) -> Dict[str, Any]:
    micro = counts.micro
    return {
        f"cats_{name}_acc": counts.accuracy,
        f"cats_{name}_micro_p": micro.precision,
        f"cats_{name}_micro_r": micro.recall,
        f"cats_{name}_micro_f": micro.fscore,
        f"cats_{name}_macro_f": counts.macro_f,
        f"cats_{name}_f_per_type": _per_type(counts),
    }


def _main_score(task: CategoryTask, counts: TaskCounts) -> float:
    return counts.accuracy if task.exclusive else counts.micro.fscore


def _per_type(counts: TaskCounts) -> Dict[str, Dict[str, float]]:
    return {key: item.to_dict() for key, item in counts.per_key.items()}

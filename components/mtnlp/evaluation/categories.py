"""Evaluation of a classifier's tasks, collected document by document."""

from dataclasses import dataclass, field
from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, Optional

import numpy as np
from numpy.typing import NDArray
from spacy.training import Example

from ..annotation.categories import POSITIVE, Cats, annotated_keys, split_key, task_keys
from ..annotation.layers import CategoriesLayer
from ..scorers.categories import CategoryTask
from .baselines import constant_set, majority_class, rare_keys
from .classification import exclusive_metrics, multilabel_metrics
from .intervals import bootstrap_interval, wilson_interval
from .options import RARE_SHARE
from .spans import document_counts


@dataclass
class Decisions:
    """What was decided for one task, document by document.

    gold, predicted, annotated: keys of `doc.cats`. Documents share equal sets, so that each takes
    up three references.
    """

    gold: List[FrozenSet[str]] = field(default_factory=list)
    predicted: List[FrozenSet[str]] = field(default_factory=list)
    annotated: List[FrozenSet[str]] = field(default_factory=list)
    _known: Dict[FrozenSet[str], FrozenSet[str]] = field(default_factory=dict)

    def add(self, gold: FrozenSet[str], predicted: FrozenSet[str], annotated: List[str]) -> None:
        """Take up an annotated document."""
        self.gold.append(self._known.setdefault(gold, gold))
        self.predicted.append(self._known.setdefault(predicted, predicted))
        keys = frozenset(annotated)
        self.annotated.append(self._known.setdefault(keys, keys))


class CategoryEvaluation:
    """Collects what was decided for some tasks, those of one classifier; keeps no document."""

    def __init__(self, tasks: Iterable[CategoryTask]) -> None:
        self._tasks = [(task, Decisions()) for task in tasks]

    def add(self, examples: List[Example]) -> None:
        """Take up the documents of one chunk that are annotated for a task."""
        for example in examples:
            cats = example.reference.cats
            for task, decisions in self._tasks:
                decision = task.decide(cats, example.predicted.cats)
                if decision is not None:
                    decisions.add(*decision, annotated_keys(task.own(cats), task.name))

    def result(
        self,
        samples: int,
        seed: int,
        train_cats: Optional[List[Cats]] = None,
        rare_share: float = RARE_SHARE,
    ) -> Dict[str, Any]:
        """Metrics of each task, with intervals and, given training categories, its baseline.

        rare_share: a label set in less than this share of the training documents is rare.
        Returns: {"kind": "categories", "tasks": {name: {"exclusive", "documents", "accuracy",
            "accuracy_interval", "micro", "f_interval", "macro", "rare", "per_label", "baseline"}}}.
            The baseline is None, or {"labels", "accuracy", "micro", "macro", "rare"} of the labels
            that score best on the training documents when always predicted. "rare" is None where
            no label is or every label is, or {"labels", "macro"}.
        """
        tasks = {
            task.title: task_result(task, decisions, samples, seed, train_cats or [], rare_share)
            for task, decisions in self._tasks
        }
        return {"kind": "categories", "tasks": tasks}


def category_tasks(pipe: Any, layer: CategoriesLayer) -> List[CategoryTask]:
    """The tasks of a classifier, ours or spaCy's, with its thresholds.

    layer: the pipe's, from `find_layer`.
    """
    threshold, thresholds = pipe.cfg.get("threshold", POSITIVE), pipe.cfg.get("thresholds") or {}
    return [
        CategoryTask(name, task_keys(name, spec), bool(spec["exclusive"]), threshold, thresholds)
        for name, spec in layer.tasks.items()
    ]


def task_path(component: str, task: CategoryTask, between: str = ": ") -> str:
    """The name of a classifier's task, with that of the component before it; the component's alone
    where its labels are of no named task."""
    return f"{component}{between}{task.name}" if task.name else component


def task_result(
    task: CategoryTask,
    decisions: Decisions,
    samples: int,
    seed: int,
    train_cats: List[Cats],
    rare_share: float = RARE_SHARE,
) -> Dict[str, Any]:
    """The metrics of one task, as `CategoryEvaluation.result` has them."""
    gold, predicted = decisions.gold, decisions.predicted
    train_cats = [task.own(cats) for cats in train_cats]
    metrics = _metrics(task, gold, predicted)
    documents = metrics.pop("n")
    rare = [_label(key) for key in sorted(rare_keys(train_cats, task.name, rare_share))]
    successes = sum(right == given for right, given in zip(gold, predicted, strict=True))
    counts = document_counts(gold, predicted)
    return {
        "exclusive": task.exclusive,
        "documents": documents,
        **metrics,
        "rare": _rare(metrics["per_label"], rare),
        "accuracy_interval": list(wilson_interval(successes, documents)),
        "f_interval": list(bootstrap_interval(counts, samples=samples, seed=seed)),
        "baseline": _baseline(task, train_cats, gold, decisions.annotated, rare),
    }


def _baseline(
    task: CategoryTask,
    train_cats: List[Cats],
    gold: List[FrozenSet[str]],
    annotated: List[FrozenSet[str]],
    rare: List[str],
) -> Optional[Dict[str, Any]]:
    """What the best constant answer of the training documents scores; None if there is none."""
    find = majority_class if task.exclusive else constant_set
    constant = find(train_cats, task.name)
    if not constant:
        return None
    given = [constant if task.exclusive else constant & keys for keys in annotated]
    metrics = _metrics(task, gold, given)
    labels = [_label(key) for key in sorted(constant)]
    kept = {key: metrics[key] for key in ("accuracy", "micro", "macro")}
    return {"labels": labels, **kept, "rare": _rare(metrics["per_label"], rare)}


def _rare(
    per_label: Mapping[str, Mapping[str, float]], rare: List[str]
) -> Optional[Dict[str, Any]]:
    """The macro average of some labels; None where it is no average, or that of all labels."""
    found = [label for label in rare if label in per_label]
    if not found or len(found) == len(per_label):
        return None
    macro = {key: float(np.mean([per_label[label][key] for label in found])) for key in "prf"}
    return {"labels": found, "macro": macro}


def _metrics(
    task: CategoryTask, gold: List[FrozenSet[str]], predicted: List[FrozenSet[str]]
) -> Dict[str, Any]:
    if task.exclusive and all(len(keys) == 1 for keys in gold):
        return exclusive_metrics(
            [_label(min(keys)) for keys in gold],
            [_label(min(keys)) if keys else None for keys in predicted],
        )
    keys = sorted({key for side in (gold, predicted) for found in side for key in found})
    return multilabel_metrics(
        _indicators(gold, keys), _indicators(predicted, keys), [_label(key) for key in keys]
    )


def _indicators(sets: List[FrozenSet[str]], keys: List[str]) -> NDArray[np.bool_]:
    """`[documents, keys]`"""
    return np.array([[key in found for key in keys] for found in sets], dtype=bool).reshape(
        len(sets), len(keys)
    )


def _label(key: str) -> str:
    return split_key(key)[1]

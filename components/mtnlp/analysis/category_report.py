"""All numbers about one task of a classifier."""

from collections import Counter
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray
from spacy.training import Example

from ..annotation.categories import Cats, annotated_keys, category_key
from ..calibration.metrics import reliability
from ..evaluation.alignment import MISSED, OTHER_LABEL, SPURIOUS
from ..evaluation.categories import Decisions, task_result
from ..evaluation.confusions import label_of
from ..evaluation.intervals import bootstrap_interval, ratios
from ..evaluation.precision_recall import curve
from ..scorers.categories import CategoryTask
from .entity_report import long_names
from .error_examples import Best
from .options import Settings
from .windows import cut

_EVERYTHING = ""


class CategoryReport:
    """Adds up the decisions of one task over chunks of documents; keeps a number per document and
    label.

    support: how often each label is set in train, None without train. train_cats: the categories of
    its documents.
    """

    def __init__(
        self,
        task: CategoryTask,
        settings: Settings,
        support: Optional[Mapping[str, int]] = None,
        train_cats: Sequence[Cats] = (),
    ) -> None:
        self._task, self._settings = task, settings
        self._support, self._train_cats = support, list(train_cats)
        self._decisions = Decisions()
        self._columns = {key: column for column, key in enumerate(task.keys)}
        # A row of scores, of what is gold and of what is annotated for each document of a chunk.
        self._scores: List[NDArray[np.float32]] = []
        self._gold: List[NDArray[np.bool_]] = []
        self._mask: List[NDArray[np.bool_]] = []
        self._pairs: Counter[Tuple[str, Optional[str]]] = Counter()
        self._mistakes: Best[str] = Best(settings.examples)

    def add(self, examples: Sequence[Example]) -> None:
        """Take up the annotated documents of a chunk; the others count for nothing."""
        rows: List[Tuple[List[float], List[bool], List[bool]]] = []
        for example in examples:
            cats, given = example.reference.cats, example.predicted.cats
            decision = self._task.decide(cats, given)
            if decision is None:
                continue
            gold, predicted = decision
            annotated = annotated_keys(self._task.own(cats), self._task.name)
            self._decisions.add(gold, predicted, annotated)
            self._add_errors(example, gold, predicted)
            known = set(self._task.keys) if self._task.exclusive else set(annotated)
            keys = self._task.keys
            rows.append(
                (
                    [given.get(key, 0.0) for key in keys],
                    [key in gold for key in keys],
                    [key in known for key in keys],
                )
            )
        if rows:
            scores, right, mask = zip(*rows, strict=True)
            self._scores.append(np.array(scores, dtype=np.float32))
            self._gold.append(np.array(right, dtype=bool))
            self._mask.append(np.array(mask, dtype=bool))

    def _add_errors(
        self, example: Example, gold: FrozenSet[str], predicted: FrozenSet[str]
    ) -> None:
        missed, spurious = sorted(gold - predicted), sorted(predicted - gold)
        if self._task.exclusive:
            given = label_of(min(predicted)) if predicted else None
            self._pairs.update((label_of(key), given) for key in gold)
        else:
            self._pairs.update((label_of(a), label_of(b)) for a in missed for b in spurious)
        if not missed and not spurious:
            return
        scores = example.predicted.cats
        sure = {key: scores.get(key, 0.0) for key in spurious}
        if not self._task.exclusive:
            sure.update((key, 1.0 - scores.get(key, 0.0)) for key in missed)
        # An exclusive task without an answer is sure of nothing.
        key = max(sorted(sure), key=lambda key: sure[key], default=min(gold, default=""))
        self._mistakes.add(
            _EVERYTHING,
            sure.get(key, 0.0),
            lambda: {
                "text": cut(example.reference.text),
                "gold": sorted(map(label_of, gold)),
                "predicted": sorted(map(label_of, predicted)),
                "label": label_of(key),
                "error": self._error(key, predicted),
                "score": float(sure.get(key, 0.0)),
            },
        )

    def _error(self, key: str, predicted: FrozenSet[str]) -> str:
        if key not in predicted:
            return MISSED
        return OTHER_LABEL if self._task.exclusive else SPURIOUS

    @property
    def metrics(self) -> Dict[str, Any]:
        """What `task_result` says of the task."""
        samples, seed = self._settings.samples, self._settings.seed
        return task_result(self._task, self._decisions, samples, seed, self._train_cats)

    def result(self) -> Optional[Dict[str, Any]]:
        """The numbers, None where no document is annotated.

        Returns: {"exclusive", "documents", "labels", "accuracy", "accuracy_interval": by bootstrap,
            "micro", "f_interval", "macro", "baseline": see `CategoryEvaluation.result`,
            "per_label", "confusion": {"labels", "counts"} of an exclusive task, rows gold and
            columns predicted labels, with a last column "none" where a document has no answer,
            "error_cooccurrence": {"labels", "counts"} of a multi-label task, rows missed and
            columns spurious labels of one document, "pr_curves", "reliability", "mistakes"}.
        """
        if not self._decisions.gold:
            return None
        metrics = self.metrics
        labels = self._labels()
        scores = np.concatenate(self._scores)
        gold, mask = np.concatenate(self._gold), np.concatenate(self._mask)
        is_exclusive = self._task.exclusive
        return {
            "exclusive": is_exclusive,
            "documents": metrics["documents"],
            "labels": labels,
            "accuracy": metrics["accuracy"],
            "accuracy_interval": self._accuracy_interval(),
            **{key: metrics[key] for key in ("micro", "f_interval", "macro", "baseline")},
            "per_label": self._rows(labels, metrics["per_label"], _mean_scores(scores, mask)),
            "confusion": self._matrix(labels) if is_exclusive else None,
            "error_cooccurrence": None if is_exclusive else self._matrix(labels),
            "pr_curves": list(self._curves(scores, gold, mask)),
            "reliability": self._reliability(scores, gold, mask),
            "mistakes": self._mistakes.of(_EVERYTHING),
        }

    def _labels(self) -> List[str]:
        """The labels that the pipe knows, then others that are gold."""
        known = [label_of(key) for key in self._task.keys]
        gold = {label_of(key) for keys in set(self._decisions.gold) for key in keys}
        return known + sorted(gold - set(known))

    def _accuracy_interval(self) -> List[float]:
        pairs = zip(self._decisions.gold, self._decisions.predicted, strict=True)
        rows = np.array([[gold == given, 1] for gold, given in pairs], dtype=np.int64)
        samples, seed = self._settings.samples, self._settings.seed
        return list(bootstrap_interval(rows, ratios, samples=samples, seed=seed))

    def _rows(
        self,
        labels: Sequence[str],
        per_label: Mapping[str, Mapping[str, float]],
        mean_scores: Sequence[float],
    ) -> List[Dict[str, Any]]:
        """The numbers of each label. Shares are of the documents that are annotated for it.

        mean_scores: of the labels that the pipe knows, in their order.
        """
        task, documents = self._task, len(self._decisions.gold)
        predicted = _count_keys(self._decisions.predicted)
        annotated = _count_keys(self._decisions.annotated)
        nothing = {"p": 0.0, "r": 0.0, "f": 0.0, "support": 0}
        rows = []
        for label in labels:
            key = category_key(task.name, label)
            found = per_label.get(label, nothing)
            units = max(1, documents if task.exclusive else annotated[key])
            threshold = float(task.thresholds.get(key, task.threshold))
            rows.append(
                {
                    "label": label,
                    **long_names(found),
                    "predicted": predicted[key],
                    "train": None if self._support is None else self._support.get(label, 0),
                    "threshold": None if task.exclusive else threshold,
                    "gold_share": found["support"] / units,
                    "predicted_share": predicted[key] / units,
                    "mean_score": (
                        mean_scores[self._columns[key]] if key in self._columns else None
                    ),
                }
            )
        return rows

    def _matrix(self, labels: Sequence[str]) -> Dict[str, Any]:
        columns: List[Optional[str]] = [*labels]
        if any(given is None for _, given in self._pairs):
            columns.append(None)
        counts = [[self._pairs[gold, given] for given in columns] for gold in labels]
        return {"labels": list(labels), "counts": counts}

    def _curves(
        self, scores: NDArray[np.float32], gold: NDArray[np.bool_], mask: NDArray[np.bool_]
    ) -> Any:
        for key, column in self._columns.items():
            rows = mask[:, column]
            points = curve(scores[rows, column], gold[rows, column])
            if points is not None:
                yield {"label": label_of(key), **points}

    def _reliability(
        self, scores: NDArray[np.float32], gold: NDArray[np.bool_], mask: NDArray[np.bool_]
    ) -> Dict[str, Any]:
        """Of the best label of each document, or of each document and label: see
        `category_calibration`."""
        if self._task.exclusive:
            best = scores.argmax(1)
            rows = np.arange(len(scores))
            return reliability(scores[rows, best].astype(np.float64), gold[rows, best])
        return reliability(scores[mask].astype(np.float64), gold[mask])


def _mean_scores(scores: NDArray[np.float32], mask: NDArray[np.bool_]) -> List[float]:
    """`[labels]`: the mean score of each label where it is annotated, 0.0 where it never is."""
    sums = np.where(mask, scores, 0.0).sum(0, dtype=np.float64)
    means: List[float] = (sums / np.maximum(1, mask.sum(0))).tolist()
    return means


def _count_keys(sets: Sequence[FrozenSet[str]]) -> Counter[str]:
    """In how many of the sets each key is."""
    found: Counter[str] = Counter()
    for keys, count in Counter(sets).items():
        for key in keys:
            found[key] += count
    return found

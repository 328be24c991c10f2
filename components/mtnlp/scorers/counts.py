"""Precision, recall and F1 from counts."""

from dataclasses import dataclass
from typing import AbstractSet, Any, Dict, Iterable, List


@dataclass
class Counts:
    """True positives, false positives and false negatives, added up over documents.

    Every ratio is 0.0 where its denominator is 0. F1 is computed as 2tp / (2tp + fp + fn), one
    correctly rounded division, so that min(p, r) <= f <= max(p, r) holds exactly.
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def add(self, gold: AbstractSet[Any], predicted: AbstractSet[Any]) -> None:
        """Compare two sets of things that are right or wrong as a whole."""
        common = len(gold & predicted)
        self.tp += common
        self.fp += len(predicted) - common
        self.fn += len(gold) - common

    @property
    def precision(self) -> float:
        return _ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float:
        return _ratio(self.tp, self.tp + self.fn)

    @property
    def fscore(self) -> float:
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    def to_dict(self) -> Dict[str, float]:
        """Returns {"p", "r", "f"}, the shape spaCy prints per type."""
        return {"p": self.precision, "r": self.recall, "f": self.fscore}


def total(counts: Iterable[Counts]) -> Counts:
    """The sum of counts: what micro averages are computed from."""
    result = Counts()
    for item in counts:
        result.tp += item.tp
        result.fp += item.fp
        result.fn += item.fn
    return result


def mean(values: Iterable[float]) -> float:
    """The arithmetic mean, 0.0 of nothing."""
    items: List[float] = list(values)
    return sum(items) / len(items) if items else 0.0


def _ratio(numerator: int, denominator: int) -> float:
    return numerator / denominator if denominator else 0.0

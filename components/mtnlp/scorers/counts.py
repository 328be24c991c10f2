"""Precision, recall and F1 from counts."""

from dataclasses import dataclass
from typing import AbstractSet, Any, Callable, Dict, Iterable, List, Mapping, Tuple


@dataclass
class Counts:
    """True positives, false positives and false negatives, added up over documents.

    Every ratio is 0.0 where its denominator is 0. F1 is computed as 2tp / (2tp + fp + fn), one
    correctly rounded division, so that min(p, r) <= f <= max(p, r) holds exactly.
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0

    @property
    def support(self) -> int:
        """How many are gold."""
        return self.tp + self.fn

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


def count_per_label(
    pairs: Iterable[Tuple[AbstractSet[Any], AbstractSet[Any]]], label: Callable[[Any], str]
) -> Dict[str, Counts]:
    """Counts of each label that is gold or predicted somewhere, ordered by label.

    pairs: of each document the gold and the predicted set, of things that are right or wrong as a
    whole. label: of a member of the sets.
    """
    found: Dict[str, Counts] = {}
    for gold, predicted in pairs:
        for item in gold | predicted:
            counts = found.setdefault(label(item), Counts())
            if item not in predicted:
                counts.fn += 1
            elif item in gold:
                counts.tp += 1
            else:
                counts.fp += 1
    return dict(sorted(found.items()))


def averages(per_label: Mapping[str, Counts]) -> Dict[str, Dict[str, float]]:
    """Returns {"micro": {"p", "r", "f"}, "macro": {...}}, 0.0 of nothing.

    Micro averages are of the summed counts, macro averages are means over the labels. A macro F1
    is the mean of the labels' F1, as in scikit-learn; it never exceeds the larger of macro
    precision and macro recall, but, not being their harmonic mean, can lie below the smaller.
    """
    rows = [counts.to_dict() for counts in per_label.values()]
    return {
        "micro": total(per_label.values()).to_dict(),
        "macro": {key: mean(row[key] for row in rows) for key in "prf"},
    }


def with_support(per_label: Mapping[str, Counts]) -> Dict[str, Dict[str, float]]:
    """Returns {label: {"p", "r", "f", "support": how many are gold}}."""
    return {label: {**item.to_dict(), "support": item.support} for label, item in per_label.items()}


def add_counts(whole: Dict[str, Counts], part: Mapping[str, Counts]) -> None:
    """Add the counts of each label of a part to those of the whole, in place."""
    for label, counts in part.items():
        so_far = whole.setdefault(label, Counts())
        so_far.tp += counts.tp
        so_far.fp += counts.fp
        so_far.fn += counts.fn


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

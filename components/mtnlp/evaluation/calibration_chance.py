"""How large a calibration error is by chance alone."""

from math import pi, sqrt
from typing import Any, Iterable, Mapping


def chance_error(bins: Iterable[Mapping[str, Any]]) -> float:
    """The expected calibration error that confidences have on average which are exactly right.

    Of n answers with the confidence c a share is right that has the standard deviation
    sqrt(c (1 - c) / n); its distance from c is sqrt(2 / pi) of that on average, by the normal
    approximation. bins: {"confidence": the mean, "count"}; those without a count say nothing.
    """
    known = [row for row in bins if row["count"]]
    total = sum(row["count"] for row in known)
    spread = (sqrt(row["count"] * row["confidence"] * (1 - row["confidence"])) for row in known)
    return sqrt(2 / pi) * sum(spread) / total if total else 0.0

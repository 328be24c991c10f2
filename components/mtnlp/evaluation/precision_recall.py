"""Precision and recall of a label over all thresholds its score could be cut at."""

from typing import Any, Dict, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Points of a curve that are kept: more than a figure shows.
POINTS = 100


def precision_recall_curve(
    scores: NDArray[np.floating[Any]], gold: NDArray[np.bool_]
) -> Tuple[Floats, Floats, Floats]:
    """Precision and recall of what scores at least a threshold, for each score there is.

    scores, gold: `[n]`, at least one of them gold.
    Returns: precision, recall and threshold, `[thresholds]` each, thresholds ascending; the numbers
        of scikit-learn's `precision_recall_curve`, without the point that it appends.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    # The last of each group of equal scores: none of them can be cut off alone.
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    right = np.cumsum(gold[order])[last]
    precision = right / (last + 1)
    recall = right / right[-1]
    return precision[::-1], recall[::-1], ranked[last][::-1].astype(np.float64)


def average_precision(precision: Floats, recall: Floats) -> float:
    """The mean precision over the gold ones, each at the threshold that just finds it: that of
    scikit-learn.

    precision, recall: of `precision_recall_curve`.
    """
    return float(-np.sum(np.diff(np.append(recall, 0.0)) * precision))


def curve(
    scores: NDArray[np.floating[Any]], gold: NDArray[np.bool_], points: int = POINTS
) -> Optional[Dict[str, Any]]:
    """A curve as plain numbers.

    points: how many are kept at most, at about equal distances along the curve, its ends among
        them.
    Returns: {"precision", "recall", "threshold", "average_precision"}, the first three lists by
        ascending threshold; None where nothing is gold.
    """
    if not gold.any():
        return None
    precision, recall, threshold = precision_recall_curve(scores, gold)
    kept = _thin(precision, recall, points)
    return {
        "precision": precision[kept].tolist(),
        "recall": recall[kept].tolist(),
        "threshold": threshold[kept].tolist(),
        "average_precision": average_precision(precision, recall),
    }


def _thin(precision: Floats, recall: Floats, points: int) -> NDArray[np.int64]:
    """The places of points that stand about equally far apart on the curve."""
    if len(precision) <= points:
        return np.arange(len(precision))
    steps = np.abs(np.diff(precision)) + np.abs(np.diff(recall))
    way = np.append(0.0, np.cumsum(steps))
    return np.unique(np.searchsorted(way, np.linspace(0.0, way[-1], points)).clip(max=len(way) - 1))

"""Thresholds that stand in a good neighbourhood, rather than at the best point by chance.

F1 as a function of a label's threshold is a jagged line: one document more or less moves its peak.
Here each threshold is worth the mean F1 of those around it, weighed by a normal distribution over
log-odds (a kernel regression; Nadaraya 1964). On documents that were not fitted on, the peak of
that line does better than the peak itself, by most for rare labels.
"""

from typing import Tuple

import numpy as np
import torch
from numpy.typing import NDArray

# Log-odds from 0.0025 to 0.9975, as near to each other as a threshold matters.
LIMIT, STEP = 6.0, 0.05

Floats = NDArray[np.float64]


def smooth_thresholds(ranked: Floats, hits: NDArray[np.int64], width: float) -> Floats:
    """`[labels]`: each label's threshold of the best smoothed F1.

    ranked: `[docs, labels]`, probabilities from the highest, -inf for what is not annotated. hits:
        `[docs + 1, labels]`, the gold ones among the i highest. width: of the normal distribution,
        in log-odds, above 0.
    """
    odds, thresholds = threshold_grid()
    rising = torch.from_numpy(np.ascontiguousarray(ranked[::-1].T))
    sought = torch.from_numpy(thresholds).expand(len(rising), -1).contiguous()
    predicted = len(ranked) - torch.searchsorted(rising, sought).numpy().T  # [grid, labels]
    found = np.take_along_axis(hits, predicted, axis=0)
    fscores = 2 * found / np.maximum(predicted + hits[-1], 1)
    kernel = np.exp(-0.5 * ((odds[:, None] - odds) / width) ** 2)
    smoothed = (kernel / kernel.sum(1, keepdims=True)) @ fscores
    return thresholds[smoothed.argmax(0)]


def threshold_grid() -> Tuple[Floats, Floats]:
    """The log-odds of the thresholds that are tried, and the thresholds."""
    odds = np.arange(-LIMIT, LIMIT + STEP / 2, STEP)
    return odds, 1 / (1 + np.exp(-odds))

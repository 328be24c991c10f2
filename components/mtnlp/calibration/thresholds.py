"""Thresholds under which multi-label decisions reach the best F1 on given documents.

Every function takes probabilities float `[docs, labels]`, gold bool `[docs, labels]` and mask bool
`[docs, labels]`, which says what is annotated; the rest counts for nothing. A label is predicted
where its probability reaches its threshold.

Thresholds lie midway between neighbouring probabilities. Of those that are equally good, the one
nearest to the default is taken.

F1 as a function of a label's threshold is a jagged line: one document more or less moves its peak.
A smoothed threshold is worth the mean F1 of those around it, weighed by a normal distribution over
log-odds (a kernel regression; Nadaraya 1964), on a grid. On documents that were not fitted on, the
peak of that line does better than the peak itself, by most for rare labels.
"""

from dataclasses import dataclass
from typing import Any, Tuple

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import Errors, MtnlpError
from .options import MIN_POSITIVES, OBJECTIVES

# Sums of F1 in another order differ by rounding.
ROUNDING = 1e-12
# Probabilities that are nearer to each other than a threshold's decimals can tell are one. So are
# those that are as near as the ones of one text in two batches, whose log-odds differ by rounding.
DECIMALS = 9
RESOLUTION = 1e-8
BATCH_RESOLUTION = 1e-5
# Log-odds from 0.0025 to 0.9975, as near to each other as a threshold matters.
LIMIT, STEP = 6.0, 0.05

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class FittedThresholds:
    """Thresholds of a task.

    values: `[labels]`. shared: the one threshold that is best for all labels together.
    positives: `[labels]`, how often each label is gold.
    own: `[labels]`, whether a label has a threshold of its own. Others have the shared one or,
        never being gold, the default.
    """

    values: Floats
    shared: float
    positives: Ints
    own: Bools


@dataclass(frozen=True)
class Cuts:
    """All ways to cut the ranking of each label: row i predicts the i highest probabilities.

    ranked: `[docs, labels]`, the probabilities from the highest, -inf for what is not annotated.
    thresholds: `[docs + 1, labels]`. possible: as large; False where a threshold would divide
        (nearly) equal probabilities. true_positives: as large, the gold ones among the
        predicted.
    """

    ranked: Floats
    thresholds: Floats
    possible: Bools
    true_positives: Ints

    @property
    def positives(self) -> Ints:
        """`[labels]`"""
        return self.true_positives[-1]

    @property
    def predicted(self) -> Ints:
        """`[docs + 1, 1]`: how many each row predicts."""
        return np.arange(len(self.true_positives), dtype=np.int64)[:, None]

    @property
    def fscores(self) -> Floats:
        """`[docs + 1, labels]`: F1, 0.0 where nothing is predicted and nothing gold."""
        return 2 * self.true_positives / np.maximum(self.predicted + self.positives, 1)

    def at(self, labels: Bools) -> "Cuts":
        """Those of some labels."""
        return Cuts(
            self.ranked[:, labels],
            self.thresholds[:, labels],
            self.possible[:, labels],
            self.true_positives[:, labels],
        )


def fit_thresholds(
    probabilities: Floats,
    gold: Bools,
    mask: Bools,
    *,
    objective: str = "macro",
    default: float = 0.5,
    min_positives: int = MIN_POSITIVES,
    smoothing: float = 0.0,
) -> FittedThresholds:
    """The thresholds, one per label, of the best macro or micro F1.

    For macro F1 each label has its own best F1, or with `smoothing` above 0 its best F1 over a
    neighbourhood of so many log-odds, see `smooth_thresholds`. For micro F1 see `micro_rows`.

    What is best on few positives is best by chance: labels that are gold less often than
    `min_positives` have the one threshold that is best for all labels together. Labels that are
    never gold say nothing about where they begin, and keep the default.

    objective: "macro" or "micro". default: the threshold so far.
    Raises: MtnlpError (E432) for another objective.
    """
    shared = global_threshold(probabilities, gold, mask, objective=objective, default=default)
    cuts = find_cuts(probabilities, gold, mask)
    own = cuts.positives >= max(1, min_positives)
    values = np.where(cuts.positives > 0, shared, default)
    if own.any():
        others = (probabilities >= values) & mask & ~own
        tp = int((others & gold).sum())
        rest = 2 * tp, int(others.sum() + cuts.positives[~own].sum())
        chosen = cuts.at(own)
        rows = macro_rows(chosen, default)
        if objective == "micro":
            rows = micro_rows(chosen, default, rows, rest)
        values[own] = chosen.thresholds[rows, np.arange(own.sum())]
        if objective == "macro" and smoothing:
            values[own] = smooth_thresholds(chosen.ranked, chosen.true_positives, smoothing)
    return FittedThresholds(values, shared, cuts.positives, own)


def global_threshold(
    probabilities: Floats,
    gold: Bools,
    mask: Bools,
    *,
    objective: str = "macro",
    default: float = 0.5,
) -> float:
    """The one threshold for all labels of the best macro or micro F1; the default where nothing is
    gold. Macro F1 is over the labels that are gold somewhere.

    Raises: MtnlpError (E432) for another objective.
    """
    if objective not in OBJECTIVES:
        raise MtnlpError(Errors.E432.format(found=objective, known=", ".join(OBJECTIVES)))
    if not (gold & mask).any():
        return default
    if objective == "micro":
        column = (-1, 1)  # all pairs are of one label
        cuts = find_cuts(probabilities.reshape(column), gold.reshape(column), mask.reshape(column))
        return float(cuts.thresholds[macro_rows(cuts, default)[0], 0])
    cuts = find_cuts(probabilities, gold, mask)
    cuts = cuts.at(cuts.positives > 0)
    # One more prediction changes one label's F1: by how much is known from its own ranking.
    gains = np.diff(cuts.fscores, axis=0).ravel()
    order = np.argsort(-cuts.ranked.ravel(), kind="stable")
    thresholds, possible = midpoints(cuts.ranked.ravel()[order][:, None])
    values = np.append(0.0, gains[order].cumsum())[:, None]
    return float(thresholds[best_rows(values, possible, thresholds, default, ROUNDING)[0], 0])


def find_cuts(probabilities: Floats, gold: Bools, mask: Bools) -> Cuts:
    """All cuts of all labels, by one sort and sums along it."""
    shown = np.where(mask, np.asarray(probabilities, dtype=np.float64), -np.inf)
    order = np.argsort(-shown, axis=0, kind="stable")
    ranked = np.take_along_axis(shown, order, axis=0)
    thresholds, possible = midpoints(ranked)
    right = np.take_along_axis(gold & mask, order, axis=0)
    true_positives = np.concatenate(
        [np.zeros_like(right[:1], dtype=np.int64), right.cumsum(axis=0)]
    )
    return Cuts(ranked, thresholds, possible, true_positives)


def midpoints(ranked: Floats) -> Tuple[Floats, Bools]:
    """The thresholds that cut rankings.

    ranked: `[n, columns]`, n > 0, falling; -inf for what is not there.
    Returns: `[n + 1, columns]`, row i for a threshold that the i highest reach and no other, midway
        to the neighbours, to 1 above the highest and to 0 below the lowest; and, as large, whether
        there is such a threshold.
    """
    top = ranked[:1]
    # Above a probability of 1, too, there must be a threshold.
    ceiling = np.where(top < 1.0 - RESOLUTION, 1.0, 1.0 + 1e-6)
    beyond = np.full_like(top, -np.inf)
    upper, lower = np.concatenate([ceiling, ranked]), np.concatenate([ranked, beyond])
    middle = (np.maximum(upper, 0.0) + np.maximum(lower, 0.0)) / 2
    slope = np.maximum(middle * (1.0 - middle), 0.0)  # of a probability over its log-odds
    possible = upper > lower + RESOLUTION + BATCH_RESOLUTION * slope
    return middle.round(DECIMALS), possible


def macro_rows(cuts: Cuts, default: float) -> Ints:
    """`[labels]`: of each label the row of `cuts` that has its best F1."""
    return best_rows(cuts.fscores, cuts.possible, cuts.thresholds, default)


def micro_rows(cuts: Cuts, default: float, rows: Ints, rest: Tuple[int, int] = (0, 0)) -> Ints:
    """`[labels]`: the rows of `cuts` that have the best micro F1 together.

    Micro F1 is a quotient of sums over labels, 2 TP / (predicted + positives). Its best value F is
    where the best value of 2 TP - F (predicted + positives) is 0 (Dinkelbach 1967), a sum that each
    label maximises for itself. From any rows on, the F1 of one step's rows is the next step's F;
    it rises until it is the best. All in whole numbers, so that equal is equal.

    rows: where to begin; labels are gold somewhere. rest: the numerator and the denominator of
        labels whose thresholds stand.
    """
    numerator, denominator = _quotient(cuts, rows, rest)
    while True:
        values = 2 * cuts.true_positives * denominator - cuts.predicted * numerator
        rows = best_rows(values, cuts.possible, cuts.thresholds, default)
        over, under = _quotient(cuts, rows, rest)
        if over * denominator <= numerator * under:
            return rows
        numerator, denominator = over, under


def best_rows(
    values: NDArray[Any],
    possible: Bools,
    thresholds: Floats,
    default: float,
    tolerance: float = 0,
) -> Ints:
    """`[columns]`: the row of each column's best value, of equal ones that with the threshold
    nearest to the default.

    values, possible, thresholds: `[rows, columns]`; each column has something possible. tolerance:
        up to which values are equal.
    """
    least = values.min()
    best = values.max(axis=0, where=possible, initial=least)
    good = possible & (values >= best - tolerance)
    return np.where(good, np.abs(thresholds - default), np.inf).argmin(axis=0)


def _quotient(cuts: Cuts, rows: Ints, rest: Tuple[int, int]) -> Tuple[int, int]:
    """Numerator and denominator of micro F1."""
    true_positives = cuts.true_positives[rows, np.arange(len(rows))]
    return rest[0] + 2 * int(true_positives.sum()), rest[1] + int(rows.sum() + cuts.positives.sum())


def smooth_thresholds(ranked: Floats, true_positives: NDArray[np.int64], width: float) -> Floats:
    """`[labels]`: each label's threshold of the best smoothed F1.

    ranked: `[docs, labels]`, probabilities from the highest, -inf for what is not annotated.
    true_positives: `[docs + 1, labels]`, the gold ones among the i highest.
    width: of the normal distribution, in log-odds, above 0.
    """
    odds, thresholds = threshold_grid()
    rising = torch.from_numpy(np.ascontiguousarray(ranked[::-1].T))
    sought = torch.from_numpy(thresholds).expand(len(rising), -1).contiguous()
    predicted = len(ranked) - torch.searchsorted(rising, sought).numpy().T  # [grid, labels]
    found = np.take_along_axis(true_positives, predicted, axis=0)
    fscores = 2 * found / np.maximum(predicted + true_positives[-1], 1)
    return thresholds[smooth(fscores, odds, width).argmax(0)]


def smooth(values: Floats, odds: Floats, width: float) -> Floats:
    """Each value as the mean of those around it, weighed by a normal distribution.

    values: `[grid]` or `[grid, columns]`. odds: `[grid]`, where they stand. width: of the
    distribution, above 0.
    """
    kernel = np.exp(-0.5 * ((odds[:, None] - odds) / width) ** 2)
    return np.asarray((kernel / kernel.sum(1, keepdims=True)) @ values)


def threshold_grid() -> Tuple[Floats, Floats]:
    """The log-odds of the thresholds that are tried, and the thresholds."""
    odds = np.arange(-LIMIT, LIMIT + STEP / 2, STEP)
    return odds, 1 / (1 + np.exp(-odds))

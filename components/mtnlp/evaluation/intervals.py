"""How far a score can be trusted: 95% intervals for proportions, F1 and differences.

Documents, not tokens or entities, are drawn again: what stands in one document is not
independent.
"""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Callable, Iterator, Tuple

import numpy as np
from numpy.typing import NDArray

from ..errors import Errors, MtnlpError

Interval = Tuple[float, float]
Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]

# Cells of one block of resampling weights: 32 MB of int64.
BLOCK = 4_000_000


@dataclass(frozen=True)
class Difference:
    """A paired comparison of two systems on the same documents.

    value: the statistic of the second minus that of the first.
    interval: its percentile interval.
    p_value: two-sided, from the share of resamples on the other side of zero.
    """

    value: float
    interval: Interval
    p_value: float


def wilson_interval(successes: int, n: int, level: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion (Wilson 1927); (0, 1) for n = 0.

    Raises: MtnlpError (E502) unless 0 <= successes <= n.
    """
    if not 0 <= successes <= n:
        raise MtnlpError(Errors.E502.format(successes=successes, n=n))
    if n == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    # The bounds hold the share itself; rounding must not exclude it at 0 and 1.
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))


def fscores(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """F1 of true positives, false positives and false negatives, `[..., 3]` to `[...]`."""
    tp, fp, fn = np.moveaxis(np.asarray(sums, dtype=np.float64), -1, 0)
    bottom = 2 * tp + fp + fn
    return np.divide(2 * tp, bottom, out=np.zeros_like(bottom), where=bottom > 0)


def ratios(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """The first of two sums over the second, `[..., 2]` to `[...]`; 0 where the second is 0."""
    top, bottom = np.moveaxis(np.asarray(sums, dtype=np.float64), -1, 0)
    return np.divide(top, bottom, out=np.zeros_like(bottom), where=bottom > 0)


def bootstrap_interval(
    counts: NDArray,
    statistic: Statistic = fscores,
    *,
    samples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Percentile bootstrap over documents of a statistic of sums (Efron 1979).

    counts: what a document adds to the sums, `[documents, sums]`.
    statistic: `[samples, sums]` to `[samples]`; F1 by default.
    Returns: the bounds; (0, 1) without documents.
    """
    if len(counts) == 0:
        return 0.0, 1.0
    values = np.concatenate(
        [statistic(block @ counts) for block in _weights(len(counts), samples, seed)]
    )
    return _percentiles(values, level)


def bootstrap_statistic(
    statistic: Callable[[NDArray[np.int64]], float],
    n: int,
    *,
    samples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Percentile bootstrap of a statistic that is no function of sums, such as a correlation.

    statistic: the indices of the drawn documents, `[n]`, to a number; called `samples` times.
    Returns: the bounds; (0, 1) without documents.
    """
    if n == 0:
        return 0.0, 1.0
    rng = np.random.default_rng(seed)
    values = [statistic(rng.integers(0, n, size=n)) for _ in range(samples)]
    return _percentiles(np.asarray(values), level)


def paired_bootstrap(
    first: NDArray,
    second: NDArray,
    statistic: Statistic = fscores,
    *,
    samples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Difference:
    """Is the second system better than the first on the same documents (Koehn 2004)?

    first, second: counts of each system, `[documents, sums]`, documents in the same order.
    Raises: MtnlpError (E501) for arrays of different shapes or without documents.
    """
    first, second = np.asarray(first), np.asarray(second)
    if first.shape != second.shape or len(first) == 0:
        raise MtnlpError(Errors.E501.format(gold=first.shape, predicted=second.shape))
    values = np.concatenate(
        [
            statistic(block @ second) - statistic(block @ first)
            for block in _weights(len(first), samples, seed)
        ]
    )
    value = float(statistic(second.sum(axis=0)[None])[0] - statistic(first.sum(axis=0)[None])[0])
    return Difference(value, _percentiles(values, level), _p_value(values))


def paired_bootstrap_statistic(
    first: Callable[[NDArray[np.int64]], float],
    second: Callable[[NDArray[np.int64]], float],
    n: int,
    *,
    samples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Difference:
    """The same for a statistic that is no function of sums, such as a correlation.

    first, second: of each system, the indices of the drawn documents, `[n]`, to a number; called
        `samples` times. n: documents, at least one.
    """
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(0, n, size=n) for _ in range(samples))
    values = np.asarray([second(indices) - first(indices) for indices in drawn])
    everything = np.arange(n)
    value = second(everything) - first(everything)
    return Difference(value, _percentiles(values, level), _p_value(values))


def _p_value(values: NDArray[np.float64]) -> float:
    """Two-sided, from the differences in the resamples."""
    # One is added above and below: a bootstrap never proves a probability of zero.
    tail = min(np.count_nonzero(values <= 0), np.count_nonzero(values >= 0))
    return min(1.0, 2 * (float(tail) + 1) / (len(values) + 1))


def _weights(n: int, samples: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """How often each document is drawn, `[samples, n]` in blocks that fit in memory."""
    rng = np.random.default_rng(seed)
    size = max(1, BLOCK // n)
    for start in range(0, samples, size):
        yield rng.multinomial(n, np.full(n, 1.0 / n), size=min(size, samples - start))


def _percentiles(values: NDArray[np.float64], level: float) -> Interval:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)

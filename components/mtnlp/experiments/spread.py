"""How far the runs of one setting lie apart."""

from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Optional, Sequence


@dataclass(frozen=True)
class Spread:
    """A mean over runs with other seeds.

    n: the runs. sd: the sample standard deviation (n - 1 in its denominator). half_width: of the
    interval of the mean after Student's t, mean ± half_width. Both are None for a single run.
    """

    n: int
    mean: float
    sd: Optional[float] = None
    half_width: Optional[float] = None


def spread(values: Sequence[float], level: float = 0.95) -> Spread:
    """Mean, standard deviation and interval of at least one value."""
    n, mean = len(values), fmean(values)
    if n == 1:
        return Spread(n, mean)
    from scipy.stats import t as student  # comes with the extra `reports`

    sd = stdev(values)
    quantile = float(student.ppf(0.5 + level / 2, n - 1))
    return Spread(n, mean, sd, quantile * sd / n**0.5)

"""How long a comparison will take, from what its runs have to do and how fast others were."""

from dataclasses import dataclass
from typing import Any, Iterable, Mapping, Optional, Sequence, Tuple

from .workload import Workload

Values = Mapping[str, str]


@dataclass(frozen=True)
class Rates:
    """How fast a run was.

    overhead: seconds for all but training steps and predictions: start-up, initialisation, saving.
    train, predict: words per second.
    """

    overhead: float
    train: float
    predict: float

    @classmethod
    def from_measures(cls, measures: Mapping[str, Any]) -> "Rates":
        """From the measures of a finished run."""
        timed = measures["seconds"] + measures["evaluation_seconds"]
        return cls(
            overhead=max(0.0, measures["total_seconds"] - timed),
            train=measures["words"] / measures["seconds"],
            predict=measures["evaluated_words"] / measures["evaluation_seconds"],
        )


def run_seconds(workload: Workload, rates: Rates) -> float:
    """The seconds of a run."""
    training, predicting = workload.train / rates.train, workload.evaluated / rates.predict
    return rates.overhead + training + predicting


def nearest_rates(values: Values, done: Iterable[Tuple[Values, Rates]]) -> Optional[Rates]:
    """The mean rates of the runs that share the most axis values with a cell; None without runs.

    values: of the cell. done: values and rates of finished runs.
    """
    shared = [(len(values.items() & other.items()), rates) for other, rates in done]
    if not shared:
        return None
    most = max(count for count, _ in shared)
    return mean_rates([rates for count, rates in shared if count == most])


def mean_rates(rates: Sequence[Rates]) -> Rates:
    """Means of the seconds, hence harmonic ones of words per second. At least one is needed."""
    n = len(rates)
    return Rates(
        overhead=sum(item.overhead for item in rates) / n,
        train=n / sum(1 / item.train for item in rates),
        predict=n / sum(1 / item.predict for item in rates),
    )


def show_duration(seconds: float) -> str:
    """`45 s`, `12 min` or `3 h 5 min`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def progress_summary(runs: str, total: int, done: int, seconds: Optional[float]) -> str:
    """How many runs there are, how many are done and how long the others take, in a line.

    runs: what they are made of, such as `2 cells × 3 seeds`. seconds: None where unknown.
    """
    duration = "time unknown" if seconds is None else f"about {show_duration(seconds)} left"
    return f"{total} runs ({runs}), {done} done, {duration}"

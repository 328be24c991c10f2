import pytest

from mtnlp.experiments.estimate import (
    Rates,
    mean_rates,
    nearest_rates,
    run_seconds,
    show_duration,
)
from mtnlp.experiments.workload import Workload


def test_seconds_of_a_run() -> None:
    rates = Rates(overhead=10.0, train=100.0, predict=500.0)
    assert run_seconds(Workload(train=3000, evaluated=1000), rates) == 10.0 + 30.0 + 2.0


def test_rates_of_a_finished_run_give_its_time_back() -> None:
    measures = {
        "words": 3000,
        "seconds": 30.0,
        "evaluated_words": 1000,
        "evaluation_seconds": 2.0,
        "total_seconds": 45.0,
    }
    rates = Rates.from_measures(measures)
    assert rates == Rates(overhead=13.0, train=100.0, predict=500.0)
    assert run_seconds(Workload(3000, 1000), rates) == 45.0


def test_means_are_of_the_seconds() -> None:
    """100 words in 1 s and 100 words in 3 s are 200 words in 4 s."""
    mean = mean_rates([Rates(1.0, 100.0, 100.0), Rates(3.0, 100 / 3, 100.0)])
    assert (mean.overhead, mean.train, mean.predict) == pytest.approx((2.0, 50.0, 100.0))


def test_the_nearest_runs_count() -> None:
    slow, fast, faster = Rates(1.0, 10.0, 10.0), Rates(1.0, 40.0, 10.0), Rates(1.0, 120.0, 10.0)
    done = [
        ({"encoder": "large", "loss": "ce"}, slow),
        ({"encoder": "small", "loss": "ce"}, fast),
        ({"encoder": "small", "loss": "dice"}, faster),
    ]
    small = nearest_rates({"encoder": "small", "loss": "focal"}, done)
    assert small is not None and small.train == pytest.approx(60.0)
    assert nearest_rates({"encoder": "large", "loss": "ce"}, done) == slow
    assert nearest_rates({"encoder": "large"}, []) is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(45.4, "45 s"), (90.0, "2 min"), (3 * 3600 + 290, "3 h 5 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert show_duration(seconds) == text

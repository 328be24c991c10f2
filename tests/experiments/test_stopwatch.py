"""The stopwatch against a clock that the pipeline itself moves."""

import sys
from typing import Any, Dict, List

import pytest

from mtnlp.experiments import stopwatch
from mtnlp.experiments.stopwatch import watch_training
from mtnlp.training import timing

SENTENCE = ["a", "b", "c"]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Pipeline:
    """An update takes 2 s, an evaluation 50 s, saving 7 s."""

    def __init__(self, clock: Clock):
        self.clock = clock
        self.updated: List[Any] = []
        self.evaluated: List[Any] = []

    def update(self, examples: List[Any], drop: float = 0.0) -> Dict[str, float]:
        self.clock.now += 2.0
        self.updated.append(examples)
        return {"ner": drop}

    def evaluate(self, examples: List[Any]) -> Dict[str, Any]:
        self.clock.now += 50.0
        self.evaluated.append(examples)
        return {"speed": 1.0}

    def to_disk(self, path: str) -> None:
        self.clock.now += 7.0


@pytest.fixture
def nlp(monkeypatch: pytest.MonkeyPatch) -> Any:
    clock = Clock()
    monkeypatch.setattr(timing, "default_timer", clock)
    return Pipeline(clock)


def steps(nlp: Any, number: int, evaluate_at: int) -> None:
    """spaCy's loop: updates, the optimizer for 1 s, an evaluation and saving now and then."""
    for step in range(number):
        assert nlp.update([SENTENCE, SENTENCE], drop=0.5) == {"ner": 0.5}
        nlp.clock.now += 1.0
        if step % evaluate_at == 0:
            assert nlp.evaluate(iter([SENTENCE] * 40)) == {"speed": 1.0}
            nlp.to_disk("model")
            nlp.clock.now += 11.0  # the copy of the best model
    nlp.to_disk("model")


def test_steps_and_evaluations(nlp: Any) -> None:
    watch = watch_training(nlp)
    nlp.clock.now += 30.0
    steps(nlp, 5, evaluate_at=3)
    assert (watch.seconds, watch.words) == (5 * 3.0, 5 * 6)
    assert (watch.evaluation_seconds, watch.evaluated_words) == (2 * 50.0, 2 * 40 * 3)


def test_a_probe_leaves_the_first_step_out(nlp: Any) -> None:
    watch = watch_training(nlp, sample=8)
    steps(nlp, 5, evaluate_at=3)
    assert (watch.seconds, watch.words) == (4 * 3.0, 4 * 6)
    assert [len(examples) for examples in nlp.evaluated] == [8, 8]
    assert watch.evaluated_words == 2 * 8 * 3


def test_peak_memory() -> None:
    """As the system accounts for it; what was there at the fork may come on top there."""
    resource = pytest.importorskip("resource")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    accounted = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    assert 0.5 * accounted < stopwatch.peak_memory() < 1.05 * accounted

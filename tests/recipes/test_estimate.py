"""The estimate of a training: what it counts, against a clock that the steps themselves move."""

from itertools import pairwise
from typing import Any, Dict, List

import pytest
from spacy.language import Language
from spacy.training.initialize import init_nlp
from spacy.util import load_config

from mtnlp.errors import MtnlpError
from mtnlp.experiments.workload import count_workload
from mtnlp.recipes import estimate
from mtnlp.recipes.estimate import estimate_training, measure_rates
from mtnlp.training import timing
from tests.experiments.conftest import CONFIG, Mini


def overrides(mini: Mini, **settings: Any) -> Dict[str, Any]:
    paths = {f"paths.{split}": str(mini.corpus / split) for split in ("train", "dev")}
    own = {"components.transformer.model.window": 0, "training.max_epochs": 2}
    return {**paths, "paths.backbone": str(mini.backbone), **own, **settings}


class Slow:
    """An update takes 3 s, the first one 100 s; an evaluation takes 5 s."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.words: List[int] = []
        self.evaluated = 0
        monkeypatch.setattr(timing, "default_timer", lambda: self.now)
        monkeypatch.setattr(estimate, "default_timer", lambda: self.now)
        monkeypatch.setattr(Language, "update", self.update)
        monkeypatch.setattr(Language, "evaluate", self.evaluate)

    def update(self, batch: List[Any], **settings: Any) -> None:
        self.now += 3.0 if self.words else 100.0
        self.words.append(sum(len(example) for example in batch))

    def evaluate(self, examples: List[Any]) -> None:
        self.now += 5.0
        self.evaluated = sum(len(example) for example in examples)


def test_rates_are_those_of_the_steps_after_the_first(
    mini: Mini, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = overrides(mini, **{"training.batcher.size": 4})
    nlp = init_nlp(load_config(CONFIG, overrides=settings))
    slow = Slow(monkeypatch)
    rates = measure_rates(nlp, overhead=1.5)
    # 8 seconds are over after three steps of 3.
    assert len(slow.words) == 4
    assert rates.train == pytest.approx(sum(slow.words[1:]) / 9.0)
    assert rates.predict == pytest.approx(slow.evaluated / 5.0) and slow.evaluated > 0
    assert rates.overhead == 1.5


def test_the_whole_training_is_counted(mini: Mini, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = overrides(mini, **{"training.batcher.size": 4})
    nlp = init_nlp(load_config(CONFIG, overrides=settings))
    workload = count_workload(nlp, nlp.config.interpolate())
    slow = Slow(monkeypatch)
    found = estimate_training(CONFIG, settings)
    steps = workload.train / found.words_per_second
    evaluations = workload.evaluated * 5.0 / slow.evaluated
    assert found.seconds == pytest.approx(steps + evaluations)
    assert found.words_per_second == pytest.approx(sum(slow.words[1:]) / 9.0)


def test_more_epochs_take_longer(mini: Mini, monkeypatch: pytest.MonkeyPatch) -> None:
    Slow(monkeypatch)
    seconds = []
    for epochs in (1, 2, 4):
        Slow(monkeypatch)
        settings = overrides(mini, **{"training.max_epochs": epochs, "training.batcher.size": 4})
        seconds.append(estimate_training(CONFIG, settings).seconds)
    assert all(left < right for left, right in pairwise(seconds))


def test_a_single_step_counts(mini: Mini, monkeypatch: pytest.MonkeyPatch) -> None:
    nlp = init_nlp(load_config(CONFIG, overrides=overrides(mini)))
    nlp.config["training"]["batcher"]["size"] = 100_000
    slow = Slow(monkeypatch)
    assert measure_rates(nlp, 0.0).train == pytest.approx(slow.words[0] / 100.0)


def test_a_training_without_an_end(mini: Mini) -> None:
    settings = overrides(mini, **{"training.max_epochs": 0, "training.max_steps": 0})
    settings["initialize.before_init"] = None
    with pytest.raises(MtnlpError, match="E424"):
        estimate_training(CONFIG, settings)


def test_real_steps(mini: Mini) -> None:
    found = estimate_training(CONFIG, overrides(mini))
    assert found.seconds > 0 and found.words_per_second > 0

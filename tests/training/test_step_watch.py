"""What is seen of a step, against brute force and a clock that the pipeline itself moves."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict, List

import numpy as np
import pytest
from thinc.api import Adam

from mtnlp.training import timing
from mtnlp.training.fused_adam import create_fused_adam_v1
from mtnlp.training.step_watch import StepWatch, learn_rates
from mtnlp.training.task_gradients import create_task_gradients_v1, remove_task_gradients
from tests.pipes.cases import (
    WITH_SHAPE,
    encoder_weights,
    initialized,
    mixed_examples,
    same_weights,
    step,
)
from tests.tiny import make_nlp


def test_gradient_norms_are_those_of_what_the_optimizer_gets(backbone: Path) -> None:
    """The encoder's weights are torch's, a head's both torch's and thinc's; two sub-batches."""
    shape = {"ner": {"model": {"tok2vec": WITH_SHAPE}}}
    nlp = initialized(make_nlp(backbone, ["ner", "textcat"], shape))
    names = ["transformer", "ner", "textcat"]
    gradients: List[Any] = []

    def record(key: Any, weights: Any, gradient: Any, **kwargs: Any) -> Any:
        gradients.append(np.array(gradient).ravel())
        return weights, gradient

    watch = StepWatch(nlp, names)
    examples = mixed_examples(nlp)
    for part in (examples[:7], examples[7:]):
        nlp.update(part, sgd=False)  # type: ignore[arg-type]
    expected: Dict[str, float] = {}
    for name in names:
        gradients.clear()
        nlp.get_pipe(name).finish_update(record)  # type: ignore[attr-defined]
        expected[name] = float(np.linalg.norm(np.concatenate(gradients)))
    step = watch.read()
    assert all(expected.values())
    assert step.gradient_norms == {k: pytest.approx(v, rel=1e-4) for k, v in expected.items()}
    total = np.linalg.norm(list(expected.values()))
    assert step.gradient_norm == pytest.approx(total, rel=1e-4)
    assert step.words == sum(len(example) for example in examples)
    assert watch.optimizer is record and watch.read().words == 0


class Pipeline:
    """An update takes 2 s, an evaluation 50 s."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(timing, "default_timer", lambda: self.now)

    def update(self, examples: List[Any], **kwargs: Any) -> None:
        assert isinstance(examples, list)
        self.now += 2.0

    def evaluate(self, examples: List[Any]) -> Dict[str, float]:
        self.now += 50.0
        return {"ents_f": 0.5}


def test_words_and_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sub-batches, the optimizer for 1 s, an evaluation, saving: 5 s of training."""
    nlp: Any = Pipeline(monkeypatch)
    watch = StepWatch(nlp, [])
    for _ in range(2):
        nlp.update(iter([["a", "b", "c"]] * 2), drop=0.1)
    nlp.now += 1.0
    assert nlp.evaluate([]) == {"ents_f": 0.5}
    nlp.now += 7.0
    step = watch.read()
    assert (step.words, step.seconds) == (12, 5.0)
    nlp.now += 30.0  # between steps
    nlp.update([["a"]])
    step = watch.read()
    assert (step.words, step.seconds) == (1, 2.0)
    watch.close()
    nlp.update([["a"]])
    assert watch.read().words == 0


def test_a_watcher_over_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    nlp: Any = Pipeline(monkeypatch)
    seen: List[int] = []
    inner = nlp.update
    nlp.update = lambda examples, **kwargs: (seen.append(len(examples)), inner(examples))
    watch = StepWatch(nlp, [])
    nlp.update([["a"]])
    watch.close()
    nlp.update([["a"], ["b"]])
    assert seen == [1, 2] and watch.read().words == 1


def test_learn_rates() -> None:
    assert learn_rates(Adam(0.1)) == {"encoder": 0.1, "heads": 0.1}
    rates = learn_rates(create_fused_adam_v1(0.1, head_factor=5.0))
    assert rates == {"encoder": 0.1, "heads": 0.5}
    groups = {"encoder": 0.1, "heads": 0.3}
    assert learn_rates(SimpleNamespace(learn_rate=7.0, learn_rates=groups)) == groups
    assert learn_rates(None) == {}


def test_an_optimizer_that_says_its_norm(monkeypatch: pytest.MonkeyPatch) -> None:
    nlp: Any = Pipeline(monkeypatch)
    watch = StepWatch(nlp, [])
    watch.optimizer = SimpleNamespace(gradient_norm=3.5)
    assert watch.read().gradient_norm == 3.5


@pytest.mark.parametrize("place", ["after_init", "before_update"])
@pytest.mark.parametrize("pcgrad", [False, True])
def test_beside_task_gradients(place: str, pcgrad: bool, backbone: Path) -> None:
    """Norms are those of what the optimizer gets, whoever watches first, and the encoder moves
    after either of them has left."""
    nlp = initialized(make_nlp(backbone, ["ner", "textcat"]))
    names = ["transformer", "ner", "textcat"]
    callback = create_task_gradients_v1(every=2, pcgrad=pcgrad)
    if place == "after_init":
        callback(nlp)
    watch = StepWatch(nlp, names)
    sgd = Recorder()
    for number in range(2):
        callback(nlp, {"step": number, "epoch": 0})
        sgd.squares = 0.0
        nlp.update(mixed_examples(nlp), sgd=False)  # type: ignore[arg-type]
        nlp.get_pipe("transformer").finish_update(sgd)  # type: ignore[attr-defined]
        expected = sgd.squares**0.5
        for name in names[1:]:
            nlp.get_pipe(name).finish_update(sgd)  # type: ignore[attr-defined]
        found = watch.read()
        assert expected and found.gradient_norms["transformer"] == pytest.approx(expected, rel=1e-4)
        assert found.gradient_norm == pytest.approx(sgd.squares**0.5, rel=1e-4)
    watch.close()
    watch.optimizer = None
    for leave in (lambda: None, lambda: remove_task_gradients(nlp)):
        leave()
        before = encoder_weights(nlp)
        step(nlp, mixed_examples(nlp))
        assert not same_weights(before, encoder_weights(nlp))
    assert watch.optimizer is None
    assert not {"update", "finish_update"} & set(vars(nlp.get_pipe("transformer")))


class Recorder:
    """An optimizer that only looks. squares: the sum of those of all gradients it was given."""

    def __init__(self) -> None:
        self.squares = 0.0

    def __call__(self, key: Any, weights: Any, gradient: Any, **kwargs: Any) -> Any:
        self.squares += float((gradient**2).sum())
        return weights, gradient

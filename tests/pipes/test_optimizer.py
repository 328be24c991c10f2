"""Pipes and the optimizers of mtnlp: rates for heads, sub-batches, stopping and going on."""

import io
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
import torch
from spacy.language import Language
from spacy.training import Example
from spacy.training.loop import subdivide_batch
from thinc.api import Optimizer, warmup_linear

from mtnlp.errors import MtnlpError
from mtnlp.trainer.checkpoint import pack, unpack
from mtnlp.trainer.optimizer_state import get_optimizer_state, set_optimizer_state
from mtnlp.trainer.weights_state import get_weights, set_weights
from mtnlp.training.adamw import create_adamw_v1
from mtnlp.training.fused_adam import create_fused_adam_v1
from tests.pipes.cases import (
    EXACT,
    assert_close,
    encoder_weights,
    head_weights,
    initialized,
    make_case,
    mixed_examples,
    only,
    same_weights,
    step,
    weights,
)
from tests.tiny import make_nlp

PIPES = ["crf_ents", "softmax", "multitask", "events"]
CREATE: List[Callable[..., Any]] = [create_fused_adam_v1, create_adamw_v1]
every_optimizer = pytest.mark.parametrize("create", CREATE)
TWINS = ["ner", "fine_ner", "textcat"]


@every_optimizer
@pytest.mark.parametrize("name", PIPES)
def test_the_factor_is_for_the_head_alone(
    name: str, create: Callable[..., Optimizer], backbone: Path
) -> None:
    nlp = initialized(make_case(backbone, name))
    factory = nlp.pipe_names[-1]
    head, encoder = head_weights(nlp, factory), encoder_weights(nlp)
    step(nlp, mixed_examples(nlp), sgd=create(0.01, head_factor=0.0))
    assert same_weights(head, head_weights(nlp, factory))
    assert not same_weights(encoder, encoder_weights(nlp))
    step(nlp, mixed_examples(nlp), sgd=create(0.01))
    assert not same_weights(head, head_weights(nlp, factory))


@every_optimizer
def test_an_encoder_of_its_own_has_the_encoders_rate(
    create: Callable[..., Optimizer], backbone: Path
) -> None:
    nlp = initialized(make_case(backbone, "events"))
    factory = nlp.pipe_names[-1]
    nlp.replace_listeners("transformer", factory, ["model.tok2vec"])
    pipe: Any = nlp.get_pipe(factory)
    head, encoder = head_weights(nlp, factory), weights(pipe.model.get_ref("tok2vec"))
    step(nlp, mixed_examples(nlp), sgd=create(0.01, head_factor=0.0))
    assert same_weights(head, head_weights(nlp, factory))
    assert not same_weights(encoder, weights(pipe.model.get_ref("tok2vec")))


def exact(backbone: Path) -> Language:
    """Two heads alike and a third, without dropout."""
    return make_nlp(backbone, TWINS, {**{name: EXACT[name] for name in TWINS}, **ENCODER})


ENCODER = {"transformer": EXACT["transformer"]}


def all_weights(nlp: Language) -> Dict[str, Any]:
    return {
        f"{pipe_name}/{name}": value
        for pipe_name in ("transformer", *TWINS)
        for name, value in weights(nlp.get_pipe(pipe_name).model).items()  # type: ignore
    }


def test_sub_batches_give_the_step_of_one_batch(backbone: Path) -> None:
    """As `spacy train` divides a batch under `accumulate_gradient`; some parts are without
    annotation for one head or another. A large epsilon: where a gradient is zero but for rounding
    (the attention's key biases), Adam would blow the rounding up to a full step."""
    trained = []
    for parts in (1, 2, 4):
        nlp = initialized(exact(backbone))
        start = all_weights(nlp)
        optimizer = create_adamw_v1(0.01, eps=1e-3, head_factor=2.0, layer_decay=0.9)
        for _ in range(3):
            step(nlp, *subdivide_batch(mixed_examples(nlp), parts), sgd=optimizer)
        trained.append(all_weights(nlp))
        moved = [abs(start[name] - value).max() for name, value in trained[-1].items()]
        assert sum(way > 1e-3 for way in moved) > len(moved) / 2
    assert_close(trained[0], trained[1])
    assert_close(trained[0], trained[2])


def test_the_norm_is_that_of_all_gradients_and_clips_them_together(backbone: Path) -> None:
    nlp = initialized(exact(backbone))
    losses: Dict[str, float] = {}
    nlp.update(mixed_examples(nlp), sgd=False, losses=losses)  # type: ignore[arg-type]
    modules = [nlp.get_pipe("transformer").model.transformer]  # type: ignore[attr-defined]
    modules += [nlp.get_pipe(name).module for name in TWINS]  # type: ignore[attr-defined]
    parameters = [parameter for module in modules for parameter in module.parameters()]
    expected = torch.nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
    nlp = initialized(exact(backbone))
    optimizer = create_adamw_v1(0.01)
    step(nlp, mixed_examples(nlp), sgd=optimizer)
    assert optimizer.gradient_norm == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("name", ["crf_ents", "multitask"])
def test_a_pipe_that_is_updated_alone_makes_the_step(name: str, backbone: Path) -> None:
    nlp = initialized(make_case(backbone, name))
    factory = nlp.pipe_names[-1]
    head, encoder = head_weights(nlp, factory), encoder_weights(nlp)
    optimizer = create_adamw_v1(0.01)
    for _ in range(2):
        examples = mixed_examples(nlp)
        for pipe_name in nlp.pipe_names:
            nlp.get_pipe(pipe_name).update(examples, sgd=optimizer)  # type: ignore[attr-defined]
        assert not same_weights(head, head_weights(nlp, factory))
        assert not same_weights(encoder, encoder_weights(nlp))
        head, encoder = head_weights(nlp, factory), encoder_weights(nlp)


def test_update_with_an_optimizer_asks_for_the_step(backbone: Path) -> None:
    nlp = initialized(make_case(backbone, "crf_ents"))
    head, encoder = head_weights(nlp, "crf_ner"), encoder_weights(nlp)
    optimizer = create_adamw_v1(0.01)
    for _ in range(2):
        nlp.update(mixed_examples(nlp), sgd=optimizer)
        optimizer.step_schedules()
    assert not same_weights(head, head_weights(nlp, "crf_ner"))
    assert not same_weights(encoder, encoder_weights(nlp))
    nlp.update(mixed_examples(nlp), sgd=optimizer)
    with pytest.raises(MtnlpError, match="E450"):
        nlp.update(mixed_examples(nlp), sgd=optimizer)


# Stopping and going on


def create_warm(create: Callable[..., Any]) -> Any:
    return create(warmup_linear(0.02, 2, 8), head_factor=2.0)


def six_batches(nlp: Language) -> List[List[Example]]:
    """In the first three, nobody says anything of `fine_ner`; then it comes first."""
    known = [*only(nlp, "ner"), *only(nlp, "textcat")]
    return [known, known[1:], known, only(nlp, "fine_ner"), mixed_examples(nlp), known]


@every_optimizer
@pytest.mark.parametrize("stop", [1, 2, 4])
def test_a_training_that_goes_on_is_the_uninterrupted_one(
    stop: int, create: Callable[..., Any], backbone: Path
) -> None:
    """To the bit, in a pipeline whose layers have other numbers, with an optimizer that was used
    for something else. After one step, whose rate is 0, many weights are still alike."""
    whole, first = initialized(exact(backbone)), initialized(exact(backbone))
    sgd, stopped = create_warm(create), create_warm(create)
    for batch in six_batches(whole):
        step(whole, batch, sgd=sgd)
    for batch in six_batches(first)[:stop]:
        step(first, batch, sgd=stopped)
    saved = pack(get_optimizer_state(stopped, first)), pack(get_weights(first))
    file = io.BytesIO()
    torch.save(saved, file)
    file.seek(0)
    second, resumed = initialized(exact(backbone), seed=1), create_warm(create)
    step(second, mixed_examples(second), sgd=resumed)
    for _ in range(stop - 1):
        resumed.step_schedules()
    state, found = (unpack(part) for part in torch.load(file, weights_only=True))
    set_weights(second, found)
    set_optimizer_state(resumed, second, state)
    assert resumed.learn_rate == stopped.learn_rate
    for batch in six_batches(second)[stop:]:
        step(second, batch, sgd=resumed)
    assert same_weights(all_weights(whole), all_weights(second))
    assert set(state["mom1"]) <= set(get_optimizer_state(resumed, second)["mom1"])

"""`mtnlp.FusedAdam.v1`, by the code of `mtnlp.AdamW.v1`, against thinc's Adam and torch's AdamW."""

import gc
from collections import defaultdict

import numpy as np
import pytest
import torch
from spacy import registry
from thinc.api import Adam, HashEmbed, PyTorchWrapper

from mtnlp.errors import MtnlpError
from mtnlp.training.adamw import AdamW
from mtnlp.training.fused_adam import create_fused_adam_v1


def make_steps(shape: tuple, n: int) -> list:
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape).astype("float32") for _ in range(n)]


def test_resolves() -> None:
    config = {"optimizer": {"@optimizers": "mtnlp.FusedAdam.v1", "learn_rate": 0.1}}
    optimizer = registry.resolve(config)["optimizer"]
    assert optimizer.learn_rate == 0.1 and isinstance(optimizer, AdamW)


@pytest.mark.parametrize("clip", [0.0, 1.5])
def test_equals_torch(clip: float) -> None:
    """Each parameter is clipped by its own norm and moves at once; biases decay, too."""
    shapes = {(0, "dense.bias"): (7,), (0, "dense.weight"): (5, 3)}
    starts = {key: make_steps(shape, 6) for key, shape in shapes.items()}
    ours = create_fused_adam_v1(0.01, L2=0.1, grad_clip=clip)
    weights = {key: steps[0].copy() for key, steps in starts.items()}
    peers = {key: torch.nn.Parameter(torch.tensor(steps[0])) for key, steps in starts.items()}
    optimizer = torch.optim.AdamW(peers.values(), lr=0.01, weight_decay=0.1)
    for number in range(1, 6):
        squares = 0.0
        for key, peer in peers.items():
            gradient = starts[key][number] * number
            weights[key], _ = ours(key, weights[key], gradient.copy())
            peer.grad = torch.tensor(gradient)
            squares += float((gradient**2).sum())
            torch.nn.utils.clip_grad_norm_(peer, clip or float("inf"))
        optimizer.step()
        for key, peer in peers.items():
            np.testing.assert_allclose(weights[key], peer.detach().numpy(), atol=1e-6)
        ours.step_schedules()
        assert ours.gradient_norm == pytest.approx(squares**0.5, rel=1e-5)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite(value: float) -> None:
    optimizer = create_fused_adam_v1(0.01)
    weights, gradient = np.ones((2, 3), dtype="float32")
    gradient[1] = value
    with pytest.raises(MtnlpError, match="E451"):
        optimizer((0, "w"), weights, gradient)
    assert (weights == 1.0).all() and not gradient.any()
    # The next batch may be a sound one.
    optimizer((0, "w"), weights, np.ones(3, dtype="float32"))
    assert weights == pytest.approx([0.99] * 3, abs=2e-4)


def test_near_thinc_with_clipping_and_schedule() -> None:
    start, *gradients = make_steps((50, 4), 20)
    rates = [0.001 * step for step in range(1, 21)]
    ours = create_fused_adam_v1(list(rates), L2=0.01, grad_clip=1.0)
    thincs = Adam(list(rates), L2=0.01, grad_clip=1.0, L2_is_weight_decay=True, use_averages=False)
    one, two = start.copy(), start.copy()
    for gradient in gradients:
        one, _ = ours((0, "w"), one, gradient.copy())
        two, _ = thincs((0, "w"), two, gradient.copy())
        ours.step_schedules()
        thincs.step_schedules()
    assert ours.learn_rate == thincs.learn_rate
    # Decay before or after the step, and the place of epsilon, differ in second order.
    np.testing.assert_allclose(one, two, atol=1e-4)
    assert np.abs(one - start).max() > 0.05


def test_thincs_own_layers_forget_the_gradient_of_the_last_step() -> None:
    """As under thinc's Adam: a second batch's gradient is its own, not the sum of both."""
    ids = np.array([[3], [5]], dtype="uint64")
    tables = []
    for optimizer in (
        create_fused_adam_v1(0.01, L2=0.0),
        Adam(0.01, L2=0.0, L2_is_weight_decay=True, use_averages=False),
    ):
        layer = HashEmbed(4, 8, column=0, seed=1)
        layer.initialize(X=ids)
        (table,) = [node for node in layer.walk() if node.has_param("E")]
        table.set_param("E", make_steps((8, 4), 1)[0])
        for gradient in make_steps((2, 4), 6):
            _, backprop = layer.begin_update(ids)
            backprop(gradient)
            layer.finish_update(optimizer)
            assert not table.get_grad("E").any()
        tables.append(table.get_param("E"))
    np.testing.assert_allclose(*tables, atol=1e-5)


def test_parameters_have_their_own_moments() -> None:
    optimizer = create_fused_adam_v1(0.1)
    one, two = np.zeros(3, dtype="float32"), np.zeros(3, dtype="float32")
    for _ in range(3):
        optimizer((0, "a"), one, np.ones(3, dtype="float32"))
    optimizer((1, "a"), two, np.ones(3, dtype="float32"))
    assert isinstance(optimizer.nr_update, defaultdict)
    assert (optimizer.nr_update[(0, "a")], optimizer.nr_update[(1, "a")]) == (3, 1)
    assert one[0] < two[0] < 0
    empty = np.zeros(0, dtype="float32")
    assert optimizer((2, "e"), empty, empty)[0].shape == (0,)


def test_heads_have_a_rate_of_their_own() -> None:
    start, gradient = make_steps((4, 3), 2)
    for factor in (1.0, 10.0):
        optimizer = create_fused_adam_v1(0.001, L2=0.0, head_factor=factor)
        encoder, head = start.copy(), start.copy()
        optimizer((0, "w"), encoder, gradient.copy())
        optimizer.for_heads((1, "w"), head, gradient.copy())
        # Adam's first step is the rate itself, whatever the gradient.
        np.testing.assert_allclose(np.abs(encoder - start), 0.001, rtol=1e-3)
        np.testing.assert_allclose(np.abs(head - start), 0.001 * factor, rtol=1e-3)


def test_a_long_training_takes_no_more_memory() -> None:
    model = PyTorchWrapper(torch.nn.Linear(2, 1))
    optimizer = create_fused_adam_v1(0.01)
    inputs = np.ones((1, 2), dtype="float32")

    def count_tensors(steps: int) -> int:
        for _ in range(steps):
            output, backprop = model.begin_update(inputs)
            backprop(np.ones_like(output))
            model.finish_update(optimizer)
        return sum(isinstance(thing, torch.Tensor) for thing in gc.get_objects())

    before = count_tensors(10)
    assert abs(count_tensors(100) - before) < 10

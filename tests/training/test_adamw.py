"""`mtnlp.AdamW.v1` against torch's AdamW."""

import gc
from typing import Any, Callable, Dict, List

import numpy as np
import pytest
import torch
from spacy import registry
from thinc.api import HashEmbed, PyTorchWrapper, chain

from mtnlp.errors import MtnlpError
from mtnlp.training import adamw
from mtnlp.training.adamw import AdamW, create_adamw_v1
from mtnlp.training.fused_adam import create_fused_adam_v1

# An encoder of three layers (layer 7), and a head of torch's and one of thinc's (layers 8 and 9).
SHAPES: Dict[tuple, tuple] = {
    (7, "embeddings.word_embeddings.weight"): (6, 4),
    (7, "embeddings.LayerNorm.weight"): (4,),
    (7, "encoder.layer.0.output.dense.weight"): (4, 4),
    (7, "encoder.layer.1.output.dense.bias"): (4,),
    (7, "encoder.layer.2.output.dense.weight"): (4, 4),
    (8, "layers.0.weight"): (4, 3),
    (8, "log_variance"): (),
    (8, "label_heads.hidden_bias"): (3, 4),
    (9, "W"): (3, 4),
}
# Their rate in learn rates, with layer_decay = 0.5 and head_factor = 10.
FACTORS = [0.125, 0.125, 0.25, 0.5, 1.0, 10.0, 10.0, 10.0, 10.0]
HEADS = (8, 9)
DECAYING = {name for _, name in SHAPES if name.endswith("weight") and "Norm" not in name} | {"W"}


def random_arrays(seed: int, scale: float = 1.0) -> Dict[tuple, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        key: np.asarray(rng.normal(size=shape) * scale, dtype="float32")
        for key, shape in SHAPES.items()
    }


def hand_over(optimizer: AdamW, weights: Dict, gradients: Dict) -> None:
    """What components do in `finish_update`."""
    for key, gradient in gradients.items():
        call = optimizer.for_heads if key[0] in HEADS else optimizer
        weights[key], _ = call(key, weights[key], gradient.copy())


def test_resolves() -> None:
    config = {"optimizer": {"@optimizers": "mtnlp.AdamW.v1", "learn_rate": 0.1, "head_factor": 5}}
    optimizer = registry.resolve(config)["optimizer"]
    assert optimizer.learn_rates == {"encoder": 0.1, "heads": 0.5}


@pytest.mark.parametrize("clip", [0.0, 1.0, 30.0])
def test_equals_torch(clip: float) -> None:
    """The same groups and schedule, clipped by the norm of all; some steps without some heads."""
    rates = [0.01 * rate for rate in (0.0, 0.5, 1.0, 0.8, 0.6, 0.4, 0.2)]
    ours = create_adamw_v1(
        list(rates), L2=0.1, grad_clip=clip, head_factor=10.0, layer_decay=0.5, beta2=0.99
    )
    weights = random_arrays(0)
    start = {key: value.copy() for key, value in weights.items()}
    peers = {key: torch.nn.Parameter(torch.tensor(value)) for key, value in weights.items()}
    groups: List[Dict[str, Any]] = [
        {"params": [peer], "factor": factor, "weight_decay": 0.1 if key[1] in DECAYING else 0.0}
        for (key, peer), factor in zip(peers.items(), FACTORS, strict=True)
    ]
    theirs = torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.99), fused=False)
    for i, rate in enumerate(rates):
        gradients = random_arrays(i + 1, scale=i + 0.5)
        for key in [key for key in gradients if key[0] == 8 and i % 2]:
            del gradients[key]
        hand_over(ours, weights, gradients)
        for key, peer in peers.items():
            peer.grad = torch.tensor(gradients[key]) if key in gradients else None
        norm = torch.nn.utils.clip_grad_norm_(peers.values(), clip or float("inf"))
        for group in theirs.param_groups:
            group["lr"] = rate * group["factor"]
        theirs.step()
        ours.step_schedules()
        assert ours.gradient_norm == pytest.approx(float(norm), rel=1e-6)
        assert ours.learn_rates == pytest.approx({"encoder": rate, "heads": 10 * rate})
        for key, peer in peers.items():
            np.testing.assert_allclose(weights[key], peer.detach().numpy(), rtol=0, atol=1e-6)
    assert all(abs(weights[key] - start[key]).max() > 1e-3 for key in weights)


def test_nothing_moves_before_the_step_and_all_do_in_it() -> None:
    optimizer = create_adamw_v1(0.01)
    weights = random_arrays(0)
    start = {key: value.copy() for key, value in weights.items()}
    hand_over(optimizer, weights, random_arrays(1))
    assert all(np.array_equal(weights[key], start[key]) for key in weights)
    optimizer.step_schedules()
    assert not any(np.array_equal(weights[key], start[key]) for key in weights)
    moved = {key: value.copy() for key, value in weights.items()}
    optimizer.step_schedules()
    assert all(np.array_equal(weights[key], moved[key]) for key in weights)


def test_a_step_that_was_left_out() -> None:
    optimizer = create_adamw_v1(0.01)
    weights = random_arrays(0)
    hand_over(optimizer, weights, random_arrays(1))
    with pytest.raises(MtnlpError, match="E450"):
        hand_over(optimizer, weights, random_arrays(2))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite(value: float) -> None:
    optimizer = create_adamw_v1(0.01)
    weights = random_arrays(0)
    start = {key: value.copy() for key, value in weights.items()}
    gradients = random_arrays(1)
    gradients[(9, "W")][0, 0] = value
    hand_over(optimizer, weights, gradients)
    with pytest.raises(MtnlpError, match="E451"):
        optimizer.step_schedules()
    assert all(np.array_equal(weights[key], start[key]) for key in weights)


@pytest.mark.parametrize(
    "settings", [{"head_factor": -1.0}, {"layer_decay": 0.0}, {"layer_decay": 1.1}]
)
def test_settings_out_of_range(settings: Dict[str, float]) -> None:
    with pytest.raises(MtnlpError, match="E455"):
        create_adamw_v1(0.01, **settings)


def test_weights_that_reach_it_as_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adamw, "xp2torch", lambda array: torch.tensor(1.0, device="meta"))
    with pytest.raises(MtnlpError, match="E454"):
        create_adamw_v1(0.01)((0, "w"), np.ones(3, "float32"), np.ones(3, "float32"))


def test_layers_of_thinc_and_of_torch_forget_the_gradient_of_the_last_step() -> None:
    """Two steps on the same gradient are two steps of AdamW; nothing piles up between them."""
    ids = np.array([[3], [5]], dtype="uint64")
    model: Any = chain(HashEmbed(4, 8, column=0, seed=1), PyTorchWrapper(torch.nn.Linear(4, 2)))
    model.initialize(X=ids)
    (table,) = [node for node in model.walk() if node.has_param("E")]
    table.set_param("E", np.ones((8, 4), dtype="float32"))
    (module,) = [shim._model for node in model.walk() for shim in node.shims]
    optimizer = create_adamw_v1(0.01, L2=0.0)
    norms = []

    def step() -> None:
        output, backprop = model.begin_update(ids)
        backprop(np.ones_like(output))
        model.finish_update(optimizer)
        assert not table.get_grad("E").any() and not module.weight.grad.any()
        optimizer.step_schedules()
        norms.append(optimizer.gradient_norm)

    def count_tensors(steps: int) -> int:
        for _ in range(steps):
            step()
        return sum(isinstance(thing, torch.Tensor) for thing in gc.get_objects())

    before = module.weight.detach().clone()
    step()
    assert (module.weight.detach() - before).abs().min() > 0.009
    assert table.get_param("E").min() < 0.999
    before_many = count_tensors(10)
    assert abs(count_tensors(60) - before_many) < 10
    assert norms[1] == pytest.approx(norms[0], rel=0.02)


@pytest.mark.parametrize("create", [create_adamw_v1, create_fused_adam_v1])
def test_weights_that_were_set_meanwhile_are_the_ones_that_move(
    create: Callable[..., AdamW],
) -> None:
    model = PyTorchWrapper(torch.nn.Linear(2, 1))
    optimizer = create(0.01)
    module = model.shims[0]._model

    def step() -> None:
        output, backprop = model.begin_update(np.ones((1, 2), dtype="float32"))
        backprop(np.ones_like(output))
        model.finish_update(optimizer)
        optimizer.step_schedules()

    step()
    module.load_state_dict({"weight": torch.full((1, 2), 5.0), "bias": torch.zeros(1)})
    step()
    assert module.weight[0].tolist() == pytest.approx([4.99, 4.99], abs=2e-3)
    # Other memory altogether, as after loading a model from bytes.
    module.weight.data = torch.full((1, 2), 7.0)
    step()
    assert module.weight[0].tolist() == pytest.approx([6.99, 6.99], abs=2e-3)


@pytest.mark.parametrize("create", [create_adamw_v1, create_fused_adam_v1])
def test_a_step_in_which_nothing_has_a_gradient_is_not_the_one_before(
    create: Callable[..., AdamW],
) -> None:
    optimizer = create([0.1, 0.2, 0.3])
    optimizer((1, "weight"), np.ones((2, 2), "float32"), np.ones((2, 2), "float32"))
    optimizer.step_schedules()
    assert optimizer.gradient_norm == pytest.approx(2.0)
    assert optimizer.learn_rates["encoder"] == pytest.approx(0.1)
    optimizer.step_schedules()
    assert optimizer.gradient_norm == 0.0
    assert optimizer.learn_rates["encoder"] == pytest.approx(0.2)

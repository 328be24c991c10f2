"""Asymmetric loss."""

import math

import numpy as np
import pytest
import torch

from mtnlp.errors import MtnlpError
from mtnlp.losses.asymmetric import build_asymmetric_loss_v1
from mtnlp.losses.binary_cross_entropy import build_binary_cross_entropy_v1
from mtnlp.losses.focal import build_focal_loss_v1
from mtnlp.types import LossBatch


def one_batch(dtype: torch.dtype = torch.float64) -> LossBatch:
    torch.manual_seed(0)
    target = torch.rand(50, 3).round().to(dtype)
    return LossBatch(3 * torch.randn(50, 3, dtype=dtype), None, target, torch.rand(50, 3) < 0.8)


def as_published(
    logits: np.ndarray, y: np.ndarray, gamma_pos: float, gamma_neg: float, m: float
) -> np.ndarray:
    """L = -y L+ - (1 - y) L- as the paper writes it, label by label."""
    losses = np.zeros_like(logits)
    for at in np.ndindex(*logits.shape):
        p = 1 / (1 + math.exp(-logits[at]))
        p_m = max(p - m, 0)
        l_plus = (1 - p) ** gamma_pos * math.log(p)
        l_minus = p_m**gamma_neg * math.log(1 - p_m)
        losses[at] = -y[at] * l_plus - (1 - y[at]) * l_minus
    return losses


def test_by_hand() -> None:
    # sigmoid(ln 3) = 3/4: the positive costs ln(4/3) times a root of 1/4, the negative, shifted to
    # 1/2, (1/2)^2 ln 2; sigmoid(-ln 9) = 1/10 is below the shift.
    logits = torch.tensor([[math.log(3), math.log(3), -math.log(9)]])
    batch = LossBatch(logits, None, torch.tensor([[1.0, 0.0, 0.0]]), torch.ones(1, 3).bool())
    loss = build_asymmetric_loss_v1(gamma_pos=0.5, gamma_neg=2.0, clip=0.25)
    assert loss(batch).item() == pytest.approx(math.log(4 / 3) / 2 + math.log(2) / 4)


@pytest.mark.parametrize("clip", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("gamma_neg", [0.0, 0.5, 4.0])
@pytest.mark.parametrize("gamma_pos", [0.0, 0.5, 1.0])
def test_the_formula_as_published(gamma_pos: float, gamma_neg: float, clip: float) -> None:
    batch = one_batch()
    expected = as_published(batch.logits.numpy(), batch.target.numpy(), gamma_pos, gamma_neg, clip)
    loss = build_asymmetric_loss_v1(gamma_pos, gamma_neg, clip)(batch)
    assert loss.item() == pytest.approx(expected[batch.mask.numpy()].sum(), rel=1e-10)


def test_the_defaults_are_the_authors() -> None:
    batch = one_batch()
    expected = as_published(batch.logits.numpy(), batch.target.numpy(), 0.0, 4.0, 0.05)
    loss = build_asymmetric_loss_v1()(batch)
    assert loss.item() == pytest.approx(expected[batch.mask.numpy()].sum(), rel=1e-10)


def test_without_asymmetry_it_is_focal_loss_or_cross_entropy() -> None:
    batch = one_batch()
    focal = build_focal_loss_v1(gamma=2.0)(batch)
    torch.testing.assert_close(build_asymmetric_loss_v1(2.0, 2.0, 0.0)(batch), focal)
    plain = build_binary_cross_entropy_v1()(batch)
    torch.testing.assert_close(build_asymmetric_loss_v1(0.0, 0.0, 0.0)(batch), plain)


@pytest.mark.parametrize("gamma_neg", [0.0, 0.5, 4.0])
def test_gradient_around_the_shift(gamma_neg: float) -> None:
    """None below it, that of the formula above it, finite at it."""
    clip = 0.2
    at = math.log(clip / (1 - clip))
    logits = torch.tensor([at - 1.0, at + 1.0, at], dtype=torch.float64, requires_grad=True)
    batch = LossBatch(logits, None, torch.zeros(3), torch.ones(3).bool())
    build_asymmetric_loss_v1(0.0, gamma_neg, clip)(batch).backward()
    assert logits.grad is not None and logits.grad.isfinite().all()
    p = torch.sigmoid(logits.detach()[1])
    q = p - clip
    slope = q**gamma_neg / (1 - q) - gamma_neg * q ** (gamma_neg - 1) * torch.log(1 - q)
    assert logits.grad[0] == 0
    torch.testing.assert_close(logits.grad[1], slope * p * (1 - p))


@pytest.mark.parametrize("clip", [0.0, 1e-9, 0.05])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 4.0])
def test_certainty_has_a_gradient(gamma: float, clip: float) -> None:
    """Of the right sign where it is wrong, finite everywhere, in single precision."""
    logits = torch.tensor([[-1e4, 1e4, -90.0, 90.0, 17.0]] * 2, requires_grad=True)
    target = torch.tensor([[1.0] * 5, [0.0] * 5])
    batch = LossBatch(logits, None, target, torch.ones(2, 5).bool())
    loss = build_asymmetric_loss_v1(gamma, gamma, clip)(batch)
    loss.backward()
    assert loss.isfinite() and logits.grad is not None and logits.grad.isfinite().all()
    assert logits.grad[0, 0] == pytest.approx(-1.0)
    if not clip:
        assert logits.grad[1, 1] == pytest.approx(1.0)


@pytest.mark.parametrize("settings", [{"gamma_pos": -1}, {"gamma_neg": -0.1}, {"clip": 1.0}])
def test_settings_out_of_range(settings: dict) -> None:
    with pytest.raises(MtnlpError, match=r"E221.*AsymmetricLoss"):
        build_asymmetric_loss_v1(**settings)

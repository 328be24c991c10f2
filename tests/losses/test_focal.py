"""Focal loss."""

import math

import pytest
import torch

from mtnlp.errors import MtnlpError
from mtnlp.losses.binary_cross_entropy import build_binary_cross_entropy_v1
from mtnlp.losses.cross_entropy import build_cross_entropy_v1
from mtnlp.losses.focal import build_focal_loss_v1
from mtnlp.types import LossBatch


def class_batch() -> LossBatch:
    torch.manual_seed(0)
    logits = torch.randn(5, 3, dtype=torch.float64)
    return LossBatch(logits, None, torch.tensor([0, 2, 1, 1, 0]), torch.arange(5) < 4)


def label_batch() -> LossBatch:
    torch.manual_seed(0)
    target = torch.rand(5, 3).round()
    return LossBatch(torch.randn(5, 3, dtype=torch.float64), None, target, torch.arange(5) < 4)


def test_classes_by_hand() -> None:
    # softmax(ln 1, ln 3) = 1/4, 3/4.
    logits = torch.tensor([[1.0, 3.0]] * 2).log()
    batch = LossBatch(logits, None, torch.tensor([0, 1]), torch.ones(2, dtype=torch.bool))
    expected = (3 / 4) ** 2 * math.log(4) + (1 / 4) ** 2 * math.log(4 / 3)
    assert build_focal_loss_v1()(batch).item() == pytest.approx(expected)


def test_labels_by_hand() -> None:
    # sigmoid(ln 3) = 3/4; alpha weighs yes, 1 - alpha no.
    logits = torch.full((1, 2), math.log(3))
    batch = LossBatch(logits, None, torch.tensor([[1.0, 0.0]]), torch.ones(1, 2).bool())
    loss = build_focal_loss_v1(gamma=2, alpha=0.25)
    loss.bind(["A", "B"], 4)
    expected = 0.25 * (1 / 4) ** 2 * math.log(4 / 3) + 0.75 * (3 / 4) ** 2 * math.log(4)
    assert loss(batch).item() == pytest.approx(expected)


def test_without_focus_it_is_cross_entropy() -> None:
    of_classes = build_focal_loss_v1(gamma=0, alpha=1.0)
    of_classes.bind(["A", "B", "C"], 4)
    batch = class_batch()
    torch.testing.assert_close(of_classes(batch), build_cross_entropy_v1()(batch))
    batch = label_batch()
    expected = build_binary_cross_entropy_v1()(batch)
    torch.testing.assert_close(build_focal_loss_v1(gamma=0)(batch), expected)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 5.0])
def test_the_formula_as_written(gamma: float) -> None:
    batch = class_batch()
    p = batch.logits.softmax(-1)[torch.arange(5), batch.target][:4]
    expected = (-((1 - p) ** gamma) * p.log()).sum()
    torch.testing.assert_close(build_focal_loss_v1(gamma)(batch), expected)
    batch = label_batch()
    s = batch.logits.sigmoid()
    p = torch.where(batch.target == 1, s, 1 - s)[:4]
    expected = (-((1 - p) ** gamma) * p.log()).sum()
    torch.testing.assert_close(build_focal_loss_v1(gamma)(batch), expected)


def test_weights_of_classes() -> None:
    loss = build_focal_loss_v1(gamma=0, alpha="inverse_frequency")
    loss.bind(["A", "B"], 4)
    loss.set_counts(torch.tensor([3, 1]), torch.tensor([1, 3]))
    batch = LossBatch(torch.zeros(2, 2), None, torch.tensor([0, 1]), torch.ones(2).bool())
    assert loss(batch).item() == pytest.approx((4 / 6 + 4 / 2) * math.log(2))


def test_certainty_has_a_gradient() -> None:
    """A root of 1 - p = 0 would have an infinite one."""
    logits = torch.tensor([[1e4, 0.0], [0.0, 1e4]], requires_grad=True)
    batch = LossBatch(logits, None, torch.tensor([0, 0]), torch.ones(2, dtype=torch.bool))
    build_focal_loss_v1(gamma=0.5)(batch).backward()
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, torch.tensor([[0.0, 0.0], [-1.0, 1.0]]))


@pytest.mark.parametrize("settings", [{"gamma": -1}, {"alpha": 0.0}, {"alpha": 1.5}])
def test_settings_out_of_range(settings: dict) -> None:
    with pytest.raises(MtnlpError, match=r"E221.*FocalLoss"):
        build_focal_loss_v1(**settings)

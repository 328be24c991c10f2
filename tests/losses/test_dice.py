"""Dice loss."""

import math

import pytest
import torch

from mtnlp.errors import MtnlpError
from mtnlp.losses.dice import build_dice_loss_v1
from mtnlp.types import LossBatch


def one_class() -> LossBatch:
    # softmax(ln 1, ln 3) = 1/4, 3/4.
    logits = torch.tensor([[1.0, 3.0]] * 2).log()
    return LossBatch(logits, None, torch.tensor([0, 1]), torch.tensor([True, False]))


def one_label() -> LossBatch:
    # sigmoid(ln 3) = 3/4.
    logits = torch.full((1, 2), math.log(3))
    return LossBatch(logits, None, torch.tensor([[1.0, 0.0]]), torch.ones(1, 2).bool())


def test_soft_dice_by_hand() -> None:
    gold = 1 - (2 * 1 / 4 + 1) / (1 / 16 + 1 + 1)
    other = 1 - 1 / (9 / 16 + 1)
    assert build_dice_loss_v1()(one_class()).item() == pytest.approx(gold + other)
    yes = 1 - (2 * 3 / 4 + 1) / (9 / 16 + 1 + 1)
    assert build_dice_loss_v1()(one_label()).item() == pytest.approx(yes + other)


def test_self_adjusting_dice_by_hand() -> None:
    loss = build_dice_loss_v1(alpha=1.0, smooth=0.5)
    q = 3 / 16  # of both 1/4 and 3/4
    expected = (1 - (2 * q + 0.5) / (q + 1.5)) + (1 - 0.5 / (q + 0.5))
    assert loss(one_class()).item() == pytest.approx(expected)
    assert loss(one_label()).item() == pytest.approx(expected)


def test_perfect_and_worst() -> None:
    logits = torch.tensor([[50.0, 0.0]])
    known = torch.ones(1, dtype=torch.bool)
    right = LossBatch(logits, None, torch.tensor([0]), known)
    wrong = LossBatch(logits, None, torch.tensor([1]), known)
    assert build_dice_loss_v1()(right).item() == pytest.approx(0.0, abs=1e-6)
    assert build_dice_loss_v1()(wrong).item() == pytest.approx(1.0)


def test_many_easy_negatives_count_little() -> None:
    """Less than in cross-entropy, where a p of 0.1 costs 0.105."""
    logits = torch.tensor([[-math.log(9)]])
    batch = LossBatch(logits, None, torch.zeros(1, 1), torch.ones(1, 1, dtype=torch.bool))
    assert build_dice_loss_v1()(batch).item() == pytest.approx(1 - 1 / 1.01)


def test_certainty_has_a_gradient() -> None:
    logits = torch.tensor([[1e4, 0.0]], requires_grad=True)
    batch = LossBatch(logits, None, torch.tensor([0]), torch.ones(1, dtype=torch.bool))
    build_dice_loss_v1(alpha=0.5)(batch).backward()
    assert logits.grad is not None and logits.grad.isfinite().all()


@pytest.mark.parametrize("settings", [{"alpha": -0.1}, {"smooth": 0.0}])
def test_settings_out_of_range(settings: dict) -> None:
    with pytest.raises(MtnlpError, match=r"E221.*DiceLoss"):
        build_dice_loss_v1(**settings)

"""Binary cross-entropy with a teacher's probabilities."""

import pytest
import torch

from mtnlp.losses.soft_binary_cross_entropy import soft_binary_cross_entropy

LOGITS = torch.tensor([[1.5, -0.5], [0.0, 3.0]], dtype=torch.float64)
TEACHER = torch.tensor([[0.9, 0.2], [0.5, 0.0]], dtype=torch.float64)


def test_exact_numbers() -> None:
    s = LOGITS.sigmoid()
    each = -(TEACHER * s.log() + (1 - TEACHER) * (1 - s).log())
    found = soft_binary_cross_entropy(LOGITS, TEACHER, torch.ones(2, 2))
    assert found.item() == pytest.approx(each.sum().item())
    weight = torch.tensor([[1.0, 0.0], [0.5, 2.0]])
    weighted = soft_binary_cross_entropy(LOGITS, TEACHER, weight)
    assert weighted.item() == pytest.approx((each * weight).sum().item())


def test_temperature() -> None:
    """The gradient is T · (sigmoid(z / T) - sigmoid(v / T)) for teacher's logits v."""
    logits = LOGITS.clone().requires_grad_()
    soft = (torch.tensor([[2.0, -1.0], [0.0, 1.0]], dtype=torch.float64) / 3).sigmoid()
    soft_binary_cross_entropy(logits, soft, torch.ones(2, 2), 3.0).backward()
    torch.testing.assert_close(logits.grad, 3 * ((LOGITS / 3).sigmoid() - soft))


def test_what_does_not_count_may_hold_anything() -> None:
    dirty, teacher = LOGITS.clone(), TEACHER.clone()
    dirty[1, 1] = teacher[1, 1] = torch.nan
    dirty[0, 1] = torch.inf
    dirty.requires_grad_()
    weight = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    loss = soft_binary_cross_entropy(dirty, teacher, weight, 2.0)
    loss.backward()
    clean = soft_binary_cross_entropy(LOGITS[:, :1], TEACHER[:, :1], weight[:, :1], 2.0)
    assert loss.detach() == clean
    assert dirty.grad is not None and not dirty.grad[:, 1].any() and dirty.grad[:, 0].any()
    nothing = soft_binary_cross_entropy(dirty, teacher, torch.zeros(2, 2))
    assert nothing == 0.0 and nothing.requires_grad


def test_half_precision_is_computed_in_float32() -> None:
    found = soft_binary_cross_entropy(LOGITS.bfloat16(), TEACHER.float(), torch.ones(2, 2))
    assert found.dtype == torch.float32

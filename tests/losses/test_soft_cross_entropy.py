"""Cross-entropy with a teacher's probabilities."""

import pytest
import torch

from mtnlp.losses.soft_cross_entropy import soft_cross_entropy

LOGITS = torch.tensor([[[2.0, 0.0, -1.0], [0.5, 0.5, 0.5]]], dtype=torch.float64)
TEACHER = torch.tensor([[[0.7, 0.2, 0.1], [0.0, 0.0, 1.0]]], dtype=torch.float64)


def test_exact_numbers() -> None:
    one, two = LOGITS[0].log_softmax(-1)
    first = -float(0.7 * one[0] + 0.2 * one[1] + 0.1 * one[2])
    both = soft_cross_entropy(LOGITS, TEACHER, torch.ones(1, 2))
    assert both.item() == pytest.approx(first - float(two[2]))
    weighted = soft_cross_entropy(LOGITS, TEACHER, torch.tensor([[0.5, 0.0]]))
    assert weighted.item() == pytest.approx(first / 2)
    # Units of any number of dimensions.
    flat = soft_cross_entropy(LOGITS[0], TEACHER[0], torch.ones(2))
    assert flat.item() == pytest.approx(both.item())


def test_one_hot_probabilities_are_classes() -> None:
    target = torch.tensor([2, 0])
    one_hot = torch.nn.functional.one_hot(target, 3)
    found = soft_cross_entropy(LOGITS[0], one_hot, torch.ones(2))
    expected = torch.nn.functional.cross_entropy(LOGITS[0], target, reduction="sum")
    torch.testing.assert_close(found, expected)


def test_temperature() -> None:
    """The gradient is T · (softmax(z / T) - softmax(v / T)) for teacher's logits v."""
    logits, temperature = LOGITS.clone().requires_grad_(), 4.0
    teacher = torch.tensor([[[0.3, 1.0, -2.0], [1.0, 0.0, 0.0]]], dtype=torch.float64)
    soft = (teacher / temperature).softmax(-1)
    loss = soft_cross_entropy(logits, soft, torch.ones(1, 2), temperature)
    loss.backward()
    expected = temperature * ((LOGITS / temperature).softmax(-1) - soft)
    torch.testing.assert_close(logits.grad, expected)
    plain = -(soft * (LOGITS / temperature).log_softmax(-1)).sum() * 16
    assert loss.item() == pytest.approx(plain.item())


def test_groups_are_added_up() -> None:
    groups, teacher = torch.tensor([0, 1, 0]), torch.tensor([[[0.4, 0.6], [1.0, 0.0]]])
    found = soft_cross_entropy(LOGITS, teacher, torch.ones(1, 2), 2.0, groups=groups)
    share = (LOGITS / 2).softmax(-1)[0]
    summed = torch.stack([share[:, 0] + share[:, 2], share[:, 1]], dim=1)
    expected = -4 * (teacher[0] * summed.log()).sum()
    torch.testing.assert_close(found, expected.double())
    same = soft_cross_entropy(LOGITS, TEACHER, torch.ones(1, 2), groups=torch.arange(3))
    assert same == soft_cross_entropy(LOGITS, TEACHER, torch.ones(1, 2))


def test_groups_far_apart_have_a_gradient() -> None:
    logits = torch.tensor([[800.0, 0.0, -800.0]], dtype=torch.float64).requires_grad_()
    teacher, groups = torch.tensor([[0.0, 1.0]]), torch.tensor([0, 1, 1])
    loss = soft_cross_entropy(logits, teacher, torch.ones(1), groups=groups)
    loss.backward()
    assert loss.item() == pytest.approx(800.0)
    torch.testing.assert_close(logits.grad, torch.tensor([[1.0, -1.0, 0.0]]).double())


def test_classes_that_the_teacher_does_not_know() -> None:
    """The others are compared as if they were all there are."""
    known = torch.tensor([[[True, False, True], [True, True, False]]])
    teacher = torch.tensor([[[0.25, 0.0, 0.75], [0.5, 0.5, 0.0]]], dtype=torch.float64)
    logits = LOGITS.clone().requires_grad_()
    found = soft_cross_entropy(logits, teacher, torch.ones(1, 2), known=known)
    one, two = LOGITS[0, 0, [0, 2]].log_softmax(-1), LOGITS[0, 1, :2].log_softmax(-1)
    expected = -(0.25 * one[0] + 0.75 * one[1] + two.mean())
    torch.testing.assert_close(found, expected)
    found.backward()
    assert logits.grad is not None
    assert not logits.grad[~known].any() and logits.grad[0, 0, 0] != 0


@pytest.mark.parametrize("settings", [{}, {"groups": torch.tensor([0, 1, 1])}, {"known": None}])
def test_what_does_not_count_may_hold_anything(settings: dict) -> None:
    size = 2 if "groups" in settings else 3
    if "known" in settings:
        settings = {"known": torch.tensor([[[True, True, True], [False, False, False]]])}
    teacher = torch.full((1, 2, size), torch.nan)
    teacher[0, 0] = 1 / size
    dirty = LOGITS.clone()
    dirty[0, 1] = torch.nan
    dirty.requires_grad_()
    weight = torch.tensor([[1.0, 0.0]])
    loss = soft_cross_entropy(dirty, teacher, weight, **settings)
    loss.backward()
    clean = soft_cross_entropy(LOGITS[:, :1], teacher[:, :1], weight[:, :1]) if size == 3 else None
    assert loss.isfinite() and (clean is None or loss.detach() == clean)
    assert dirty.grad is not None and not dirty.grad[0, 1].any() and dirty.grad[0, 0].any()
    nothing = soft_cross_entropy(dirty, teacher, torch.zeros(1, 2), **settings)
    assert nothing == 0.0 and nothing.requires_grad
    empty = soft_cross_entropy(torch.zeros(0, 3), torch.zeros(0, 3), torch.zeros(0))
    assert empty == 0.0


def test_gradcheck() -> None:
    groups = torch.tensor([1, 0, 1])
    teacher = torch.tensor([[[0.4, 0.6], [0.9, 0.1]]], dtype=torch.float64)
    weight = torch.tensor([[0.3, 2.0]], dtype=torch.float64)
    logits = LOGITS.clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: soft_cross_entropy(x, teacher, weight, 3.0, groups=groups), (logits,)
    )


def test_half_precision_is_computed_in_float32() -> None:
    found = soft_cross_entropy(LOGITS.bfloat16(), TEACHER.float(), torch.ones(1, 2))
    assert found.dtype == torch.float32

"""Weights of tasks against the formula they come from."""

from math import exp, log

import pytest
import torch

from mtnlp.nn.task_weighting import TaskWeighting

LOSSES = torch.tensor([6.0, 0.5])
UNITS = [4.0, 2.0]


def with_log_variances(*values: float) -> TaskWeighting:
    weighting = TaskWeighting([1.0] * len(values), learned=True)
    with torch.no_grad():
        for parameter, value in zip(weighting.log_variances or [], values, strict=True):
            parameter.fill_(value)
    return weighting


def test_fixed_weights() -> None:
    weighting = TaskWeighting([2.0, 0.5])
    assert weighting(LOSSES, UNITS).item() == 2.0 * 6.0 + 0.5 * 0.5
    assert weighting.factors() == [2.0, 0.5]
    assert not list(weighting.parameters()) and not weighting.state_dict()


def test_learned_weights_begin_as_ones() -> None:
    weighting = TaskWeighting([1.0, 1.0], learned=True)
    assert weighting(LOSSES, UNITS).item() == 6.5
    assert weighting.factors() == [1.0, 1.0]


def test_every_unit_counts_its_loss_and_half_the_log_variance() -> None:
    """Unit by unit, from the losses of six units."""
    s, t = 0.7, -1.3
    of_units = [(1.0, s), (2.0, s), (0.5, s), (2.5, s), (0.1, t), (0.4, t)]
    expected = sum(exp(-own) * loss + own / 2 for loss, own in of_units)
    weighting = with_log_variances(s, t)
    assert weighting(LOSSES, UNITS).item() == pytest.approx(expected)
    assert weighting.factors() == pytest.approx([exp(-s), exp(-t)])


def test_gradients() -> None:
    """By hand: of the loss exp(-s), of s: units / 2 - exp(-s) · loss."""
    s, t = 0.7, -1.3
    weighting = with_log_variances(s, t)
    losses = LOSSES.clone().requires_grad_()
    weighting(losses, UNITS).backward()
    assert losses.grad is not None
    assert losses.grad.tolist() == pytest.approx([exp(-s), exp(-t)])
    found = [float(parameter.grad) for parameter in weighting.parameters()]  # type: ignore[arg-type]
    assert found == pytest.approx([2 - 6 * exp(-s), 1 - 0.5 * exp(-t)])


def test_the_parts_of_a_batch_add_up() -> None:
    weighting = with_log_variances(0.7, -1.3)
    parts = [([4.0, 0.5], [1.0, 2.0]), ([2.0, 0.0], [3.0, 0.0])]
    total = sum(weighting(torch.tensor(losses), units).item() for losses, units in parts)
    assert total == pytest.approx(weighting(LOSSES, UNITS).item())


def test_a_task_that_is_absent_has_no_gradient() -> None:
    weighting = with_log_variances(0.7, -1.3)
    weighting(torch.tensor([3.0, 0.0]), [2.0, 0.0]).backward()
    present, absent = weighting.parameters()
    assert present.grad is not None and present.grad.any()
    assert absent.grad is not None and not absent.grad.any()


def test_where_it_ends() -> None:
    """At log(2 · mean loss), however many units a batch has."""
    weighting = TaskWeighting([1.0, 1.0], learned=True)
    optimizer = torch.optim.SGD(weighting.parameters(), lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        weighting(LOSSES, UNITS).backward()
        optimizer.step()
    found = [parameter.item() for parameter in weighting.parameters()]
    assert found == pytest.approx([log(2 * 6 / 4), log(2 * 0.5 / 2)], abs=1e-4)

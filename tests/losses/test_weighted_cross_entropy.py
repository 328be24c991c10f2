"""Class-weighted cross-entropy."""

import math

import pytest
import torch

from mtnlp.errors import MtnlpError
from mtnlp.losses.weighted_cross_entropy import build_weighted_cross_entropy_v1
from mtnlp.types import LossBatch


def make_batch() -> LossBatch:
    # softmax(ln 1, ln 2, ln 5) = 1/8, 2/8, 5/8.
    logits = torch.tensor([[1.0, 2.0, 5.0]] * 3).log()
    return LossBatch(logits, None, torch.tensor([0, 2, 1]), torch.tensor([True, True, False]))


def test_given_weights_by_hand() -> None:
    loss = build_weighted_cross_entropy_v1({"X": 3.0, "O": 0.5})
    loss.bind(["O", "B-X", "I-X"], 4)
    expected = 0.5 * math.log(8) + 3 * math.log(8 / 5)
    assert loss(make_batch()).item() == pytest.approx(expected)


def test_weights_from_counts_by_hand() -> None:
    loss = build_weighted_cross_entropy_v1()
    loss.bind(["A", "B", "C"], 4)
    loss.set_counts(torch.tensor([6, 2, 1]), torch.tensor([3, 7, 8]))
    expected = 9 / 18 * math.log(8) + 9 / 3 * math.log(8 / 5)
    assert loss(make_batch()).item() == pytest.approx(expected)


def test_the_training_data_costs_as_much_as_without_weights() -> None:
    """At a constant guess: the average unit weighs 1."""
    counts = torch.tensor([6, 2, 1])
    loss = build_weighted_cross_entropy_v1()
    loss.bind(["A", "B", "C"], 4)
    loss.set_counts(counts, 9 - counts)
    target = torch.arange(3).repeat_interleave(counts)
    batch = LossBatch(torch.zeros(9, 3), None, target, torch.ones(9, dtype=torch.bool))
    assert loss(batch).item() == pytest.approx(9 * math.log(3))


def test_it_needs_the_classes() -> None:
    with pytest.raises(MtnlpError, match="E215"):
        build_weighted_cross_entropy_v1()(make_batch())

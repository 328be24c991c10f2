"""Binary cross-entropy with weights a label."""

import math

import pytest
import torch

from mtnlp.errors import MtnlpError
from mtnlp.losses.weighted_binary_cross_entropy import build_weighted_binary_cross_entropy_v1
from mtnlp.types import LossBatch

# sigmoid(ln 3) = 3/4: a yes costs ln(4/3), a no ln 4.
YES, NO = math.log(4 / 3), math.log(4)


def make_batch() -> LossBatch:
    target = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    mask = torch.tensor([[True, True], [True, True], [False, False]])
    return LossBatch(torch.full((3, 2), math.log(3)), None, target, mask)


def test_given_weights_by_hand() -> None:
    loss = build_weighted_binary_cross_entropy_v1({"B": 5.0})
    loss.bind(["A", "B"], 4)
    assert loss(make_batch()).item() == pytest.approx(YES + 5 * YES + 2 * NO)
    pos_weight = torch.tensor([1.0, 5.0])
    rows = make_batch()
    theirs = torch.nn.BCEWithLogitsLoss(pos_weight=pos_weight, reduction="sum")
    assert loss(rows).item() == pytest.approx(theirs(rows.logits[:2], rows.target[:2]).item())


def test_weights_from_counts_by_hand() -> None:
    loss = build_weighted_binary_cross_entropy_v1()
    loss.bind(["A", "B"], 4)
    loss.set_counts(torch.tensor([6, 1]), torch.tensor([2, 7]))
    expected = 8 / 12 * YES + 8 / 4 * NO + 8 / 14 * NO + 8 / 2 * YES
    assert loss(make_batch()).item() == pytest.approx(expected)


def test_it_needs_the_labels() -> None:
    with pytest.raises(MtnlpError, match="E215"):
        build_weighted_binary_cross_entropy_v1()(make_batch())

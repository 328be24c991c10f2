"""Label smoothing."""

import math

import pytest
import torch

from mtnlp.errors import MtnlpError
from mtnlp.losses.binary_cross_entropy import build_binary_cross_entropy_v1
from mtnlp.losses.cross_entropy import build_cross_entropy_v1
from mtnlp.losses.label_smoothing import build_label_smoothing_v1
from mtnlp.types import LossBatch


def class_batch() -> LossBatch:
    torch.manual_seed(0)
    return LossBatch(torch.randn(5, 3), None, torch.tensor([0, 2, 1, 1, 0]), torch.arange(5) < 4)


def label_batch() -> LossBatch:
    torch.manual_seed(0)
    return LossBatch(torch.randn(5, 3), None, torch.rand(5, 3).round(), torch.arange(5) < 4)


def test_by_hand() -> None:
    # softmax(ln 1, ln 3) = 1/4, 3/4; the targets of class 0 are 0.8 + 0.1 and 0.1.
    logits = torch.tensor([[1.0, 3.0]]).log()
    batch = LossBatch(logits, None, torch.tensor([0]), torch.ones(1, dtype=torch.bool))
    expected = 0.9 * math.log(4) + 0.1 * math.log(4 / 3)
    assert build_label_smoothing_v1(0.2)(batch).item() == pytest.approx(expected)


def test_labels_by_hand() -> None:
    # sigmoid(ln 3) = 3/4; the target of a yes is 0.9.
    logits = torch.full((1, 1), math.log(3))
    batch = LossBatch(logits, None, torch.ones(1, 1), torch.ones(1, 1, dtype=torch.bool))
    expected = 0.9 * math.log(4 / 3) + 0.1 * math.log(4)
    assert build_label_smoothing_v1(0.2)(batch).item() == pytest.approx(expected)


def test_against_torch() -> None:
    batch = class_batch()
    theirs = torch.nn.CrossEntropyLoss(label_smoothing=0.3, reduction="sum")
    expected = theirs(batch.logits[:4], batch.target[:4])
    torch.testing.assert_close(build_label_smoothing_v1(0.3)(batch), expected)


def test_none_is_cross_entropy() -> None:
    loss = build_label_smoothing_v1(0.0)
    torch.testing.assert_close(loss(class_batch()), build_cross_entropy_v1()(class_batch()))
    torch.testing.assert_close(loss(label_batch()), build_binary_cross_entropy_v1()(label_batch()))


@pytest.mark.parametrize("smoothing", [-0.1, 1.1])
def test_shares_out_of_range(smoothing: float) -> None:
    with pytest.raises(MtnlpError, match=r"E221.*LabelSmoothing"):
        build_label_smoothing_v1(smoothing)

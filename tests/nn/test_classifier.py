"""The classifying head."""

import math

import pytest
import torch

from mtnlp.errors import MtnlpError
from mtnlp.nn.classifier import Classifier
from mtnlp.types import LossBatch

TASKS = {
    "sentiment": {"labels": ["negative", "positive"], "exclusive": True},
    "event": {"labels": ["A", "B", "C"], "exclusive": False},
}
YES, NO = True, False
MASK = torch.tensor([[YES, YES, NO, NO, NO], [NO, NO, YES, YES, NO], [NO, NO, NO, NO, NO]])
TARGET = torch.tensor(
    [[0.0, 1.0, math.nan, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0, math.nan], [math.inf] * 5]
)


def test_loss_by_hand() -> None:
    head = Classifier(4, TASKS)
    # softmax(ln 1, ln 3) = 1/4, 3/4; sigmoid(ln 3) = 3/4, averaged over the task's three labels.
    logits = torch.tensor([[0.0] + [math.log(3)] * 4]).repeat(3, 1)
    loss = head.loss(LossBatch(logits, None, TARGET, MASK))
    expected = math.log(4 / 3) + (math.log(4 / 3) + math.log(4)) / 3
    assert loss.item() == pytest.approx(expected)


def test_masked_labels_change_nothing() -> None:
    torch.manual_seed(0)
    head = Classifier(4, TASKS)
    logits = torch.randn(3, 5).masked_fill(~MASK, math.nan).requires_grad_()
    loss = head.loss(LossBatch(logits, None, TARGET, MASK))
    loss.backward()
    assert loss.isfinite() and logits.grad is not None
    assert not logits.grad[~MASK].any() and logits.grad[MASK].all()


def test_exclusive_rows_without_a_gold_class_are_left_out() -> None:
    head = Classifier(4, TASKS)
    target = torch.tensor([[0.0, 0.0, 0, 0, 0], [1.0, 0.0, 0, 0, 0]])
    mask = torch.tensor([[YES, YES, NO, NO, NO], [YES, NO, NO, NO, NO]])
    logits = torch.randn(2, 5, requires_grad=True)
    loss = head.loss(LossBatch(logits, None, target, mask))
    loss.backward()
    assert loss.item() == 0.0
    assert logits.grad is not None and not logits.grad.any()


def test_forward_and_decode() -> None:
    torch.manual_seed(0)
    head = Classifier(4, TASKS, hidden=6).eval()
    output = head(torch.randn(3, 4))
    assert output.scores.shape == (3, 5) and output.features.shape == (3, 6)
    probabilities = head.decode(output.scores)
    torch.testing.assert_close(probabilities[:, :2].sum(1), torch.ones(3))
    torch.testing.assert_close(probabilities[:, 2:], output.scores[:, 2:].sigmoid())
    assert head.decode(output.scores[:0]).shape == (0, 5)


def test_losses_are_chosen() -> None:
    class Rows(torch.nn.Module):
        def forward(self, batch: LossBatch) -> torch.Tensor:
            return batch.mask.sum() + 0.0 * batch.logits.sum()

    head = Classifier(4, TASKS, loss_exclusive=Rows(), loss_multilabel=Rows())
    loss = head.loss(LossBatch(torch.zeros(3, 5), None, TARGET, MASK))
    assert loss.item() == pytest.approx(1 + 2 / 3)


def test_tasks_need_labels() -> None:
    with pytest.raises(MtnlpError, match=r"E214.*'mood'"):
        Classifier(4, {"mood": {"labels": [], "exclusive": True}})

"""What heads learn from a teacher's probabilities."""

from typing import Any

import pytest
import torch

from mtnlp.nn.classifier import Classifier
from mtnlp.nn.span_tagger import SpanTagger
from mtnlp.nn.taggers import CRFTagger, SoftmaxTagger
from mtnlp.types import SoftBatch

TAGS = torch.tensor([[[0.9, 0.1, 0.0], [0.2, 0.3, 0.5]]])
REAL = torch.ones(1, 2, dtype=torch.bool)


def logits(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(*shape, generator=generator).requires_grad_()


def test_a_softmax_tagger() -> None:
    """Every token by itself; groups and weights too."""
    head, scores = SoftmaxTagger(4, ["A"]), logits(1, 2, 3)
    weight = torch.tensor([[1.0, 0.5]])
    batch = SoftBatch(scores, TAGS, REAL, weight, torch.tensor([0, 2, 1]))
    share = scores.log_softmax(-1)[0][:, [0, 2, 1]]
    expected = -(TAGS[0] * share * weight.view(2, 1)).sum()
    torch.testing.assert_close(head.soft_loss(batch), expected)


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_a_crf_without_transitions_does_the_same(temperature: float) -> None:
    """But for what no tagging may have: I-A before B-A."""
    head, scores = CRFTagger(4, ["A"]), logits(1, 1, 3)
    weight, one = torch.tensor([[0.5]]), REAL[:, :1]
    batch = SoftBatch(scores, TAGS[:, :1], one, weight, torch.arange(3), temperature)
    share = (scores[0, 0, :2] / temperature).log_softmax(-1)
    expected = -(TAGS[0, 0, :2] * share).sum() * 0.5 * temperature**2
    torch.testing.assert_close(head.soft_loss(batch), expected)


def test_what_a_crf_cannot_say_counts_for_nothing() -> None:
    """A tagger without a CRF may teach I-A at the first token."""
    head, scores = CRFTagger(4, ["A"]), logits(1, 2, 3)
    illegal = torch.tensor([[[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]])
    batch = SoftBatch(scores, illegal, REAL, torch.ones(1, 2), torch.arange(3))
    loss = head.soft_loss(batch)
    loss.backward()
    assert loss == 0.0 and scores.grad is not None and not scores.grad.any()
    batch.target = TAGS
    head.soft_loss(batch).backward()
    assert scores.grad.any() and scores.grad.isfinite().all()
    learnt = head.crf.transitions.grad
    assert learnt is not None and learnt.any() and not learnt[0, 2]


def test_spans() -> None:
    scores, groups = logits(1, 2, 2, 3), torch.tensor([0, 1, 0])
    weight = torch.tensor([[[1.0, 1.0], [0.5, 0.0]]])
    exclusive = SpanTagger(4, ["A", "B"], max_width=2)
    teacher = torch.full((1, 2, 2, 2), 0.5)
    found = exclusive.soft_loss(SoftBatch(scores, teacher, weight > 0, weight, groups, 2.0))
    share = (scores / 2).softmax(-1)
    each = -0.5 * ((share[..., 0] + share[..., 2]).log() + share[..., 1].log())
    torch.testing.assert_close(found, 4 * (each * weight).sum())
    apart = SpanTagger(4, ["A", "B", "C"], max_width=2, exclusive=False)
    yes = torch.full(scores.shape, 0.25)
    labels = weight.unsqueeze(-1).expand(scores.shape)
    found = apart.soft_loss(SoftBatch(scores, yes, labels > 0, labels))
    each = -(0.25 * scores.sigmoid().log() + 0.75 * (-scores).sigmoid().log())
    torch.testing.assert_close(found, (each * labels).sum())


def test_categories() -> None:
    """The mean over the labels of a multi-label task; of an exclusive one those that are known."""
    tasks: Any = {
        "a": {"labels": ["x", "y", "z"], "exclusive": True},
        "b": {"labels": ["u", "v"], "exclusive": False},
    }
    scores = logits(1, 5)
    teacher = torch.tensor([[0.25, 0.75, 0.0, 0.5, 0.1]])
    mask = torch.tensor([[True, True, False, True, False]])
    weight = torch.tensor([[0.5, 0.5, 0.5, 1.0, 0.0]])
    one, other = Classifier(4, tasks).soft_losses(SoftBatch(scores, teacher, mask, weight))
    share = scores[0, :2].log_softmax(0)
    torch.testing.assert_close(one, -0.5 * (0.25 * share[0] + 0.75 * share[1]))
    sure = (
        torch.nn.functional.logsigmoid(scores[0, 3]),
        torch.nn.functional.logsigmoid(-scores[0, 3]),
    )
    torch.testing.assert_close(other, -(sure[0] + sure[1]) / 2 / 2)

"""The likelihood of partial labels, alone and in the losses of heads: against sums by hand."""

import torch

from mtnlp.losses.partial import partial_nll, sole_class
from mtnlp.nn.classifier import Classifier
from mtnlp.nn.span_tagger import SpanTagger
from mtnlp.nn.taggers import CRFTagger, SoftmaxTagger
from mtnlp.types import LossBatch


def some_logits(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)


ALLOWED = torch.tensor(
    [[True, True, False], [True, False, False], [True, True, True], [False, True, True]]
)
MASK = torch.tensor([True, True, True, True])


def test_against_probabilities() -> None:
    logits = some_logits(4, 3)
    p = logits.softmax(-1)
    expected = -(p[0, 0] + p[0, 1]).log() - (p[3, 1] + p[3, 2]).log()
    torch.testing.assert_close(partial_nll(logits, ALLOWED, MASK), expected)
    mask = torch.tensor([False, True, True, True])
    expected = -(p[3, 1] + p[3, 2]).log()
    with torch.no_grad():
        logits[0] = torch.nan
    found = partial_nll(logits, ALLOWED, mask)
    torch.testing.assert_close(found, -(logits[3].softmax(-1)[1:].sum()).log())
    found.backward()
    assert logits.grad is not None and not logits.grad[0].any() and logits.grad[3].any()
    assert partial_nll(logits, ALLOWED, mask & False).item() == 0.0
    assert sole_class(ALLOWED)[1].tolist() == [False, True, False, False]


def test_gradient() -> None:
    logits = some_logits(4, 3)
    assert torch.autograd.gradcheck(lambda x: partial_nll(x, ALLOWED, MASK), logits)


def test_softmax_tagger() -> None:
    """A token that is known to have no tag of one label counts; one that only cannot go on with an
    entity does not, as ever."""
    head = SoftmaxTagger(4, ["A", "B"])
    target = torch.ones(1, 3, 5, dtype=torch.bool)
    target[0, 0, 1:3] = False  # no A
    target[0, 1, 2] = False  # not I-A
    target[0, 2] = torch.tensor([True, False, False, False, False])
    logits = some_logits(1, 3, 5)
    batch = LossBatch(logits, None, target, torch.ones(1, 3, dtype=torch.bool))
    p = logits[0].softmax(-1)
    expected = -(1 - p[0, 1] - p[0, 2]).log() - p[2, 0].log()
    torch.testing.assert_close(head.loss(batch), expected)
    # The likelihood of a CRF has it in it; without transitions it is the same sum, but for the
    # sequences that the scheme forbids.
    crf = CRFTagger(4, ["A", "B"]).double()
    loss = crf.loss(batch)
    torch.testing.assert_close(loss, crf.crf.nll(logits, target, batch.mask).sum())


def test_spans() -> None:
    head = SpanTagger(4, ["A", "B"], max_width=1)
    logits = some_logits(1, 3, 1, 3)
    target = torch.tensor([[True, False, True], [False, True, False], [True, True, True]])
    batch = LossBatch(logits, None, target.view(1, 3, 1, 3), torch.ones(1, 3, 1, dtype=torch.bool))
    p = logits[0, :, 0].softmax(-1)
    expected = -(1 - p[0, 1]).log() - p[1, 1].log()
    torch.testing.assert_close(head.loss(batch), expected)
    assert head.count(batch.target, batch.mask).tolist() == [[0, 1, 0], [1, 0, 1]]
    torch.testing.assert_close(head.nll(batch, 1.0), -p[1, 1].log())
    several = SpanTagger(4, ["A", "B"], max_width=1, exclusive=False)
    indicators = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]], [[0.0, 0.0]]]).unsqueeze(0)
    mask = torch.tensor([[[True, False]], [[True, True]], [[False, True]]]).unsqueeze(0)
    counts = several.count(indicators, mask)
    assert counts.tolist() == [[1, 1], [1, 1]]


def test_exclusive_categories() -> None:
    tasks = {"topic": {"labels": ["a", "b", "c"], "exclusive": True}}
    head = Classifier(4, tasks)
    logits = some_logits(2, 3)
    target = torch.tensor([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    mask = torch.tensor([[True, False, False], [True, True, True]])
    (loss,) = head.task_losses(LossBatch(logits, None, target, mask))
    p = logits.softmax(-1)
    torch.testing.assert_close(loss, -(1 - p[0, 0]).log() - p[1, 1].log())

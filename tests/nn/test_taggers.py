"""The tagging heads: training, decoding, probabilities."""

from typing import List, Type, Union

import pytest
import torch

from mtnlp.losses.contrastive import build_contrastive_loss_v1
from mtnlp.nn.taggers import CRFTagger, SoftmaxTagger
from mtnlp.types import LossBatch
from tests.structured.problems import encode

LABELS = ["PER", "ORG"]
WORDS = ["Ann", "Lee", "of", "Big", "Co", "spoke"]
SPANS = [[(0, 2, "PER"), (3, 5, "ORG")], [(0, 1, "ORG")]]
LENGTHS = [6, 3]
Tagger = Union[CRFTagger, SoftmaxTagger]
HEADS = pytest.mark.parametrize("head_type", [CRFTagger, SoftmaxTagger])
SCHEMES = pytest.mark.parametrize("scheme", ["bio", "biluo"])


def make_inputs() -> tuple:
    torch.manual_seed(0)
    return torch.randn(2, 6, 8), torch.arange(6) < torch.tensor(LENGTHS).unsqueeze(1)


def make_target(head: Tagger, missing: torch.Tensor) -> torch.Tensor:
    names = head.scheme.tags(LABELS)
    tags = torch.zeros(2, 6, dtype=torch.int64)
    for row, spans in enumerate(SPANS):
        encoded = encode(head.scheme, spans, LENGTHS[row])
        tags[row, : LENGTHS[row]] = torch.tensor([names.index(tag) for tag in encoded])
    return head.scheme.refine(tags, missing, LABELS)


def entities(spans: torch.Tensor) -> List[List[tuple]]:
    found: List[List[tuple]] = [[], []]
    for doc, start, end, label in spans.tolist():
        found[doc].append((start, end, LABELS[label]))
    return found


@HEADS
@SCHEMES
def test_learns(head_type: Type[Tagger], scheme: str) -> None:
    torch.manual_seed(0)
    head = head_type(8, LABELS, scheme, hidden=16, dropout=0.1)
    inputs, mask = make_inputs()
    target = make_target(head, torch.zeros_like(mask))
    optimizer = torch.optim.Adam(head.parameters(), lr=0.05)
    for _ in range(60):
        optimizer.zero_grad()
        output = head(inputs, mask)
        loss = head.loss(LossBatch(output.scores, output.features, target, mask))
        loss.backward()
        optimizer.step()
    head.eval()
    output = head(inputs, mask)
    assert output.features.shape == (2, 6, 16)
    spans, probabilities = head.decode(output.scores, mask)
    assert entities(spans) == SPANS
    assert probabilities.shape == (3,) and not probabilities.requires_grad
    assert (probabilities > 0.9).all() and (probabilities <= 1).all()


@HEADS
@SCHEMES
def test_missing_tokens_train_nothing(head_type: Type[Tagger], scheme: str) -> None:
    torch.manual_seed(0)
    head = head_type(8, LABELS, scheme)
    inputs, mask = make_inputs()
    inputs.requires_grad_()
    output = head(inputs, mask)
    target = make_target(head, torch.ones_like(mask))
    loss = head.loss(LossBatch(output.scores, output.features, target, mask))
    loss.backward()
    assert loss.item() == 0.0
    assert inputs.grad is not None and inputs.grad.abs().max() < 1e-6


@HEADS
def test_padding_is_ignored(head_type: Type[Tagger]) -> None:
    torch.manual_seed(0)
    head = head_type(8, LABELS)
    inputs, mask = make_inputs()
    target = make_target(head, torch.zeros_like(mask))
    scores = head(inputs, mask).scores.detach()
    spoiled = scores.masked_fill(~mask.unsqueeze(-1), torch.nan)
    losses = [head.loss(LossBatch(x, None, target, mask)) for x in (scores, spoiled)]
    assert torch.equal(*losses)
    for ours, other in zip(head.decode(scores, mask), head.decode(spoiled, mask), strict=True):
        assert torch.equal(ours, other)


@HEADS
@pytest.mark.parametrize("shape", [(0, 4), (2, 0), (2, 4)])
def test_empty_batches(head_type: Type[Tagger], shape: tuple) -> None:
    head = head_type(8, LABELS, "biluo")
    mask = torch.zeros(shape, dtype=torch.bool)
    output = head(torch.zeros(*shape, 8), mask)
    target = torch.ones_like(output.scores, dtype=torch.bool)
    loss = head.loss(LossBatch(output.scores, output.features, target, mask))
    loss.backward()
    spans, probabilities = head.decode(output.scores, mask)
    assert loss.item() == 0.0
    assert spans.shape == (0, 4) and probabilities.shape == (0,)


def test_crf_probability_is_that_of_the_entity() -> None:
    """Two tokens, one label: the nine tag sequences by hand, with zero transitions."""
    head = CRFTagger(3, ["X"])
    scores = torch.tensor([[[0.0, 2.0, 0.5], [0.3, 0.1, 1.0]]])
    spans, probability = head.decode(scores, torch.ones(1, 2, dtype=torch.bool))
    assert spans.tolist() == [[0, 0, 2, 0]]
    weights = scores[0].exp().tolist()
    (o, b, _), (o2, b2, i2) = weights
    legal = o * o2 + o * b2 + b * o2 + b * b2 + b * i2
    assert probability.item() == pytest.approx(b * i2 / legal, rel=1e-5)


def test_softmax_probability_is_the_least_of_its_tokens() -> None:
    head = SoftmaxTagger(3, ["X"])
    scores = torch.tensor([[[0.0, 2.0, 0.5], [0.3, 0.1, 1.0], [5.0, 0.0, 0.0], [0.0, 0.0, 1.0]]])
    spans, probability = head.decode(scores, torch.ones(1, 4, dtype=torch.bool))
    assert spans.tolist() == [[0, 0, 2, 0], [0, 3, 4, 0]]  # the lone I-X opens an entity
    softmax = scores[0].softmax(-1)
    expected = torch.stack([torch.min(softmax[0, 1], softmax[1, 2]), softmax[3, 2]])
    torch.testing.assert_close(probability, expected)


def test_softmax_tagger_takes_any_loss() -> None:
    class Count(torch.nn.Module):
        def forward(self, batch: LossBatch) -> torch.Tensor:
            return batch.target[batch.mask].sum() + 0.0 * batch.logits.sum()

    head = SoftmaxTagger(8, LABELS, loss=Count())
    inputs, mask = make_inputs()
    missing = torch.zeros_like(mask)
    missing[0, 0] = True
    output = head(inputs, mask)
    batch = LossBatch(output.scores, None, make_target(head, missing), mask)
    # I-PER, B-ORG, I-ORG, and in the second row B-ORG; B-PER is missing.
    assert head.loss(batch).item() == 2 + 3 + 4 + 3


@HEADS
def test_tokens_are_scored_alone(head_type: Type[Tagger]) -> None:
    """In one row, without padding, they have the scores that they have in their texts."""
    head = head_type(8, LABELS, hidden=16, dropout=0.1).eval()
    inputs, mask = make_inputs()
    assert head.is_per_token
    alone = head(inputs[mask].unsqueeze(0), torch.ones(1, int(mask.sum()), dtype=torch.bool))
    assert torch.allclose(alone.scores[0], head(inputs, mask).scores[mask], atol=1e-6)


@HEADS
def test_a_loss_on_features_gets_them(head_type: Type[Tagger]) -> None:
    assert not head_type(8, LABELS, loss=build_contrastive_loss_v1()).is_per_token

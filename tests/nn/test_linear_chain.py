"""The CRF layer: legality."""

import copy
import itertools
import pickle

import pytest
import torch

from mtnlp.errors import MtnlpError
from mtnlp.nn import linear_chain
from mtnlp.nn.linear_chain import ILLEGAL, LinearChainCRF
from tests.structured.problems import marginals

LABELS = ["X", "Y", "Z"]
SCHEMES = ["bio", "biluo"]


def make_layer(scheme: str) -> LinearChainCRF:
    """A layer whose parameters all favour what the scheme forbids."""
    torch.manual_seed(0)
    layer = LinearChainCRF(LABELS, scheme)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(std=3.0)
        layer.transitions += 50.0 * ~layer.legal_transitions
        layer.start += 50.0 * ~layer.legal_start
        layer.end += 50.0 * ~layer.legal_end
    return layer


def make_batch(layer: LinearChainCRF, size: float = 5.0) -> tuple:
    torch.manual_seed(1)
    mask = torch.arange(20) < torch.randint(0, 21, (30, 1))
    return size * torch.randn(30, 20, len(layer.start)), mask


@pytest.mark.parametrize("size", [1.0, 1e6])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_illegal_transitions_are_never_decoded(scheme: str, size: float) -> None:
    layer = make_layer(scheme)
    emissions, mask = make_batch(layer, size)
    tags = layer.decode(emissions, mask)
    for row, real in zip(tags, mask, strict=True):
        path = row[real].tolist()
        if path:
            assert layer.legal_start[path[0]] and layer.legal_end[path[-1]]
        assert all(layer.legal_transitions[a, b] for a, b in itertools.pairwise(path))
    spans = layer.scheme.spans(tags, mask)
    assert len(spans) > 20
    spelled = torch.zeros_like(tags)
    for (doc, start, end, _), first, inside, last in zip(
        spans.tolist(), *(part.tolist() for part in layer.scheme.path(spans)), strict=True
    ):
        spelled[doc, start:end] = inside
        spelled[doc, end - 1] = last
        spelled[doc, start] = first
    assert torch.equal(spelled, tags)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_illegal_scores_are_never_learnt(scheme: str) -> None:
    layer = make_layer(scheme)
    emissions, mask = make_batch(layer)
    allowed = torch.rand(emissions.shape) < 0.5  # contradicts the scheme in places
    layer.nll(emissions, allowed, mask).sum().backward()
    for parameter, legal in (
        (layer.transitions, layer.legal_transitions),
        (layer.start, layer.legal_start),
        (layer.end, layer.legal_end),
    ):
        assert parameter.grad is not None and parameter.grad.isfinite().all()
        assert not parameter.grad[~legal].any() and parameter.grad[legal].any()


def test_contradictory_gold_costs_much_but_not_infinitely() -> None:
    layer = make_layer("bio")
    emissions = torch.zeros(1, 2, 7, requires_grad=True)
    gold = torch.nn.functional.one_hot(torch.tensor([[0, 2]]), 7).bool()  # O, I-X
    loss = layer.nll(emissions, gold, torch.ones(1, 2, dtype=torch.bool))
    loss.backward()
    assert loss.item() == pytest.approx(-ILLEGAL, rel=0.01)
    assert emissions.grad is not None and emissions.grad.isfinite().all()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_span_probabilities_agree_with_marginals(scheme: str) -> None:
    layer = make_layer(scheme)
    emissions, mask = make_batch(layer, 1.0)
    probabilities = marginals(emissions, *layer._scores(-torch.inf), mask).double()
    width = 20
    starts, ends = torch.triu_indices(width, width)
    docs = torch.arange(len(mask)).repeat_interleave(len(starts))
    starts, ends = starts.repeat(len(mask)), ends.repeat(len(mask)) + 1
    keep = ends <= mask.sum(1)[docs]
    spans = torch.stack([docs, starts, ends, torch.ones_like(docs)], 1)[keep]
    found = layer.span_probabilities(emissions, mask, spans).double()
    # Every entity of label Y begins somewhere: with B, or with U.
    n_prefixes = len(layer.scheme.prefixes)
    begins = [
        1 + n_prefixes + i for i, prefix in enumerate(layer.scheme.prefixes) if prefix in "BU"
    ]
    expected = probabilities[..., begins].sum(-1)
    total = torch.zeros_like(expected).index_put((spans[:, 0], spans[:, 1]), found, accumulate=True)
    torch.testing.assert_close(total, expected, atol=1e-4, rtol=0)


def test_copies_and_state() -> None:
    layer = make_layer("biluo")
    assert set(layer.state_dict()) == {"transitions", "start", "end"}
    emissions, mask = make_batch(layer)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other.decode(emissions, mask), layer.decode(emissions, mask))


def test_unknown_scheme() -> None:
    with pytest.raises(MtnlpError, match="E210"):
        LinearChainCRF(LABELS, "bioes")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("temperature", [1.0, 2.5])
@pytest.mark.parametrize("with_space", [False, True])
def test_small_batches_have_the_same_entities(
    monkeypatch: pytest.MonkeyPatch, scheme: str, temperature: float, with_space: bool
) -> None:
    layer = make_layer(scheme)
    emissions, mask = make_batch(layer, 2.0)
    emissions[~mask] = torch.nan
    space = (torch.rand(mask.shape) < 0.2) & mask if with_space else None
    spans, each = layer.find_entities(emissions, mask, temperature, space)
    assert len(spans) > 10
    monkeypatch.setattr(linear_chain, "SMALL_BATCH", -1)
    monkeypatch.setattr(linear_chain, "find_entities", None)
    wanted, probabilities = layer.find_entities(emissions, mask, temperature, space)
    assert torch.equal(spans, wanted) and each.dtype == probabilities.dtype
    torch.testing.assert_close(each, probabilities, atol=1e-6, rtol=0)


@pytest.mark.parametrize("shape", [(0, 0), (2, 0), (2, 3)])
def test_nothing_is_found_in_empty_texts(shape: tuple) -> None:
    layer = make_layer("bio")
    emissions, mask = torch.zeros(*shape, len(layer.start)), torch.zeros(shape, dtype=torch.bool)
    spans, each = layer.find_entities(emissions, mask)
    assert spans.shape == (0, 4) and each.shape == (0,)

"""Temperatures and n-best readings of the heads."""

from itertools import pairwise, product
from typing import Any, List, Tuple

import pytest
import torch

from mtnlp.errors import MtnlpError
from mtnlp.nn.span_tagger import SpanTagger
from mtnlp.nn.taggers import CRFTagger, SoftmaxTagger
from mtnlp.nn.temperature import scale_by_temperature
from mtnlp.structured.span_enumeration import span_mask
from mtnlp.types import LossBatch
from tests.structured.problems import encode

LABELS = ["X", "Y"]
SCHEMES = pytest.mark.parametrize("scheme", ["bio", "biluo"])


def make_crf(scheme: str = "bio") -> CRFTagger:
    """With transitions that matter."""
    torch.manual_seed(1)
    head = CRFTagger(8, LABELS, scheme)
    for parameter in head.crf.parameters():
        torch.nn.init.normal_(parameter)
    return head


def make_scores(head: Any, lengths: Tuple[int, ...] = (4, 2, 0)) -> Tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)
    return 2 * torch.randn(*mask.shape, len(head.scheme.tags(LABELS))), mask


def legal_sequences(head: CRFTagger, length: int) -> List[Tuple[int, ...]]:
    crf = head.crf
    return [
        path
        for path in product(range(len(crf.start)), repeat=length)
        if crf.legal_start[path[0]]
        and crf.legal_end[path[-1]]
        and all(crf.legal_transitions[a, b] for a, b in pairwise(path))
    ]


def log_weights(
    head: CRFTagger, scores: torch.Tensor, paths: List[Tuple[int, ...]], temperature: float
) -> torch.Tensor:
    """The score of each sequence of one text, divided as a whole, less the log of their sum."""
    crf, found = head.crf, []
    for path in paths:
        score = crf.start[path[0]] + crf.end[path[-1]] + scores[range(len(path)), path].sum()
        score = score + sum(crf.transitions[a, b] for a, b in pairwise(path))
        found.append(score.double() / temperature)
    return torch.stack(found).log_softmax(0).detach()


@SCHEMES
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_crf_posteriors_are_of_the_divided_scores(scheme: str, temperature: float) -> None:
    head = make_crf(scheme)
    scores, mask = make_scores(head)
    spans, probability = head.decode(scores, mask, temperature)
    assert len(spans) and torch.equal(spans, head.decode(scores, mask)[0])
    for row, length in enumerate((4, 2)):
        paths = legal_sequences(head, length)
        weight = log_weights(head, scores[row], paths, temperature).exp()
        tags = torch.tensor(paths)
        decoded = head.scheme.spans(tags, torch.ones_like(tags, dtype=torch.bool)).tolist()
        for span, found in zip(spans.tolist(), probability.tolist(), strict=True):
            if span[0] == row:
                holders = [path for path, *entity in decoded if entity == span[1:]]
                assert found == pytest.approx(float(weight[holders].sum()), rel=1e-4)


@SCHEMES
def test_crf_nll_of_the_gold(scheme: str) -> None:
    """Known tags, missing ones, and both, under the divided scores of legal sequences alone."""
    head = make_crf(scheme)
    scores, mask = make_scores(head)
    allowed = torch.ones_like(scores, dtype=torch.bool)
    tags = encode(head.scheme, [(1, 3, "Y")], 4)
    names = head.scheme.tags(LABELS)
    for t in (0, 1, 2):  # the last tag is missing
        allowed[0, t] = torch.tensor([name == tags[t] for name in names])
    loss = float(head.nll(LossBatch(scores, None, allowed, mask), 2.0))
    paths = legal_sequences(head, 4)
    weight = log_weights(head, scores[0], paths, 2.0)
    held = [
        i for i, path in enumerate(paths) if all(allowed[0, t, tag] for t, tag in enumerate(path))
    ]
    assert len(held) > 1
    assert loss == pytest.approx(-float(weight[held].logsumexp(0)), rel=1e-4)


def test_training_does_not_know_the_temperature() -> None:
    """The loss trained on is the NLL at a temperature of 1."""
    for head in (make_crf(), SoftmaxTagger(8, LABELS)):
        scores, mask = make_scores(head)
        target = torch.nn.functional.one_hot(torch.zeros_like(mask, dtype=torch.long), 5).bool()
        batch = LossBatch(scores, scores, target, mask)
        assert head.loss(batch).item() == pytest.approx(float(head.nll(batch, 1.0)), rel=1e-5)
        assert head.loss(batch).item() != pytest.approx(float(head.nll(batch, 2.0)), rel=1e-2)


def test_softmax_tagger() -> None:
    head = SoftmaxTagger(8, LABELS)
    scores, mask = make_scores(head)
    spans, probability = head.decode(scores, mask, 2.0)
    assert len(spans) and torch.equal(spans, head.decode(scores, mask)[0])
    each = (scores / 2).softmax(-1).amax(-1)
    expected = [float(each[row, start:end].min()) for row, start, end, _ in spans.tolist()]
    assert probability.tolist() == pytest.approx(expected)
    target = torch.ones_like(scores, dtype=torch.bool)
    target[0, 1] = torch.tensor([False, True, False, False, False])  # the only known tag
    loss = head.nll(LossBatch(scores, None, target, mask), 2.0)
    assert float(loss) == pytest.approx(-float((scores[0, 1] / 2).log_softmax(-1)[1]), rel=1e-5)


@pytest.mark.parametrize("exclusive", [True, False])
def test_span_tagger(exclusive: bool) -> None:
    torch.manual_seed(0)
    head = SpanTagger(8, LABELS, max_width=3, exclusive=exclusive)
    inputs, mask = torch.randn(2, 5, 8), torch.arange(5) < torch.tensor([[5], [2]])
    scores = 3 * head(inputs, mask).scores.detach()
    spans, probability = head.decode(scores, mask, "all", 0.0, 2.0)
    row, start, end, label = spans.unbind(1)
    halved = scores[row, start, end - start - 1] / 2
    each = halved.softmax(-1)[:, 1:] if exclusive else halved.sigmoid()
    torch.testing.assert_close(probability, each.gather(1, label.unsqueeze(1)).squeeze(1))
    # The threshold is of the probability that is shown.
    kept, sure = head.decode(scores, mask, "all", 0.6, 2.0)
    assert len(kept) == int((probability >= 0.6).sum()) and (sure >= 0.6).all()

    places = span_mask(mask, head.max_width)
    target = torch.zeros(places.shape, dtype=torch.long)
    if not exclusive:
        target = torch.zeros(*places.shape, 2)
    loss = float(head.nll(LossBatch(scores, None, target, places), 2.0))
    none = (scores / 2)[places]
    expected = -none.log_softmax(-1)[:, 0] if exclusive else -torch.log1p(-none.sigmoid())
    assert loss == pytest.approx(float(expected.sum()), rel=1e-4)


def test_chunks_have_the_temperature_too() -> None:
    torch.manual_seed(0)
    head = SpanTagger(8, LABELS, max_width=3, chunk_size=2).eval()
    inputs, mask = torch.randn(2, 5, 8), torch.arange(5) < torch.tensor([[5], [3]])
    whole = head.decode(head(inputs, mask).scores, mask, "all", 0.0, 0.3)
    found = head.find(inputs[mask], mask.sum(1), "all", 0.0, 0.3)
    assert torch.equal(found[0], whole[0])
    torch.testing.assert_close(found[1], whole[1])


@SCHEMES
def test_nbest_readings(scheme: str) -> None:
    head = make_crf(scheme)
    scores, mask = make_scores(head)
    k = 30
    spans, log_probability = head.nbest(scores, mask, k, 2.0)
    for row, length in enumerate((4, 2)):
        paths = legal_sequences(head, length)
        weight = log_weights(head, scores[row], paths, 2.0)
        order = weight.argsort(descending=True)[:k]
        expected = weight[order].tolist()
        assert log_probability[row, : len(order)].tolist() == pytest.approx(expected, abs=1e-5)
        for rank, path in enumerate(order.tolist()):
            tags = torch.tensor([paths[path]])
            entities = head.scheme.spans(tags, torch.ones_like(tags, dtype=torch.bool))
            assert spans[spans[:, 0] == row * k + rank, 1:].tolist() == entities[:, 1:].tolist()
    assert log_probability[2].tolist() == [0.0] + [float("-inf")] * (k - 1)
    # No entities of sequences that do not exist.
    exist = (log_probability > -torch.inf).flatten()
    assert exist[spans[:, 0]].all() and not exist.all()
    assert torch.equal(spans[spans[:, 0] == 0, 1:], head.decode(scores[:1], mask[:1])[0][:, 1:])


def test_least_softmax_probability_of_the_decoded_tags() -> None:
    head = make_crf()
    scores, mask = make_scores(head)
    spans, least = head.softmax_minimum(scores, mask)
    assert torch.equal(spans, head.decode(scores, mask)[0])
    tags, softmax = head.crf.decode(scores, mask), scores.softmax(-1)
    for (row, start, end, _), found in zip(spans.tolist(), least.tolist(), strict=True):
        each = [float(softmax[row, t, tags[row, t]]) for t in range(start, end)]
        assert found == pytest.approx(min(each))


def test_errors() -> None:
    head = SoftmaxTagger(8, LABELS)
    scores, mask = make_scores(head)
    with pytest.raises(MtnlpError, match="E233"):
        head.nbest(scores, mask, 2)
    with pytest.raises(MtnlpError, match="E234"):
        make_crf().nbest(scores, mask, 0)
    for temperature in (0.0, -1.0, float("nan")):
        with pytest.raises(MtnlpError, match="E235"):
            scale_by_temperature(scores, temperature)
    assert scale_by_temperature(scores, 1.0) is scores

"""numpy's conditional random field against torch's, and against all sequences one by one."""

from itertools import pairwise, product
from typing import Any, Tuple

import numpy as np
import pytest
import torch

from mtnlp.nn.linear_chain import LinearChainCRF
from mtnlp.structured import array_chain as chain_module
from mtnlp.structured import spans as torch_spans
from mtnlp.structured.array_chain import (
    best_tags,
    find_marginals,
    hold_to,
    log_probabilities,
)
from mtnlp.structured.array_spans import least_values, trim_spans, white_runs, widen_spans
from mtnlp.structured.crf import constrain

LENGTHS = np.array([5, 0, 1, 7, 3])
LABELS = ["A", "B", "C"]


def make_case(scheme: str, scale: float, seed: int = 0) -> Tuple[LinearChainCRF, Any, Any, Any]:
    """A layer with random scores, emissions, mask, and the layer's scores in numpy."""
    torch.manual_seed(seed)
    layer = LinearChainCRF(LABELS, scheme)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=scale)
    emissions = torch.randn(len(LENGTHS), 7, len(layer.start)) * scale
    mask = torch.arange(7) < torch.from_numpy(LENGTHS)[:, None]
    return layer, emissions.double(), mask, layer.arrays()


@pytest.mark.parametrize("scheme", ["bio", "biluo"])
@pytest.mark.parametrize("scale", [1.0, 5.0, 300.0])
@pytest.mark.parametrize("held", [False, True])
def test_as_torch_has_it(scheme: str, scale: float, held: bool) -> None:
    layer, emissions, mask, chain = make_case(scheme, scale)
    numbers = emissions.numpy()
    if held:
        allowed = torch.rand(emissions.shape) > 0.2
        allowed[..., 0] = True  # so that there is a way
        emissions = constrain(emissions, allowed)
        numbers = hold_to(numbers, allowed.numpy())
    tags = layer.decode(emissions, mask)
    ours = best_tags(numbers, LENGTHS, chain)
    np.testing.assert_array_equal(ours, tags.numpy())
    own = layer.scheme.arrays()
    spans = layer.scheme.spans(tags, mask)
    np.testing.assert_array_equal(own.spans(ours, mask.numpy()), spans.numpy())
    # Entities that were not found, too.
    more = torch.tensor([[0, 1, 3, 2], [3, 4, 7, 0], [2, 0, 1, 1], [3, 0, 1, 1], [0, 0, 5, 1]])
    spans = torch.cat([spans, more])
    for temperature in (1.0, 2.5):
        wanted = layer.span_probabilities(emissions, mask, spans, temperature)
        found = log_probabilities(
            numbers / temperature, LENGTHS, chain.divided(temperature), spans.numpy(), own
        )
        np.testing.assert_allclose(np.exp(found), wanted.numpy(), atol=1e-5)


def test_against_all_sequences() -> None:
    """The best one, the partition, and the share of those with an entity."""
    layer, emissions, _, chain = make_case("bio", 1.0, seed=1)
    scheme = layer.scheme.arrays()
    numbers, lengths = emissions.numpy()[:1, :4], np.array([4])
    scores, found = {}, {}
    for tags in product(range(numbers.shape[2]), repeat=4):
        score = chain.start[tags[0]] + chain.end[tags[-1]]
        score += sum(numbers[0, t, tag] for t, tag in enumerate(tags))
        score += sum(chain.transitions[pair] for pair in pairwise(tags))
        if score > -np.inf:
            scores[tags] = float(score)
            spans = scheme.spans(np.array([tags]), np.ones((1, 4), dtype=bool))
            found[tags] = {tuple(span) for span in spans.tolist()}
    best = max(scores, key=lambda tags: scores[tags])
    assert best_tags(numbers, lengths, chain)[0].tolist() == list(best)
    total = np.logaddexp.reduce(list(scores.values()))
    assert find_marginals(numbers, lengths, chain).total[0] == pytest.approx(total)
    for span in ((0, 1, 3, 0), (0, 0, 1, 2), (0, 0, 4, 1), (0, 3, 4, 1)):
        share = np.logaddexp.reduce([s for tags, s in scores.items() if span in found[tags]])
        ours = log_probabilities(numbers, lengths, chain, np.array([span]), scheme)
        assert ours[0] == pytest.approx(share - total)


def test_both_ways_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    _, emissions, _, chain = make_case("biluo", 2.0)
    rows, lengths = emissions.numpy()[[0, 2, 3]], LENGTHS[[0, 2, 3]]
    fast = find_marginals(rows, lengths, chain)
    monkeypatch.setattr(chain_module, "scaled_marginals", lambda *_: None)
    slow = find_marginals(rows, lengths, chain)
    np.testing.assert_allclose(fast.total, slow.total)
    for i, n in enumerate(lengths):
        np.testing.assert_allclose(fast.alpha[i, :n], slow.alpha[i, :n])
        np.testing.assert_allclose(fast.beta[i, :n], slow.beta[i, :n])


def test_spans_and_white_space() -> None:
    generator = np.random.default_rng(0)
    space = generator.random((4, 9)) < 0.4
    both = zip(white_runs(space), torch_spans.space_runs(torch.from_numpy(space)), strict=True)
    for ours, wanted in both:
        np.testing.assert_array_equal(ours, wanted.numpy())
    spans = np.array([[0, 0, 3, 1], [1, 2, 9, 0], [2, 4, 5, 0], [3, 0, 9, 2]])
    trimmed = trim_spans(spans, space)
    wanted = torch_spans.trim(torch.from_numpy(spans), torch.from_numpy(space))
    np.testing.assert_array_equal(trimmed, wanted.numpy())
    for ours, other in zip(
        widen_spans(trimmed, space),
        torch_spans.widenings(wanted, torch.from_numpy(space)),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, other.numpy())
    values = generator.random((4, 9))
    least = torch_spans.span_minimum(torch.from_numpy(values), torch.from_numpy(spans))
    np.testing.assert_array_equal(least_values(values, spans), least.numpy())

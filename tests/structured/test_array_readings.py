"""Other readings, against all tag sequences one by one."""

from itertools import pairwise, product
from typing import Any, Dict, Set, Tuple

import numpy as np
import pytest

from mtnlp.structured.array_readings import (
    best_without,
    max_marginals,
    spell,
    stretch_log_probability,
)
from tests.structured.test_array_chain import LENGTHS, make_case

Sequences = Dict[Tuple[int, ...], float]
Span = Tuple[int, int, int]
SCHEMES = pytest.mark.parametrize("scheme", ["bio", "biluo"])


def all_sequences(emissions: np.ndarray, chain: Any) -> Sequences:
    """Every legal sequence of a row and its score. emissions: `[seq, tags]`."""
    scores: Sequences = {}
    for tags in product(range(emissions.shape[1]), repeat=len(emissions)):
        score = chain.start[tags[0]] + chain.end[tags[-1]]
        score += sum(emissions[t, tag] for t, tag in enumerate(tags))
        score += sum(chain.transitions[pair] for pair in pairwise(tags))
        if score > -np.inf:
            scores[tags] = float(score)
    return scores


def entities(tags: Tuple[int, ...], scheme: Any) -> Set[Span]:
    found = scheme.spans(np.array([tags]), np.ones((1, len(tags)), dtype=bool))
    return {(start, end, label) for _, start, end, label in found.tolist()}


def make_small(scheme: str, seed: int) -> Tuple[Any, np.ndarray, Any, Sequences]:
    """One row of four tokens, and two labels' tags of the case."""
    layer, emissions, _, chain = make_case(scheme, 2.0, seed)
    size = 1 + 2 * len(layer.scheme.prefixes)
    numbers = emissions.numpy()[:1, :4, :size]
    small = type(chain)(chain.transitions[:size, :size], chain.start[:size], chain.end[:size])
    return layer.scheme.arrays(), numbers, small, all_sequences(numbers[0], small)


@SCHEMES
def test_max_marginals(scheme: str) -> None:
    _, numbers, chain, scores = make_small(scheme, 3)
    found = max_marginals(numbers, np.array([4]), chain)[0]
    for t, tag in np.ndindex(found.shape):
        wanted = max((s for tags, s in scores.items() if tags[t] == tag), default=-np.inf)
        assert found[t, tag] == pytest.approx(wanted)


@SCHEMES
@pytest.mark.parametrize("seed", range(4))
def test_best_without_an_entity(scheme: str, seed: int) -> None:
    own, numbers, chain, scores = make_small(scheme, seed)
    spans = [(s, e, label) for s in range(4) for e in range(s + 1, 5) for label in range(2)]
    rows = np.array([(0, *span) for span in spans])
    found = best_without(numbers, np.array([4]), chain, rows, own)
    for span, tags in zip(spans, found.tolist(), strict=True):
        without = {t: s for t, s in scores.items() if span not in entities(t, own)}
        assert tuple(tags) == max(without, key=lambda tags: without[tags])


def test_best_without_in_a_batch() -> None:
    """Rows of other lengths do not get in each other's way."""
    layer, emissions, _, chain = make_case("bio", 2.0)
    kept = np.flatnonzero(LENGTHS)
    numbers, lengths = emissions.numpy()[kept], LENGTHS[kept]
    scheme = layer.scheme.arrays()
    spans = np.array([[0, 1, 3, 2], [1, 0, 1, 1], [2, 4, 7, 0], [2, 0, 7, 1], [3, 2, 3, 2]])
    found = best_without(numbers, lengths, chain, spans, scheme)
    for span, tags in zip(spans, found, strict=True):
        row, length = span[0], lengths[span[0]]
        one = np.array([[0, *span[1:]]])
        alone = best_without(
            numbers[row : row + 1, :length], lengths[row : row + 1], chain, one, scheme
        )
        np.testing.assert_array_equal(tags[:length], alone[0])


@SCHEMES
@pytest.mark.parametrize(
    ("stretch", "spans"),
    [
        ((0, 2), [(0, 2, 1)]),
        ((1, 3), []),
        ((0, 4), [(0, 1, 0), (1, 3, 1)]),
        ((2, 4), [(3, 4, 0)]),
        ((1, 2), [(1, 2, 1)]),
    ],
)
def test_probability_of_a_stretch(
    scheme: str, stretch: Tuple[int, int], spans: "list[Span]"
) -> None:
    own, numbers, chain, scores = make_small(scheme, 5)
    start, end = stretch
    weights = {tags: np.exp(score) for tags, score in scores.items()}

    def fits(tags: Tuple[int, ...]) -> bool:
        near = {span for span in entities(tags, own) if span[0] < end and span[1] > start}
        return near == set(spans)

    wanted = sum(w for tags, w in weights.items() if fits(tags)) / sum(weights.values())
    found = stretch_log_probability(
        numbers,
        np.array([4]),
        chain,
        np.array([stretch]),
        np.array([(0, *span) for span in spans], dtype=np.int64).reshape(-1, 4),
        own,
    )
    assert np.exp(found[0]) == pytest.approx(wanted)


@SCHEMES
def test_spelling(scheme: str) -> None:
    layer, _, _, _ = make_case(scheme, 1.0)
    own = layer.scheme.arrays()
    spans = np.array([[0, 0, 1, 2], [0, 1, 4, 0], [2, 3, 5, 1]])
    tags = spell(spans, (3, 6), own)
    np.testing.assert_array_equal(own.spans(tags, np.ones((3, 6), dtype=bool)), spans)

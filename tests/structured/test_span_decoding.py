"""Decoders of candidate spans, against comparisons of all pairs."""

import itertools
from typing import Callable, List, Tuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mtnlp.errors import MtnlpError
from mtnlp.structured.span_decoding import DECODERS, get_decoder

Row = Tuple[int, int, int, int]


def overlap(one: Row, other: Row) -> bool:
    return one[0] == other[0] and bool(set(range(*one[1:3])) & set(range(*other[1:3])))


def cross(one: Row, other: Row) -> bool:
    first, second = set(range(*one[1:3])), set(range(*other[1:3]))
    return overlap(one, other) and bool(first - second) and bool(second - first)


CONFLICTS = {"flat": overlap, "nested": cross, "all": lambda one, other: False}


def greedy(rows: List[Row], scores: List[float], conflict: Callable[[Row, Row], bool]) -> List[int]:
    """One after another by score, compared with every one that stays."""
    kept: List[int] = []
    for i in sorted(range(len(rows)), key=lambda i: (-scores[i], i)):
        if not any(conflict(rows[i], rows[j]) for j in kept):
            kept.append(i)
    return sorted(kept)


def decode(name: str, rows: List[Row], scores: List[float]) -> List[int]:
    spans = torch.tensor(rows, dtype=torch.long).reshape(-1, 4)
    kept = get_decoder(name)(spans, torch.tensor(scores))
    assert kept.dtype == torch.long
    return kept.tolist()


@st.composite
def candidates(draw: st.DrawFn) -> Tuple[List[Row], List[float]]:
    row = st.tuples(st.integers(0, 2), st.integers(0, 7), st.integers(1, 5), st.integers(0, 1))
    found = draw(st.sets(row, max_size=40))
    rows = sorted((text, start, start + width, label) for text, start, width, label in found)
    # Few values, so that there are equal ones.
    score = st.integers(1, 12).map(lambda value: value / 16)
    return rows, draw(st.lists(score, min_size=len(rows), max_size=len(rows)))


@pytest.mark.parametrize("name", DECODERS)
@given(given=candidates())
def test_greedy(name: str, given: Tuple[List[Row], List[float]]) -> None:
    assert decode(name, *given) == greedy(*given, CONFLICTS[name])


def test_nested_entities() -> None:
    rows = [(0, 0, 4, 0), (0, 0, 4, 1), (0, 0, 2, 0), (0, 1, 2, 1), (0, 3, 6, 0)]
    scores = [0.9, 0.6, 0.7, 0.8, 0.5]
    assert decode("nested", rows, scores) == [0, 1, 2, 3]
    assert decode("flat", rows, scores) == [0]
    assert decode("all", rows, scores) == [0, 1, 2, 3, 4]
    # Once the crossing one is the best, what it crosses goes.
    assert decode("nested", rows, [0.9, 0.6, 0.7, 0.8, 0.95]) == [2, 3, 4]


def test_equal_scores_go_by_their_order() -> None:
    assert decode("flat", [(0, 0, 2, 0), (0, 0, 2, 1), (0, 1, 3, 0)], [0.5] * 3) == [0]


def test_texts_have_nothing_in_common() -> None:
    rows = [(text, start, start + 3, 0) for text in range(4) for start in (0, 3)]
    for name in DECODERS:
        assert decode(name, rows, [0.5] * 8) == list(range(8))


@pytest.mark.parametrize("name", DECODERS)
def test_nothing_to_decode(name: str) -> None:
    assert decode(name, [], []) == []


def test_many_candidates_of_a_long_text_take_no_long_time() -> None:
    """Linear in the candidates: a table of pairs of these would take 2.5 GB."""
    rows = [(0, i, i + w, 0) for i in range(6000) for w in range(1, 9)]
    torch.manual_seed(0)
    scores = torch.rand(len(rows)).tolist()
    kept = [rows[i] for i in decode("flat", rows, scores)]
    assert all(one[2] <= other[1] for one, other in itertools.pairwise(kept))
    assert len(decode("nested", rows, scores)) > len(kept)


def test_unknown_decoder() -> None:
    with pytest.raises(MtnlpError, match=r"E230.*flat, nested, all"):
        get_decoder("beam")

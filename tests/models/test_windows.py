"""Windows and alignment, against slow oracles that count characters."""

from typing import List, Tuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.vocab import Vocab

from mtnlp.models.windows import (
    Alignment,
    align,
    cut_points,
    group_by_length,
    pack,
    token_ranges,
)

VOCAB = Vocab()

words = st.text("abя ", min_size=1, max_size=4)


@st.composite
def docs(draw: st.DrawFn) -> Doc:
    """Tokens of letters and of white space alone, with and without a space behind them."""
    parts = draw(st.lists(st.tuples(words, st.booleans()), min_size=1, max_size=8))
    texts, spaces = zip(*parts, strict=True)
    return Doc(VOCAB, words=list(texts), spaces=list(spaces))


@st.composite
def docs_with_offsets(draw: st.DrawFn) -> Tuple[Doc, np.ndarray]:
    """A Doc and wordpieces over it: in order, some characters left out, some pieces sharing
    characters (bytes of one letter), some empty."""
    doc = draw(docs())
    n = len(doc.text)
    rows: List[Tuple[int, int]] = []
    begin = 0
    for _ in range(draw(st.integers(1, 12))):
        begin = min(n, begin + draw(st.integers(0, 2)))
        end = min(n, begin + draw(st.integers(0, 5)))
        rows.extend([(begin, end)] * draw(st.integers(1, 2)))
        begin = end
    return doc, np.array(rows, dtype=np.int64)


def touched(doc: Doc, begin: int, end: int) -> List[int]:
    """The tokens that have one of the characters."""
    return [token.i for token in doc if begin < token.idx + len(token) and end > token.idx]


def tokens_of(first: int, last: int) -> List[int]:
    return list(range(first, last + 1))


def ranges_of(doc: Doc, offsets: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    return token_ranges([doc], offsets, np.array([len(offsets)]))


def align_one(first: np.ndarray, last: np.ndarray, n_tokens: int) -> Alignment:
    return align(first, last, np.array([n_tokens]), np.array([len(first)]))


@given(docs_with_offsets())
def test_token_ranges_by_characters(sample: Tuple[Doc, np.ndarray]) -> None:
    doc, offsets = sample
    first, last = ranges_of(doc, offsets)
    for row, (begin, end) in enumerate(offsets.tolist()):
        expected = touched(doc, begin, end) if end > begin else []
        assert tokens_of(first[row], last[row]) == expected


@given(docs_with_offsets())
def test_align_by_characters(sample: Tuple[Doc, np.ndarray]) -> None:
    doc, offsets = sample
    wordpieces, lengths = align_one(*ranges_of(doc, offsets), len(doc))
    assert len(lengths) == len(doc)
    parts = np.split(wordpieces, np.cumsum(lengths)[:-1])
    own = [
        [row for row, (a, b) in enumerate(offsets.tolist()) if a < b and i in touched(doc, a, b)]
        for i in range(len(doc))
    ]
    used = [piece for pieces in own for piece in pieces]
    for i, part in enumerate(parts):
        if own[i]:
            assert part.tolist() == own[i]
        else:
            before = [pieces[-1] for pieces in own[:i] if pieces]
            stand_in = before[-1] if before else used[0] if used else 0
            assert part.tolist() == [stand_in]


@given(st.lists(docs_with_offsets(), min_size=1, max_size=5))
def test_a_batch_is_aligned_as_each_of_its_docs(samples: List[Tuple[Doc, np.ndarray]]) -> None:
    docs, offsets = zip(*samples, strict=True)
    tokens = np.array([len(doc) for doc in docs])
    pieces = np.array([len(part) for part in offsets])
    first, last = token_ranges(docs, np.concatenate(offsets), pieces)
    wordpieces, lengths = align(first, last, tokens, pieces)
    parts = np.split(wordpieces, np.cumsum(lengths)[np.cumsum(tokens) - 1][:-1])
    ends = np.cumsum(tokens)[:-1]
    for i, own_lengths in enumerate(np.split(lengths, ends)):
        own = align_one(*ranges_of(docs[i], offsets[i]), len(docs[i]))
        assert own_lengths.tolist() == own.lengths.tolist()
        assert (parts[i] - pieces[:i].sum()).tolist() == own.wordpieces.tolist()


def test_alignment_of_a_text() -> None:
    doc = Doc(VOCAB, words=["  ", "Dr.", "Wu", "\n", "left"], spaces=[0, 1, 0, 0, 1])
    assert doc.text == "  Dr. Wu\nleft "
    # "Dr", ".", " Wu" with its space in front, "le", "ft"; nothing for white space.
    offsets = np.array([(2, 4), (4, 5), (5, 8), (9, 11), (11, 13)])
    first, last = ranges_of(doc, offsets)
    assert first.tolist() == [1, 1, 2, 4, 4]
    assert last.tolist() == [1, 1, 2, 4, 4]
    wordpieces, lengths = align_one(first, last, len(doc))
    # Leading white space takes the first wordpiece, the line break the one before it.
    assert lengths.tolist() == [1, 2, 1, 1, 2]
    assert wordpieces.tolist() == [0, 0, 1, 2, 2, 3, 4]


def test_a_wordpiece_over_several_tokens_belongs_to_all() -> None:
    doc = Doc(VOCAB, words=["do", "n't", "go"], spaces=[False, True, False])
    first, last = ranges_of(doc, np.array([(0, 3), (3, 5), (6, 8)]))
    wordpieces, lengths = align_one(first, last, 3)
    assert lengths.tolist() == [1, 2, 1]
    assert wordpieces.tolist() == [0, 0, 1, 2]
    assert cut_points(first, last).tolist() == [True, False, True]


@given(docs_with_offsets())
def test_cut_points_never_split_a_token(sample: Tuple[Doc, np.ndarray]) -> None:
    doc, offsets = sample
    allowed = cut_points(*ranges_of(doc, offsets))
    rows = [set(touched(doc, a, b)) if b > a else set() for a, b in offsets.tolist()]
    for i in range(1, len(rows)):
        split = set().union(*rows[:i]) & set().union(*rows[i:])
        if split:
            assert not allowed[i]
        if rows[i] and not split:
            assert allowed[i]


@st.composite
def tokenized(draw: st.DrawFn) -> np.ndarray:
    """Cut points of a text: the first wordpiece of each token."""
    sizes = draw(st.lists(st.integers(1, 12), min_size=1, max_size=40))
    return np.array([i == 0 for size in sizes for i in range(size)])


def token_sizes(allowed: np.ndarray) -> np.ndarray:
    return np.diff(np.append(np.flatnonzero(allowed), len(allowed)))


@given(tokenized(), st.integers(1, 20))
def test_pack_covers_everything_once_within_the_capacity(
    allowed: np.ndarray, capacity: int
) -> None:
    windows = pack(allowed, capacity)
    assert [i for a, b in windows for i in range(a, b)] == list(range(len(allowed)))
    assert all(0 < b - a <= capacity for a, b in windows)


@given(tokenized(), st.integers(1, 20))
def test_pack_cuts_only_tokens_longer_than_a_window(allowed: np.ndarray, capacity: int) -> None:
    token = np.cumsum(allowed) - 1
    sizes = token_sizes(allowed)
    for start, _ in pack(allowed, capacity)[1:]:
        if not allowed[start]:
            assert sizes[token[start]] > capacity


@given(tokenized(), st.integers(24, 80))
def test_pack_leaves_no_small_tail(allowed: np.ndarray, capacity: int) -> None:
    windows = pack(allowed, capacity)
    longest = int(token_sizes(allowed).max())
    if len(windows) > 1:
        assert min(b - a for a, b in windows) >= capacity / 2 - longest
    # Cuts fall at most one token early: not many more windows than the capacity asks for.
    assert len(windows) <= 1 + -(-len(allowed) // (capacity - longest + 1))


@given(st.integers(1, 500), st.integers(1, 64))
def test_pack_makes_equal_windows_where_every_cut_is_allowed(size: int, capacity: int) -> None:
    lengths = [b - a for a, b in pack(np.ones(size, dtype=bool), capacity)]
    assert len(lengths) == -(-size // capacity)
    assert max(lengths) - min(lengths) <= 1


def test_pack_by_example() -> None:
    assert pack(np.ones(130, dtype=bool), 64) == [(0, 44), (44, 87), (87, 130)]
    assert pack(np.ones(64, dtype=bool), 64) == [(0, 64)]
    assert pack(np.ones(0, dtype=bool), 64) == []


def test_pack_cuts_a_token_longer_than_a_window() -> None:
    allowed = np.zeros(25, dtype=bool)
    allowed[[0, 3, 23]] = True  # tokens of 3, 20 and 2 wordpieces
    windows = pack(allowed, 8)
    assert windows[0] == (0, 3)
    assert windows[1][0] == 3
    assert all(b - a <= 8 for a, b in windows)


@given(
    st.lists(st.integers(1, 512), max_size=60).map(np.array),
    st.floats(0, 0.5),
    st.integers(0, 128),
    st.integers(1, 4096),
)
def test_groups_are_a_permutation_with_little_padding(
    lengths: np.ndarray, slack: float, free: int, most: int
) -> None:
    groups = group_by_length(lengths.astype(int), slack, free, most)
    assert sorted(i for group in groups for i in group.tolist()) == list(range(len(lengths)))
    for group in groups:
        sizes = lengths[group]
        assert (np.diff(sizes) <= 0).all()
        assert (sizes.max() - sizes).sum() <= max(free, slack * sizes.sum())
        assert len(sizes) == 1 or len(sizes) * sizes.max() <= most


@pytest.mark.parametrize("count", [1, 7])
def test_equal_windows_are_one_group(count: int) -> None:
    assert len(group_by_length(np.full(count, 40))) == 1

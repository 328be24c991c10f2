"""From a Doc's wordpieces to windows of the encoder, and the alignment with its tokens.

Everything here is numpy over a batch or one document; no model runs.
"""

from dataclasses import dataclass
from typing import Any, List, NamedTuple, Sequence, Tuple, Union

import numpy as np
from spacy.attrs import LENGTH, SPACY
from spacy.tokens import Doc, Span

from ..types import Bools, Ints

# Wordpieces that an encoder reads at once on a processor. With four times as many torch takes
# nearly twice as long for each, and memory grows with them; other engines take as long.
GROUP = 1024


class Alignment(NamedTuple):
    """Which wordpieces stand for which token.

    wordpieces: `[pairs]` wordpiece indices, grouped by token.
    lengths: `[tokens]` wordpieces of each token, at least 1.
    """

    wordpieces: Ints
    lengths: Ints


@dataclass(frozen=True)
class SpecialTokens:
    """The ids a tokenizer puts around a sequence ([CLS] … [SEP], <s> … </s>, or nothing), and the
    id standing for a text without any wordpiece."""

    prefix: Tuple[int, ...]
    suffix: Tuple[int, ...]
    fallback: int

    def __len__(self) -> int:
        return len(self.prefix) + len(self.suffix)


def token_ranges(
    docs: Sequence[Union[Doc, Span]], offsets: Ints, pieces: Ints
) -> Tuple[Ints, Ints]:
    """The first and the last token that each wordpiece touches, by characters.

    docs: with tokens, or parts of Docs. Those of all are counted through, and so are wordpieces.
    offsets: `[wordpieces, 2]` half-open character ranges in the text of the wordpiece's own Doc.
    pieces: `[docs]` wordpieces of each.
    Returns: two `[wordpieces]` arrays; first > last where a wordpiece covers only the space
        between two tokens.
    """
    parts: Sequence[Any] = docs  # spaCy does not say that a Span has it, too
    shape = np.concatenate([part.to_array([LENGTH, SPACY]) for part in parts]).astype(np.int64)
    widths = shape[:, 0] + shape[:, 1]
    ends = np.cumsum(widths)
    owner = np.repeat(np.arange(len(widths)), widths)
    # A token's trailing space belongs to nobody: seen from the right it counts as the next
    # token, seen from the left as this one.
    is_space = np.zeros(len(owner), dtype=bool)
    is_space[ends[shape[:, 1] == 1] - 1] = True
    from_left = owner
    from_right = owner + is_space
    text_ends = ends[np.cumsum([len(doc) for doc in docs]) - 1]
    begin = np.repeat(np.append(0, text_ends[:-1]), pieces)
    final = np.repeat(text_ends - 1, pieces)
    first = from_right[np.clip(offsets[:, 0] + begin, begin, final)]
    last = from_left[np.clip(offsets[:, 1] - 1 + begin, begin, final)]
    # An empty offset range covers nothing.
    last = np.where(offsets[:, 1] > offsets[:, 0], last, first - 1)
    return first, last


def align(first: Ints, last: Ints, tokens: Ints, pieces: Ints) -> Alignment:
    """Token-to-wordpiece alignment of several Docs.

    A token without wordpieces of its own (white space, characters the tokenizer drops) takes the
    last wordpiece of the token before it, or the first wordpiece of its Doc at all, so that no
    token is left with a zero vector.

    first, last: `[wordpieces]`, as from `token_ranges`. tokens, pieces: `[docs]` tokens and
    wordpieces of each Doc, at least one.
    """
    counts = np.maximum(last - first + 1, 0)
    wordpieces = np.repeat(np.arange(len(first)), counts)
    within = np.arange(len(wordpieces)) - np.repeat(np.cumsum(counts) - counts, counts)
    touched = np.repeat(first, counts) + within
    order = np.argsort(touched, kind="stable")
    touched, wordpieces = touched[order], wordpieces[order]
    lengths = np.bincount(touched, minlength=tokens.sum())
    missing = np.flatnonzero(lengths == 0)
    if len(missing):
        seen = np.append(0, np.cumsum(lengths))  # pairs in front of each token
        token_ends = np.cumsum(tokens)
        own = np.searchsorted(token_ends, missing, side="right")
        begin, end = seen[token_ends - tokens][own], seen[token_ends][own]
        stand_in = (np.cumsum(pieces) - pieces)[own]
        is_touched = end > begin
        source = np.maximum(seen[missing] - 1, begin)
        stand_in[is_touched] = wordpieces[source[is_touched]]
        wordpieces = np.insert(wordpieces, seen[missing], stand_in)
        lengths = np.maximum(lengths, 1)
    return Alignment(wordpieces, lengths)


def cut_points(first: Ints, last: Ints) -> Bools:
    """Where a window may begin: `[wordpieces]`, False inside a token."""
    allowed = np.ones(len(first), dtype=bool)
    if len(first) > 1:
        # Wordpieces over nothing (first > last) do not hide a token that goes on behind them.
        reach = np.maximum.accumulate(last)
        allowed[1:] = first[1:] > reach[:-1]
    return allowed


def pack(allowed: Bools, capacity: int) -> List[Tuple[int, int]]:
    """Cut a sequence of wordpieces into windows.

    About as few windows as the capacity allows, none much shorter than half of it (a tail of three
    wordpieces would have no context), each cut between two tokens. Only a single token longer than
    the capacity is cut inside, because the alternative is to lose its end.

    allowed: `[wordpieces]`, as from `cut_points`.
    capacity: wordpieces a window holds, special tokens not counted.
    Returns: half-open ranges that cover all wordpieces without overlap.
    """
    n = len(allowed)
    cuts = np.append(np.flatnonzero(allowed), n)
    windows = []
    start = 0
    while start < n:
        remaining = n - start
        target = -(-remaining // -(-remaining // capacity))
        end = int(cuts[np.searchsorted(cuts, start + target, side="right") - 1])
        if end <= start:  # the next token alone exceeds the balanced size
            end = int(cuts[np.searchsorted(cuts, start + capacity, side="right") - 1])
        if end <= start:
            end = min(start + capacity, n)
        windows.append((start, end))
        start = end
    return windows


def group_by_length(
    lengths: Ints, slack: float = 0.1, free: int = 64, most: int = GROUP
) -> List[Ints]:
    """Group windows of similar length, so that padding costs little.

    A mixed batch holds long reviews beside short sentences; padded together, most of the work
    would be padding.

    lengths: `[windows]` wordpieces.
    slack: padding a group may hold, as a share of its wordpieces.
    free: padding that is cheaper than another call of the encoder, in wordpieces.
    most: wordpieces of a group, padding included, unless a window alone has more.
    Returns: index arrays, longest windows first, together a permutation of the windows.
    """
    order = np.argsort(-lengths, kind="stable")
    groups: List[Ints] = []
    begin, real, waste = 0, 0, 0
    for position, window in enumerate(order):
        length = int(lengths[window])
        extra = int(lengths[order[begin]]) - length
        is_wasteful = waste + extra > max(free, slack * (real + length))
        is_full = int(lengths[order[begin]]) * (position - begin + 1) > most
        if (is_wasteful or is_full) and position > begin:
            groups.append(order[begin:position])
            begin, real, waste, extra = position, 0, 0, 0
        real, waste = real + length, waste + extra
    if len(order):
        groups.append(order[begin:])
    return groups

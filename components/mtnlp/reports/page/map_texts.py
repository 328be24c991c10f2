"""The texts of a map, cut so that all of them fit a page."""

from typing import List, Optional, Sequence, Tuple

import numpy as np

Mark = Optional[Sequence[int]]


def shortened(
    texts: Sequence[str], marks: Sequence[Mark], size: int
) -> Tuple[List[str], List[Tuple[int, int]]]:
    """Texts that take no more than some bytes of UTF-8 together, give or take the marks of what is
    left out. The longest are cut: at their end or, where words are marked, on both sides of them.

    marks: of each text the start and end of its marked words, in characters, or None.
    Returns: the texts, and the marks in them; (0, 0) for None.
    """
    sizes = np.array([len(text.encode("utf8")) for text in texts], dtype=np.int64)
    most = _cap(sizes, size)
    cut = []
    for text, mark, length in zip(texts, marks, sizes.tolist(), strict=True):
        start, end = mark or (0, 0)
        if length > most:
            text, start, end = _cut(text, start, end, len(text) * most // length)
        cut.append((text, (start, end)))
    return [text for text, _ in cut], [mark for _, mark in cut]


def in_utf16(text: str, mark: Sequence[int]) -> List[int]:
    """The offsets as JavaScript counts them: characters beyond U+FFFF are two."""
    return [len(text[:place].encode("utf-16-le")) // 2 for place in mark]


def _cap(sizes: np.ndarray, size: int) -> int:
    """How long a text may be at most, so that all fit."""
    low, high = 0, int(sizes.max(initial=0))
    while low < high:
        middle = (low + high + 1) // 2
        if int(np.minimum(sizes, middle).sum()) <= size:
            low = middle
        else:
            high = middle - 1
    return low


def _cut(text: str, start: int, end: int, length: int) -> Tuple[str, int, int]:
    """About `length` characters of a text, around the marked ones where there are any."""
    spare = max(0, length - (end - start)) // 2 if end else 0
    first = max(0, min(start - spare, len(text) - length))
    last = max(first + length, min(end, first + length))
    before, behind = "…" * (first > 0), "…" * (last < len(text))
    part = before + text[first:last].rstrip() + behind
    moved = first - len(before)
    return part, max(0, start - moved), max(0, min(end, last) - moved)

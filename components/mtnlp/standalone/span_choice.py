"""`structured.span_decoding` in numpy: which of the spans found stay."""

from typing import Any, Iterator, List, Tuple

import numpy as np

from ..types import Ints


def choose_spans(spans: Ints, scores: Any, decoder: str) -> Ints:
    """The rows of `spans`, `[n, 4]`, that stay, ascending. scores: `[n]`. decoder: "flat", best
    first, none that overlap; "nested", best first, none that cross; "all"."""
    if decoder == "all" or not len(spans):
        return np.arange(len(spans))
    choose = choose_flat if decoder == "flat" else choose_nested
    return np.array(sorted(choose(spans, scores)), dtype=np.int64)


def choose_flat(spans: Ints, scores: Any) -> List[int]:
    """Best score first, each that overlaps none before it."""
    kept, taken = [], bytearray(places(spans))
    for index, start, end in best_first(spans, scores):
        if taken.find(1, start, end) < 0:
            taken[start:end] = b"\1" * (end - start)
            kept.append(index)
    return kept


def choose_nested(spans: Ints, scores: Any) -> List[int]:
    """Best score first, each that crosses none before it."""
    kept, room = [], places(spans)
    furthest_end, nearest_start = [0] * room, [room] * room
    for index, start, end in best_first(spans, scores):
        inside = slice(start + 1, end)
        if end - start > 1 and (
            max(furthest_end[inside]) > end or min(nearest_start[inside]) < start
        ):
            continue
        furthest_end[start] = max(furthest_end[start], end)
        nearest_start[end] = min(nearest_start[end], start)
        kept.append(index)
    return kept


def places(spans: Ints) -> int:
    """Places for the tokens of all texts, and one behind each text."""
    return int((spans[:, 0].max() + 1) * (spans[:, 2].max() + 1))


def best_first(spans: Ints, scores: Any) -> Iterator[Tuple[int, int, int]]:
    """Index, start and end by descending score, equal ones in their order. Starts and ends are
    counted through, so that spans of different texts have nothing in common."""
    order = np.argsort(-scores, kind="stable")
    offset = spans[:, 0] * (spans[:, 2].max() + 1)
    rows = np.stack([order, (spans[:, 1] + offset)[order], (spans[:, 2] + offset)[order]], axis=1)
    yield from map(tuple, rows.tolist())

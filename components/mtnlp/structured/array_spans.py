"""`spans` in numpy: spans and the white space around them."""

from typing import Tuple

import numpy as np

from ..types import Bools, Floats, Ints


def least_values(values: Floats, spans: Ints) -> Floats:
    """The smallest value within each span: `[batch, seq]` and `[n, 4]` to `[n]`."""
    if not len(spans):
        return np.zeros(0, dtype=values.dtype)
    start, end = spans[:, 1:2], spans[:, 2:3]
    position = start + np.arange(int((end - start).max()))
    within = values[spans[:, :1], np.minimum(position, values.shape[1] - 1)]
    least: Floats = np.where(position < end, within, np.inf).min(1)
    return least


def trim_spans(spans: Ints, space: Bools) -> Ints:
    """Spans `[n, 4]` without white space at their ends; those of nothing else are left out. space:
    `[batch, seq]`, the tokens of white space."""
    before, after = white_runs(space)
    trimmed = spans.copy()
    trimmed[:, 1] += after[spans[:, 0], spans[:, 1]]
    trimmed[:, 2] -= before[spans[:, 0], spans[:, 2]]
    return trimmed[trimmed[:, 1] < trimmed[:, 2]]


def widen_spans(spans: Ints, space: Bools) -> Tuple[Ints, Ints]:
    """All spans that `trim_spans` makes to these: `[m, 4]`, and the row of `spans` that each
    belongs to, `[m]`, in order."""
    before, after = white_runs(space)
    doc, start, end, _ = spans.T
    choices = after[doc, end] + 1  # of an end
    count = (before[doc, start] + 1) * choices
    owner = np.repeat(np.arange(len(spans)), count)
    number = np.arange(len(owner)) - (np.cumsum(count) - count)[owner]
    wider = spans[owner]
    wider[:, 1] -= number // choices[owner]
    wider[:, 2] += number % choices[owner]
    return wider, owner


def white_runs(space: Bools) -> Tuple[Ints, Ints]:
    """`[batch, seq + 1]` twice: how many tokens of white space end right before each place, and how
    many begin there."""
    place = np.arange(1, space.shape[1] + 1)

    def ending(flags: Bools) -> Ints:
        return place - np.maximum.accumulate(np.where(flags, 0, place), axis=1)

    before = np.pad(ending(space), ((0, 0), (1, 0)))
    after = np.pad(ending(space[:, ::-1])[:, ::-1], ((0, 0), (0, 1)))
    return before, after


def are_free(spans: Ints, taken: Bools) -> Bools:
    """`[n]`: which of `spans`, `[n, 4]`, hold none of the tokens `taken`, `[batch, seq]`."""
    before = np.pad(np.cumsum(taken, axis=1), ((0, 0), (1, 0)))
    doc, start, end, _ = spans.T
    free: Bools = before[doc, end] == before[doc, start]
    return free

"""Values of the tokens of spans, spans that differ in white space alone, spans of free tokens."""

from typing import Tuple

import torch


def span_minimum(values: torch.Tensor, spans: torch.Tensor) -> torch.Tensor:
    """The smallest value within each span.

    values: `[batch, seq]`. spans: int64 `[n, 4]`, document, start, end, label; not empty.
    Returns `[n]`.
    """
    if len(spans) == 0:
        return values.new_zeros(0)
    doc, start, end, _ = (column.unsqueeze(1) for column in spans.unbind(1))
    offset = torch.arange(int((end - start).max()), device=spans.device)
    position = (start + offset).clamp(max=values.shape[1] - 1)
    return values[doc, position].masked_fill(start + offset >= end, torch.inf).amin(1)


def trim(spans: torch.Tensor, space: torch.Tensor) -> torch.Tensor:
    """Spans without white space at their ends; those of nothing else are left out.

    spans: int64 `[n, 4]`, document, start, end, label; not empty. space: bool `[batch, seq]`, the
    tokens of white space.
    """
    doc, start, end, label = spans.unbind(1)
    before, after = space_runs(space)
    start, end = start + after[doc, start], end - before[doc, end]
    trimmed = torch.stack([doc, start, end, label], dim=1)
    return trimmed[start < end]


def widenings(spans: torch.Tensor, space: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
    """All spans that `trim` makes to these.

    spans: int64 `[n, 4]`, trimmed. space: as in `trim`.
    Returns: int64 `[m, 4]`, and the row of `spans` that each belongs to, int64 `[m]`, in order.
    """
    doc, start, end, _ = spans.unbind(1)
    before, after = space_runs(space)
    choices = after[doc, end] + 1  # of an end
    count = (before[doc, start] + 1) * choices
    owner = torch.arange(len(spans), device=spans.device).repeat_interleave(count)
    number = torch.arange(len(owner), device=spans.device) - (count.cumsum(0) - count)[owner]
    wider = spans[owner]
    wider[:, 1] -= torch.div(number, choices[owner], rounding_mode="floor")
    wider[:, 2] += number % choices[owner]
    return wider, owner


def overlap_none(spans: torch.Tensor, taken: torch.Tensor) -> torch.Tensor:
    """bool `[n]`: which of `spans`, int64 `[n, 4]`, hold none of the tokens `taken`, bool
    `[batch, seq]`."""
    before = torch.nn.functional.pad(taken.long().cumsum(1), (1, 0))
    doc, start, end, _ = spans.unbind(1)
    return before[doc, end] == before[doc, start]


def space_runs(space: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
    """int64 `[batch, seq + 1]` twice: how many tokens of white space end right before each place,
    and how many begin there."""
    seq = space.shape[1]
    place = torch.arange(1, seq + 1, device=space.device)
    before = place - place.masked_fill(space, 0).cummax(1).values
    after = place - place.masked_fill(space.flip(1), 0).cummax(1).values
    none = before.new_zeros(len(space), 1)
    return torch.cat([none, before], dim=1), torch.cat([after.flip(1), none], dim=1)

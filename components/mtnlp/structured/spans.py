"""Values of the tokens of spans."""

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

"""Many vectors to one: over the positions of a sequence, and over the windows of a document."""

from typing import Callable, Dict, Optional

import torch

from ..errors import Errors, MtnlpError

Pooling = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def pool_mean(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The mean over the unmasked positions.

    x: `[batch, seq, width]`; masked positions may hold anything. mask: bool `[batch, seq]`.
    Returns `[batch, width]`, zeros where a row is empty.
    """
    total = x.masked_fill(~mask.unsqueeze(-1), 0.0).sum(1)
    return total / mask.sum(1, keepdim=True).clamp(min=1)


def pool_max(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The maximum over the unmasked positions, feature by feature. Shapes as in `pool_mean`."""
    if x.shape[1] == 0:
        return x.sum(1)
    peak = x.masked_fill(~mask.unsqueeze(-1), -torch.inf).amax(1)
    return peak.masked_fill(~mask.any(1, keepdim=True), 0.0)


def pool_cls(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The vector at the first unmasked position. Shapes as in `pool_mean`."""
    first = mask & (mask.long().cumsum(1) == 1)
    return x.masked_fill(~first.unsqueeze(-1), 0.0).sum(1)


POOLING: Dict[str, Pooling] = {"mean": pool_mean, "max": pool_max, "cls": pool_cls}


def get_pooling(name: str) -> Pooling:
    """The pooling of that name. Raises MtnlpError (E212) where there is none."""
    if name not in POOLING:
        raise MtnlpError(Errors.E212.format(name=name, names=", ".join(POOLING)))
    return POOLING[name]


def segment_mean(
    x: torch.Tensor, segment: torch.Tensor, count: int, weights: Optional[torch.Tensor] = None
) -> torch.Tensor:
    """The mean of the vectors of each segment.

    x: `[n, width]`. segment: int64 `[n]`, which of the `count` segments a vector belongs to.
    weights: `[n]`, not negative: with the number of positions behind each vector, the mean of
    window means is the mean over all positions. Equal by default.
    Returns `[count, width]`, zeros where a segment is empty or weighs nothing.
    """
    if weights is None:
        weights = x.new_ones(len(x))
    weights = weights.to(x.dtype)
    total = x.new_zeros(count, x.shape[1]).index_add(0, segment, x * weights.unsqueeze(-1))
    weight = x.new_zeros(count).index_add(0, segment, weights).unsqueeze(-1)
    return total / weight.masked_fill(weight == 0, 1.0)


def segment_max(x: torch.Tensor, segment: torch.Tensor, count: int) -> torch.Tensor:
    """The maximum of the vectors of each segment. Shapes as in `segment_mean`."""
    index = segment.unsqueeze(-1).expand_as(x)
    empty = x.new_zeros(count, x.shape[1])
    return empty.scatter_reduce(0, index, x, "amax", include_self=False)


def segment_attention(
    x: torch.Tensor, query: torch.Tensor, segment: torch.Tensor, count: int
) -> torch.Tensor:
    """The mean of the vectors of each segment, weighted by the softmax over the segment of their
    product with a query (after Yang et al., 2016). A query of zeros gives the mean.

    query: `[width]`. Other shapes as in `segment_mean`; zeros where a segment is empty.
    """
    scores = x @ query
    peak = scores.new_zeros(count).scatter_reduce(
        0, segment, scores.detach(), "amax", include_self=False
    )
    return segment_mean(x, segment, count, (scores - peak[segment]).exp())

"""Many vectors to one.

A pooling's registered function returns the pooling. Another one is a subclass of `Pooling` and its
registration in the group `thinc_layers`.
"""

from dataclasses import dataclass
from typing import Optional, Tuple

import torch


@dataclass(frozen=True)
class Segments:
    """The vectors of a batch of documents, one after another.

    vectors: `[positions, width]`. segment: int64 `[positions]`, the document of each.
    count: how many documents there are; one without vectors pools to zeros.
    windows: int64 `[windows]`, how many positions each window has: a document that is longer than
        the encoder's limit has several, in order.
    """

    vectors: torch.Tensor
    segment: torch.Tensor
    count: int
    windows: torch.Tensor


class Pooling:
    """Pools each document's vectors into one."""

    def query_shape(self, width: int) -> Optional[Tuple[int, ...]]:
        """The shape of a parameter that is learnt, which begins at zero; None without one. width:
        of the vectors."""
        return None

    def pooled_width(self, width: int) -> int:
        """The width of what comes out. width: of the vectors."""
        return width

    def __call__(self, batch: Segments, query: Optional[torch.Tensor]) -> torch.Tensor:
        """`[count, pooled width]`, zeros for empty documents. query: of `query_shape`."""
        raise NotImplementedError


class MeanPooling(Pooling):
    """The mean over all positions."""

    def __call__(self, batch: Segments, query: Optional[torch.Tensor]) -> torch.Tensor:
        return segment_mean(batch.vectors, batch.segment, batch.count)


class MaxPooling(Pooling):
    """The maximum over all positions, feature by feature."""

    def __call__(self, batch: Segments, query: Optional[torch.Tensor]) -> torch.Tensor:
        return segment_max(batch.vectors, batch.segment, batch.count)


class MeanMaxPooling(Pooling):
    """The mean and the maximum side by side (concat pooling without the last state: Howard and
    Ruder, 2018): what a document is about, and what is said in one place of it."""

    def pooled_width(self, width: int) -> int:
        return 2 * width

    def __call__(self, batch: Segments, query: Optional[torch.Tensor]) -> torch.Tensor:
        mean = segment_mean(batch.vectors, batch.segment, batch.count)
        return torch.cat([mean, segment_max(batch.vectors, batch.segment, batch.count)], dim=1)


class ClsPooling(Pooling):
    """The first position of each window, averaged over windows."""

    def __call__(self, batch: Segments, query: Optional[torch.Tensor]) -> torch.Tensor:
        first = batch.windows.cumsum(0) - batch.windows
        return segment_mean(batch.vectors[first], batch.segment[first], batch.count)


class AttentionPooling(Pooling):
    """A mean whose weights are learnt, over all windows at once: see `segment_attention`."""

    def query_shape(self, width: int) -> Tuple[int, ...]:
        return (width,)

    def __call__(self, batch: Segments, query: Optional[torch.Tensor]) -> torch.Tensor:
        assert query is not None
        return segment_attention(batch.vectors, query, batch.segment, batch.count)


def build_mean_max_pooling_v1() -> Pooling:
    """`mtnlp.MeanMaxPooling.v1` of the `layers` registry."""
    return MeanMaxPooling()


def build_mean_pooling_v1() -> Pooling:
    """`mtnlp.MeanPooling.v1` of the `layers` registry."""
    return MeanPooling()


def build_max_pooling_v1() -> Pooling:
    """`mtnlp.MaxPooling.v1` of the `layers` registry."""
    return MaxPooling()


def build_cls_pooling_v1() -> Pooling:
    """`mtnlp.ClsPooling.v1` of the `layers` registry."""
    return ClsPooling()


def build_attention_pooling_v1() -> Pooling:
    """`mtnlp.AttentionPooling.v1` of the `layers` registry."""
    return AttentionPooling()


def segment_mean(
    x: torch.Tensor, segment: torch.Tensor, count: int, weights: Optional[torch.Tensor] = None
) -> torch.Tensor:
    """The mean of the vectors of each segment.

    x: `[n, width]`. segment: int64 `[n]`, which of the `count` segments a vector belongs to.
    weights: `[n]`, not negative: with the number of positions behind each vector, the mean of
    window means is the mean over all positions. Equal by default.
    Returns `[count, width]`, zeros where a segment is empty or weighs nothing.
    """
    # Not multiplied by ones: of a long text the vectors are large.
    weighted = x if weights is None else x * weights.to(x.dtype).unsqueeze(-1)
    each = x.new_ones(len(x)) if weights is None else weights.to(x.dtype)
    total = x.new_zeros(count, x.shape[1]).index_add(0, segment, weighted)
    weight = x.new_zeros(count).index_add(0, segment, each).unsqueeze(-1)
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

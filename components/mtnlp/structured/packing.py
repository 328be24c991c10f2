"""The real tokens of a batch, packed step by step, so that recursions never touch padding.

Rows are sorted by length, longest first, and tokens stand in time-major order (as in PyTorch's
PackedSequence): the tokens of step t are consecutive, and the first of them go on from the first
of step t - 1.
"""

from typing import List, NamedTuple

import torch


class Packing(NamedTuple):
    """Where the N real tokens of a batch `[batch, seq]` are.

    shape: batch, seq. sizes: how many rows reach each step; none is 0.
    source: int64 `[N]`, row * seq + position of each packed token. row: int64 `[N]`, its row.
    previous: int64 `[N - sizes[0]]`, the packed predecessor of each token after the first step.
    last: int64 `[sizes[0]]`, the packed last token of each row that is not empty.
    offset: int64 `[seq]` and rank: int64 `[batch]`; their sum is the packed token.
    """

    shape: torch.Size
    sizes: List[int]
    source: torch.Tensor
    row: torch.Tensor
    previous: torch.Tensor
    last: torch.Tensor
    offset: torch.Tensor
    rank: torch.Tensor

    def pack(self, values: torch.Tensor) -> torch.Tensor:
        """`[batch, seq, ...]` to `[N, ...]`."""
        return values.flatten(0, 1).index_select(0, self.source)

    def unpack(self, values: torch.Tensor) -> torch.Tensor:
        """`[N, ...]` to `[batch, seq, ...]`, zeros on padding."""
        padded = values.new_zeros(self.shape.numel(), *values.shape[1:])
        return padded.index_copy_(0, self.source, values).unflatten(0, self.shape)


def pack(mask: torch.Tensor) -> Packing:
    """The packing of a mask, bool `[batch, seq]`, a prefix of each row."""
    lengths, order = mask.sum(1).sort(descending=True, stable=True)
    reach = mask.sum(0)
    sizes = [size for size in reach.tolist() if size]
    offset = reach.cumsum(0) - reach
    step, rank = mask[order].t().nonzero(as_tuple=True)
    row = order[rank]
    first = sizes[0] if sizes else 0
    previous = offset[step[first:] - 1] + rank[first:]
    last = offset[lengths[:first] - 1] + torch.arange(first, device=mask.device)
    return Packing(
        shape=mask.shape,
        sizes=sizes,
        source=row * mask.shape[1] + step,
        row=row,
        previous=previous,
        last=last,
        offset=offset,
        rank=order.argsort(),
    )

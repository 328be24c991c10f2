"""The score of given tag sequences, without a recursion."""

from typing import Any, Optional, Tuple

import torch
from torch.autograd.function import once_differentiable


def path_score(
    emissions: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
    tags: torch.Tensor,
) -> torch.Tensor:
    """`[batch]`, float64: emissions `[batch, seq, tags]` and transitions along `tags`, int64
    `[batch, seq]`; mask bool `[batch, seq]`, a prefix of each row. 0 for an empty row."""
    index = tags.unsqueeze(-1)
    unary = emissions.gather(2, index).squeeze(-1).double().masked_fill(~mask, 0.0)
    pairwise = transitions.double()[tags[:, :-1], tags[:, 1:]].masked_fill(~mask[:, 1:], 0.0)
    ends = start.double()[tags[:, 0]] + end.double()[last_tags(mask, tags)]
    return unary.sum(1) + pairwise.sum(1) + ends.masked_fill(~mask[:, 0], 0.0)


def last_tags(mask: torch.Tensor, tags: torch.Tensor) -> torch.Tensor:
    """int64 `[batch]`: the tag of each row's last token, the first tag of an empty row."""
    last = mask.sum(1, keepdim=True).sub(1).clamp(min=0)
    return tags.gather(1, last).squeeze(1)


class PathScore(torch.autograd.Function):
    """`path_score`, with its gradient written out: counts of what the paths use.

    Once differentiable, in the first four. Where the score is -inf the gradient is zero.
    """

    @staticmethod
    def forward(ctx: Any, *arguments: torch.Tensor) -> torch.Tensor:
        emissions, transitions, start, end, mask, tags = arguments
        score = path_score(*arguments)
        ctx.save_for_backward(score, mask, tags)
        ctx.templates = [(x.shape, x.dtype) for x in (emissions, transitions, start, end)]
        return score

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> Tuple[Optional[torch.Tensor], ...]:
        score, mask, tags = ctx.saved_tensors
        weight = gradients[0].masked_fill(score.isinf(), 0.0)
        each = weight.unsqueeze(1) * mask
        outputs = [
            torch.zeros(shape, dtype=dtype, device=tags.device) for shape, dtype in ctx.templates
        ]
        emissions, transitions, start, end = outputs
        emissions.scatter_(2, tags.unsqueeze(-1), each.to(emissions.dtype).unsqueeze(-1))
        pairs = (tags[:, :-1].flatten(), tags[:, 1:].flatten())
        transitions.index_put_(pairs, each[:, 1:].flatten().to(transitions.dtype), accumulate=True)
        ends = each[:, 0].to(start.dtype)
        start.index_put_((tags[:, 0],), ends, accumulate=True)
        end.index_put_((last_tags(mask, tags),), ends.to(end.dtype), accumulate=True)
        return *outputs, None, None

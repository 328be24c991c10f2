"""Cross-entropy with a teacher's probabilities, for classes that exclude one another."""

from typing import Optional

import torch

from .base import fill_masked, masked_sum


def soft_cross_entropy(
    logits: torch.Tensor,
    target: torch.Tensor,
    weight: torch.Tensor,
    temperature: float = 1.0,
    groups: Optional[torch.Tensor] = None,
    known: Optional[torch.Tensor] = None,
) -> torch.Tensor:
    """`-T² · target · log softmax(logits / T)`, summed over the units (Hinton, Vinyals and Dean,
    2015: the factor keeps gradients as large as without the temperature T).

    logits: `[..., classes]`. target: `[..., groups]`, the teacher's probabilities, at that
        temperature. weight: `[...]`, how much each unit counts; what the others hold may be
        anything, NaN included, where it is 0. groups: int64 `[classes]`, to which of the teacher's
        classes each class belongs: probabilities of a group are added up. None: each to itself.
    known: bool `[..., classes]`, the classes that are compared with one another, where a teacher
        does not know all; None for all. With `groups` it is not taken.
    Returns: a scalar; exactly 0.0, with a gradient function, where no unit counts.
    """
    mask = weight > 0
    logits = fill_masked(logits, mask.unsqueeze(-1)) / temperature
    target = fill_masked(target, mask.unsqueeze(-1)).to(logits.dtype)
    if groups is not None:
        log_share = grouped(logits.log_softmax(-1), groups, target.shape[-1])
    elif known is not None:
        # Where nothing counts, no class may be known, and -inf - -inf would be NaN.
        known = known | ~mask.unsqueeze(-1)
        log_share = logits.masked_fill(~known, -torch.inf).log_softmax(-1)
        log_share, target = fill_masked(log_share, known), fill_masked(target, known)
    else:
        log_share = logits.log_softmax(-1)
    losses = -(target * log_share).sum(-1) * weight.to(logits.dtype)
    return masked_sum(losses, mask) * temperature**2


def grouped(logs: torch.Tensor, groups: torch.Tensor, size: int) -> torch.Tensor:
    """Logarithms `[..., classes]` of probabilities to those of their sums by group `[..., size]`,
    each group with a class at least."""
    if torch.equal(groups, torch.arange(size, device=groups.device)):
        return logs
    places = groups.expand(logs.shape)
    shape = (*logs.shape[:-1], size)
    peak = logs.new_full(shape, -torch.inf).scatter_reduce(-1, places, logs.detach(), "amax")
    shares = (logs - peak.gather(-1, places)).exp()
    return logs.new_zeros(shape).scatter_add(-1, places, shares).log() + peak

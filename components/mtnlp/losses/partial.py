"""What is known of a unit's class where that is not one class: that it is none of some."""

import torch


def partial_nll(logits: torch.Tensor, allowed: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """-log of the summed probabilities of the classes that a unit may have, over the units that may
    have several but not all: the likelihood of partial labels (Cour, Sapp and Taskar, 2011).

    logits: float `[..., classes]`. allowed: bool `[..., classes]`. mask: bool `[...]`.
    Returns: the sum, a scalar; exactly 0.0, with a gradient function, where there are none.
    """
    count = allowed.sum(-1)
    partial = mask & (count > 1) & (count < allowed.shape[-1])
    scores = logits[partial]
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    possible = scores.masked_fill(~allowed[partial], -torch.inf)
    zero = logits.masked_fill(torch.ones_like(allowed), 0.0).sum()
    return zero + (scores.logsumexp(-1) - possible.logsumexp(-1)).sum()


def sole_class(allowed: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """allowed: bool `[..., classes]`. Returns: int64 `[...]`, the class that a unit has, and bool
    `[...]`, whether it can have but one."""
    return allowed.to(torch.uint8).argmax(-1), allowed.sum(-1) == 1

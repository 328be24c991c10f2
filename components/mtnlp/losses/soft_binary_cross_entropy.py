"""Binary cross-entropy with a teacher's probabilities, for labels each for itself."""

import torch

from .base import fill_masked, masked_sum


def soft_binary_cross_entropy(
    logits: torch.Tensor, target: torch.Tensor, weight: torch.Tensor, temperature: float = 1.0
) -> torch.Tensor:
    """`-T² · (target · log s + (1 - target) · log (1 - s))` with s = sigmoid(logits / T), summed
    over the labels.

    logits, target: `[..., labels]`; the target are the teacher's probabilities, at that
        temperature. weight: `[..., labels]`, how much each label counts; where it is 0 the others
        may hold anything, NaN included.
    Returns: a scalar; exactly 0.0, with a gradient function, where no label counts.
    """
    mask = weight > 0
    logits = fill_masked(logits, mask) / temperature
    target = fill_masked(target, mask).to(logits.dtype)
    losses = torch.nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return masked_sum(losses * weight.to(logits.dtype), mask) * temperature**2

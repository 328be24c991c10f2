"""Dice loss: an overlap of answers and gold in which easy negatives hardly count."""

from typing import Optional

import torch

from ..types import LossBatch
from .base import LossModule, check_setting, class_batch, has_indicators, label_batch, masked_sum
from .probabilities import log_sigmoids, log_softmaxes

NAME = "mtnlp.DiceLoss.v1"


class DiceLoss(LossModule):
    """Dice of every class of every annotated unit, summed (Li et al., 2020).

    With p the probability of a class (softmax for one class per unit, sigmoid for an indicator
    per label) and y its gold, 0 or 1:

    soft (alpha None): 1 - (2 p y + s) / (p^2 + y^2 + s), after Milletari et al. (2016);
    self-adjusting: 1 - (2 q y + s) / (q + y + s) with q = (1 - p)^alpha p.

    The quotient is that of a single class of a unit, not of a whole batch, so that sub-batches add
    up. q is largest at p = 1 / (1 + alpha) and falls behind it: a positive unit is not drawn any
    further, so alpha should be small (the authors' code has 0.01).

    smooth: s, more than 0. Raises: MtnlpError E213 where shapes do not go together, E221 for
    settings out of range.
    """

    def __init__(self, alpha: Optional[float], smooth: float):
        super().__init__()
        check_setting(NAME, "alpha", alpha or 0.0, (alpha or 0.0) >= 0, "0 or more, or null")
        check_setting(NAME, "smooth", smooth, smooth > 0, "more than 0")
        self.alpha = alpha
        self.smooth = smooth

    def forward(self, batch: LossBatch) -> torch.Tensor:
        """The sum, a scalar; exactly 0.0 where nothing is annotated."""
        if has_indicators(batch):
            logits, target, mask = label_batch(batch)
            return masked_sum(self._dice(*log_sigmoids(logits), target), mask)
        logits, target, mask = class_batch(batch)
        gold = torch.nn.functional.one_hot(target, logits.shape[-1]).to(logits.dtype)
        return masked_sum(self._dice(*log_softmaxes(logits), gold).sum(-1), mask)

    def _dice(
        self, log_p: torch.Tensor, log_rest: torch.Tensor, gold: torch.Tensor
    ) -> torch.Tensor:
        if self.alpha is None:
            p = log_p.exp()
            return 1.0 - (2.0 * p * gold + self.smooth) / (p**2 + gold**2 + self.smooth)
        # As a power of 1 - p the gradient would be infinite at p = 1 for alpha below 1.
        q = (log_p + self.alpha * log_rest).exp()
        return 1.0 - (2.0 * q * gold + self.smooth) / (q + gold + self.smooth)


def build_dice_loss_v1(alpha: Optional[float] = None, smooth: float = 1.0) -> DiceLoss:
    """`mtnlp.DiceLoss.v1` of the `losses` registry.

    alpha: null for soft dice; a small number for self-adjusting dice.
    smooth: added to both sides of the quotient, so that negatives count: the less, the larger.
    """
    return DiceLoss(alpha, smooth)

"""Asymmetric loss: easy negatives weigh less than easy positives, the easiest nothing."""

import math

import torch

from ..types import LossBatch
from .base import LossModule, check_setting, label_batch, masked_sum
from .probabilities import log_sigmoids

NAME = "mtnlp.AsymmetricLoss.v1"


class AsymmetricLoss(LossModule):
    """-t (1 - p)^gamma_pos log p - (1 - t) q^gamma_neg log(1 - q) with p = sigmoid(logit) and
    q = max(p - clip, 0), summed over the annotated labels (Ridnik et al., 2021).

    A negative whose probability is at most `clip` costs nothing and has no gradient. Without clip
    and with one gamma for both it is focal loss, with gamma 0 binary cross-entropy.

    gamma_pos, gamma_neg: 0 or more. clip: at least 0, less than 1. The batch is that of
    `BinaryCrossEntropy`, and so is what it raises; also MtnlpError E221 for settings out of range.
    """

    target = "labels"

    def __init__(self, gamma_pos: float, gamma_neg: float, clip: float):
        super().__init__()
        check_setting(NAME, "gamma_pos", gamma_pos, gamma_pos >= 0, "0 or more")
        check_setting(NAME, "gamma_neg", gamma_neg, gamma_neg >= 0, "0 or more")
        check_setting(NAME, "clip", clip, 0 <= clip < 1, "at least 0 and less than 1")
        self.gamma_pos = gamma_pos
        self.gamma_neg = gamma_neg
        self.clip = clip

    def forward(self, batch: LossBatch) -> torch.Tensor:
        """The sum, a scalar; exactly 0.0 where nothing is annotated."""
        logits, target, mask = label_batch(batch)
        log_p, log_rest = log_sigmoids(logits)
        # As a power of 1 - p the gradient would be infinite at p = 1 for gamma below 1.
        yes = -(self.gamma_pos * log_rest).exp() * log_p
        no = self._shifted(log_p, log_rest) if self.clip else self._focus(log_p, log_rest)
        return masked_sum(target * yes + (1.0 - target) * no, mask)

    def _focus(self, log_p: torch.Tensor, log_rest: torch.Tensor) -> torch.Tensor:
        return -(self.gamma_neg * log_p).exp() * log_rest

    def _shifted(self, log_p: torch.Tensor, log_rest: torch.Tensor) -> torch.Tensor:
        q = log_p.exp() - self.clip
        counts = q > 0
        # Where q is 0 its power may have an infinite gradient, which zero does not mask.
        weight = q.masked_fill(~counts, 1.0) ** self.gamma_neg
        # log(1 - q) = log(1 - p + clip), of which rounding leaves nothing where p is 1.
        log_no = torch.logaddexp(log_rest, log_rest.new_tensor(math.log(self.clip)))
        return (-weight * log_no).masked_fill(~counts, 0.0)


def build_asymmetric_loss_v1(
    gamma_pos: float = 0.0, gamma_neg: float = 4.0, clip: float = 0.05
) -> AsymmetricLoss:
    """`mtnlp.AsymmetricLoss.v1` of the `losses` registry. The defaults are the authors'.

    gamma_pos, gamma_neg: how much less well-classified positives and negatives weigh; 0: not at
        all.
    clip: what is taken off the probability of negatives; up to it they cost nothing.
    """
    return AsymmetricLoss(gamma_pos, gamma_neg, clip)

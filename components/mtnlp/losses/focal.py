"""Focal loss: what is already learnt weighs less."""

from typing import Dict, Optional, Sequence, Union

import torch

from ..types import LossBatch
from .base import LossModule, check_setting, class_batch, has_indicators, label_batch, masked_sum
from .class_weights import ClassWeights
from .probabilities import log_sigmoids, log_softmaxes

NAME = "mtnlp.FocalLoss.v1"


class FocalLoss(LossModule):
    """-alpha_t (1 - p_t)^gamma log p_t, summed (Lin et al., 2017).

    p_t is the probability of what is true: of the class by softmax where `target` is one class a
    unit, of a label's yes or no by sigmoid where it is an indicator a label. With gamma 0 and
    without alpha it is cross-entropy.

    gamma: 0 or more. alpha: none, a number, or weights (see `ClassWeights`), with beta. Raises
    MtnlpError E213 where shapes do not go together, E215 where alpha needs `bind` first, E221 for
    settings out of range.
    """

    def __init__(
        self, gamma: float, alpha: Optional[Union[float, str, Dict[str, float]]], beta: float
    ):
        super().__init__()
        check_setting(NAME, "gamma", gamma, gamma >= 0, "0 or more")
        if isinstance(alpha, (int, float)):
            check_setting(NAME, "alpha", alpha, 0 < alpha <= 1, "more than 0 and at most 1")
        self.gamma = gamma
        self.weights = None if alpha is None else ClassWeights(NAME, alpha, beta)

    def bind(self, classes: Sequence[str], width: int) -> None:
        if self.weights is not None:
            self.weights.bind(classes)

    def set_counts(self, positive: torch.Tensor, negative: torch.Tensor) -> None:
        if self.weights is not None:
            self.weights.set_counts(positive, negative)

    def forward(self, batch: LossBatch) -> torch.Tensor:
        """The sum, a scalar; exactly 0.0 where nothing is annotated."""
        return self._of_labels(batch) if has_indicators(batch) else self._of_classes(batch)

    def _of_classes(self, batch: LossBatch) -> torch.Tensor:
        logits, target, mask = class_batch(batch)
        gold = target.unsqueeze(-1)
        log_p, log_rest = (values.gather(-1, gold) for values in log_softmaxes(logits))
        losses = self._focus(log_p, log_rest).squeeze(-1)
        if self.weights is not None:
            losses = losses * self.weights.by_class.to(logits.dtype)[target]
        return masked_sum(losses, mask)

    def _of_labels(self, batch: LossBatch) -> torch.Tensor:
        logits, target, mask = label_batch(batch)
        log_p, log_rest = log_sigmoids(logits)
        yes, no = self._focus(log_p, log_rest), self._focus(log_rest, log_p)
        if self.weights is not None:
            weight_no, weight_yes = self.weights.by_answer.to(logits.dtype)
            yes, no = yes * weight_yes, no * weight_no
        return masked_sum(target * yes + (1.0 - target) * no, mask)

    def _focus(self, log_p: torch.Tensor, log_rest: torch.Tensor) -> torch.Tensor:
        # As a power of 1 - p the gradient would be infinite at p = 1 for gamma below 1.
        return -(self.gamma * log_rest).exp() * log_p


def build_focal_loss_v1(
    gamma: float = 2.0,
    alpha: Optional[Union[float, str, Dict[str, float]]] = None,
    beta: float = 0.9999,
) -> FocalLoss:
    """`mtnlp.FocalLoss.v1` of the `losses` registry.

    gamma: how much less well-classified units weigh; 0: not at all.
    alpha: null; a number, the factor of every class or, for multi-label targets, of the positive
        answers (the negative ones then have 1 - alpha); weights by class or entity label;
        "inverse_frequency"; or "effective_number" (Cui et al., 2019) with `beta`.
    """
    return FocalLoss(gamma, alpha, beta)

"""Cross-entropy that weighs classes."""

from typing import Dict, Sequence, Union

import torch

from ..types import LossBatch
from .base import LossModule, class_batch, masked_sum
from .class_weights import ClassWeights


class WeightedCrossEntropy(LossModule):
    """-w_t log softmax(logits)[t] for the target t, summed over the annotated units.

    weights, beta: see `ClassWeights`. The batch is that of `CrossEntropy`, and so is what it
    raises; also MtnlpError E215 before `bind`.
    """

    target = "classes"

    def __init__(self, weights: Union[str, Dict[str, float]], beta: float):
        super().__init__()
        self.weights = ClassWeights("mtnlp.WeightedCrossEntropy.v1", weights, beta)

    def bind(self, classes: Sequence[str], width: int) -> None:
        self.weights.bind(classes)

    def set_counts(self, positive: torch.Tensor, negative: torch.Tensor) -> None:
        self.weights.set_counts(positive, negative)

    def forward(self, batch: LossBatch) -> torch.Tensor:
        """The sum, a scalar; exactly 0.0 where nothing is annotated."""
        logits, target, mask = class_batch(batch)
        weights = self.weights.by_class.to(logits.dtype)
        losses = torch.nn.functional.cross_entropy(logits, target, weights, reduction="none")
        return masked_sum(losses, mask)


def build_weighted_cross_entropy_v1(
    weights: Union[str, Dict[str, float]] = "inverse_frequency", beta: float = 0.9999
) -> WeightedCrossEntropy:
    """`mtnlp.WeightedCrossEntropy.v1` of the `losses` registry.

    weights: by class or entity label (1.0 for the others), "inverse_frequency", or
        "effective_number" (Cui et al., 2019) with `beta`.
    """
    return WeightedCrossEntropy(weights, beta)

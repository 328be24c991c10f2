"""Binary cross-entropy that weighs labels."""

from typing import Dict, Sequence, Union

import torch

from ..types import LossBatch
from .base import LossModule, label_batch, masked_sum
from .class_weights import ClassWeights
from .probabilities import log_sigmoids


class WeightedBinaryCrossEntropy(LossModule):
    """-w_1 t log s - w_0 (1 - t) log(1 - s) with s = sigmoid(logit), summed over the annotated
    labels; each label has its own w_1 and w_0.

    weights, beta: see `ClassWeights`; the counts compared are those of a label's yes and no. The
    batch is that of `BinaryCrossEntropy`, and so is what it raises; also MtnlpError E215 before
    `bind`.
    """

    target = "labels"

    def __init__(self, weights: Union[str, Dict[str, float]], beta: float):
        super().__init__()
        self.weights = ClassWeights("mtnlp.WeightedBinaryCrossEntropy.v1", weights, beta)

    def bind(self, classes: Sequence[str], width: int) -> None:
        self.weights.bind(classes)

    def set_counts(self, positive: torch.Tensor, negative: torch.Tensor) -> None:
        self.weights.set_counts(positive, negative)

    def forward(self, batch: LossBatch) -> torch.Tensor:
        """The sum, a scalar; exactly 0.0 where nothing is annotated."""
        logits, target, mask = label_batch(batch)
        no, yes = self.weights.by_answer.to(logits.dtype)
        log_yes, log_no = log_sigmoids(logits)
        losses = -(yes * target * log_yes + no * (1.0 - target) * log_no)
        return masked_sum(losses, mask)


def build_weighted_binary_cross_entropy_v1(
    weights: Union[str, Dict[str, float]] = "inverse_frequency", beta: float = 0.9999
) -> WeightedBinaryCrossEntropy:
    """`mtnlp.WeightedBinaryCrossEntropy.v1` of the `losses` registry.

    weights: of the positive answers by label (1.0 for the others), "inverse_frequency", or
        "effective_number" (Cui et al., 2019) with `beta`.
    """
    return WeightedBinaryCrossEntropy(weights, beta)

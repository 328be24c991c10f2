"""Binary cross-entropy for labels that do not exclude one another."""

import torch

from ..types import LossBatch
from .base import LossModule, label_batch, masked_sum


class BinaryCrossEntropy(LossModule):
    """-t log s - (1 - t) log(1 - s) with s = sigmoid(logit), summed over the annotated labels.

    `target` is `[..., labels]`, 0 or 1 (or a probability), `mask` bool `[..., labels]`, or
    `[...]` for whole units. Raises: MtnlpError (E213) where the shapes do not go together.
    """

    target = "labels"

    def forward(self, batch: LossBatch) -> torch.Tensor:
        """The sum, a scalar; exactly 0.0 where nothing is annotated."""
        logits, target, mask = label_batch(batch)
        losses = torch.nn.functional.binary_cross_entropy_with_logits(
            logits, target, reduction="none"
        )
        return masked_sum(losses, mask)


def build_binary_cross_entropy_v1() -> BinaryCrossEntropy:
    """`mtnlp.BinaryCrossEntropy.v1` of the `losses` registry."""
    return BinaryCrossEntropy()

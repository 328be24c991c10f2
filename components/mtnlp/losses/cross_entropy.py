"""Cross-entropy for classes that exclude one another."""

import torch

from ..types import LossBatch
from .base import LossModule, class_batch, masked_sum


class CrossEntropy(LossModule):
    """-log softmax(logits)[target], summed over the annotated units.

    `target` is int64 `[...]`, `mask` bool `[...]`, `logits` `[..., labels]`. Raises: MtnlpError
    (E213) where the shapes do not go together.
    """

    target = "classes"

    def forward(self, batch: LossBatch) -> torch.Tensor:
        """The sum, a scalar; exactly 0.0 where nothing is annotated."""
        logits, target, mask = class_batch(batch)
        losses = torch.nn.functional.cross_entropy(logits, target, reduction="none")
        return masked_sum(losses, mask)


def build_cross_entropy_v1() -> CrossEntropy:
    """`mtnlp.CrossEntropy.v1` of the `losses` registry."""
    return CrossEntropy()

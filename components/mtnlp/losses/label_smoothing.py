"""Cross-entropy with smoothed targets."""

import torch

from ..types import LossBatch
from .base import LossModule, check_setting, class_batch, has_indicators, label_batch, masked_sum


class LabelSmoothing(LossModule):
    """Cross-entropy in which the share `smoothing` of every target is spread evenly over all
    classes (Szegedy et al., 2016), summed; with indicators a label, over yes and no.

    smoothing: 0 (plain cross-entropy) to 1. Raises: MtnlpError E213 where shapes do not go
    together, E221 for a share out of range.
    """

    def __init__(self, smoothing: float):
        super().__init__()
        name = "mtnlp.LabelSmoothing.v1"
        check_setting(name, "smoothing", smoothing, 0 <= smoothing <= 1, "0 to 1")
        self.smoothing = smoothing

    def forward(self, batch: LossBatch) -> torch.Tensor:
        """The sum, a scalar; exactly 0.0 where nothing is annotated."""
        if has_indicators(batch):
            logits, target, mask = label_batch(batch)
            target = target * (1.0 - self.smoothing) + self.smoothing / 2
            losses = torch.nn.functional.binary_cross_entropy_with_logits(
                logits, target, reduction="none"
            )
            return masked_sum(losses, mask)
        logits, target, mask = class_batch(batch)
        losses = torch.nn.functional.cross_entropy(
            logits, target, reduction="none", label_smoothing=self.smoothing
        )
        return masked_sum(losses, mask)


def build_label_smoothing_v1(smoothing: float = 0.1) -> LabelSmoothing:
    """`mtnlp.LabelSmoothing.v1` of the `losses` registry. smoothing: the share spread evenly."""
    return LabelSmoothing(smoothing)

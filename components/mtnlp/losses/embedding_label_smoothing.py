"""Cross-entropy with targets smoothed by how alike labels are."""

from typing import Optional, Sequence

import torch

from ..errors import Errors, MtnlpError
from ..types import LossBatch
from .base import LossModule, check_setting, class_batch, masked_sum

NAME = "mtnlp.EmbeddingLabelSmoothing.v1"


class EmbeddingLabelSmoothing(LossModule):
    """Cross-entropy with soft targets: those of the gold class t are softmax_c(alpha cos(e_t, e_c))
    over learnt vectors e of the classes, summed over the annotated units.

    The vectors do not learn from that cross-entropy: it is lowest where every label is like the
    one the model says anyway, so rare labels would become `O`. As in online label smoothing (Zhang
    et al., 2021) they follow instead what the model confuses, without letting go of the gold: half
    of what their soft targets approach is the gold class, the other half the model's prediction.
    So the gold class keeps the largest share whatever the model says, the more so as the model
    learns; and the cosine, greatest for a vector and itself, keeps it so on the way there too. This
    second term changes the gradient of the vectors only, not the value of the loss, and the
    first only that of the logits.

    label_emb_dim: the width of the vectors. smoothing_alpha: an inverse temperature: the greater,
    the harder the targets. One class per unit only. Raises: MtnlpError E213 where shapes do not
    go together, E215 before `bind`, E221 for settings out of range.
    """

    target = "classes"
    vectors: Optional[torch.nn.Parameter]

    def __init__(self, label_emb_dim: int, smoothing_alpha: float):
        super().__init__()
        check_setting(NAME, "label_emb_dim", label_emb_dim, label_emb_dim >= 1, "1 or more")
        check_setting(NAME, "smoothing_alpha", smoothing_alpha, smoothing_alpha > 0, "more than 0")
        self.label_emb_dim = label_emb_dim
        self.smoothing_alpha = smoothing_alpha
        self.register_parameter("vectors", None)

    def bind(self, classes: Sequence[str], width: int) -> None:
        """At random, the vectors of many dimensions are nearly orthogonal: hard targets."""
        self.vectors = torch.nn.Parameter(torch.randn(len(classes), self.label_emb_dim))

    def log_targets(self) -> torch.Tensor:
        """`[classes, classes]`: the logarithms of the soft targets of each gold class."""
        if self.vectors is None:
            raise MtnlpError(Errors.E215)
        directions = torch.nn.functional.normalize(self.vectors, dim=-1)
        return (self.smoothing_alpha * directions @ directions.T).log_softmax(-1)

    def forward(self, batch: LossBatch) -> torch.Tensor:
        """The sum, a scalar; exactly 0.0 where nothing is annotated."""
        logits, target, mask = class_batch(batch)
        log_p = logits.log_softmax(-1)
        log_soft = self.log_targets().to(logits.dtype)[target]
        fit = -(log_soft.detach().exp() * log_p).sum(-1)
        gold = torch.nn.functional.one_hot(target, logits.shape[-1])
        follow = -((gold + log_p.detach().exp()) / 2 * log_soft).sum(-1)
        return masked_sum(fit + (follow - follow.detach()), mask)


def build_embedding_label_smoothing_v1(
    label_emb_dim: int = 32, smoothing_alpha: float = 10.0
) -> EmbeddingLabelSmoothing:
    """`mtnlp.EmbeddingLabelSmoothing.v1` of the `losses` registry.

    label_emb_dim: the width of the label vectors.
    smoothing_alpha: by which their cosines are multiplied before the softmax.
    """
    return EmbeddingLabelSmoothing(label_emb_dim, smoothing_alpha)

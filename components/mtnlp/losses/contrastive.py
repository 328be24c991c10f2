"""Margin contrastive loss: entities of a type close together, those of others apart."""

from typing import Optional, Sequence, Tuple

import torch

from ..errors import Errors, MtnlpError
from ..types import LossBatch
from .base import (
    LossModule,
    check_setting,
    class_batch,
    fill_masked,
    masked_sum,
    token_batch,
    zero_loss,
)
from .tag_classes import TagClasses, expand, tag_classes

NAME = "mtnlp.ContrastiveLoss.v1"


class ContrastiveLoss(LossModule):
    """y max(0, m - D) + (1 - y) D of pairs of gold entities of a batch, with D the Euclidean
    distance of their vectors and y = 1 where their types differ (after Hadsell et al., 2006, whose
    terms are squared). Each entity counts the mean over its pairs, and the entities are summed.

    An entity's vector is the mean of its tokens' features. On a head that classifies whole units
    (documents, spans) each annotated unit is an entity by itself, save those of a class `O`.
    Pairs reach over a batch, so here alone sub-batches do not add up.

    It has no gradient for the scores: add it to a loss that has (`mtnlp.CompoundLoss.v1`).

    margin: m. normalize: scale the vectors to norm 1 first, so that D is at most 2 and m does not
    depend on the encoder. Raises: MtnlpError E213 where shapes do not go together, E215 before
    `bind`, E221 for a margin of 0 or less, E222 for a head without features.
    """

    reads_features = True
    target = "classes"

    def __init__(self, margin: float, normalize: bool):
        super().__init__()
        check_setting(NAME, "margin", margin, margin > 0, "more than 0")
        self.margin = margin
        self.normalize = normalize
        self.tags: Optional[TagClasses] = None
        self.outside: Optional[int] = None

    def bind(self, classes: Sequence[str], width: int) -> None:
        self.tags = tag_classes(classes)
        self.outside = list(classes).index("O") if "O" in classes else -1

    def forward(self, batch: LossBatch) -> torch.Tensor:
        """The sum, a scalar; exactly 0.0 where nothing is annotated."""
        if self.outside is None:
            raise MtnlpError(Errors.E215)
        if batch.features is None:
            raise MtnlpError(Errors.E222)
        vectors, types = self._units(batch) if self.tags is None else self._entities(batch)
        if self.normalize:
            vectors = torch.nn.functional.normalize(vectors, dim=-1)
        # The products of the faster mode lose the distances of close vectors to rounding.
        distance = torch.cdist(vectors, vectors, compute_mode="donot_use_mm_for_euclid_dist")
        same = types.unsqueeze(1) == types
        pairs = torch.where(same, distance, (self.margin - distance).clamp(min=0.0))
        other = ~torch.eye(len(types), dtype=torch.bool, device=types.device)
        return masked_sum(pairs, other) / max(len(types) - 1, 1) + zero_loss(batch)

    def _entities(self, batch: LossBatch) -> Tuple[torch.Tensor, torch.Tensor]:
        """`[n, width]` and `[n]`: mean features and types of the gold entities."""
        assert self.tags is not None and batch.features is not None
        _, target, mask = token_batch(batch)
        features = fill_masked(batch.features, mask.unsqueeze(-1))
        spans = self.tags.entities(target, mask)
        doc, start, end, label = spans.unbind(1)
        span, token = expand(spans)
        sums = features.new_zeros(len(spans), features.shape[-1])
        sums = sums.index_add(0, span, features[doc[span], token])
        return sums / (end - start).unsqueeze(1), label

    def _units(self, batch: LossBatch) -> Tuple[torch.Tensor, torch.Tensor]:
        """`[n, width]` and `[n]`: features and classes of the annotated units."""
        assert batch.features is not None
        _, target, mask = class_batch(batch)
        features = batch.features.reshape(-1, batch.features.shape[-1])
        chosen = mask & (target != self.outside)
        return fill_masked(features, mask.unsqueeze(-1))[chosen], target[chosen]


def build_contrastive_loss_v1(margin: float = 1.0, normalize: bool = True) -> ContrastiveLoss:
    """`mtnlp.ContrastiveLoss.v1` of the `losses` registry.

    margin: the distance that entities of different types should keep.
    normalize: compare directions of vectors only.
    """
    return ContrastiveLoss(margin, normalize)

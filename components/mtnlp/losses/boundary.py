"""Boundary-aware loss: the overlap of predicted and gold entities."""

from typing import Optional, Sequence

import torch

from ..errors import Errors, MtnlpError
from ..types import LossBatch
from .base import LossModule, check_setting, token_batch
from .tag_classes import TagClasses, expand, tag_classes

NAME = "mtnlp.BoundaryLoss.v1"


class BoundaryLoss(LossModule):
    """1 - |A n B| / |A u B| of every gold entity B and what is predicted there, A, summed; and what
    is predicted where no gold entity is, which overlaps nothing.

    A is soft: the softmax of each token's tags, the tokens taken as independent. For an entity of
    a label over the tokens [s, e):

    |A n B| = P(s has a tag of the label) + the sum over s < i < e of P(i goes on with the label);
    |A u B| = e - s + how many tokens the prediction is expected to go beyond, to the right the sum
        over k of P(e ... e + k all go on), to the left the sum over k of P(s ... s - k + 1 all go
        on, s - k has a tag of the label), up to `reach` tokens on each side.

    Each other annotated token costs the probability that an entity begins there (its tag is not O
    and does not go on with its neighbour) and does not run into the next gold entity, whose union
    has it. So one missed and one invented entity cost 1 each, however long. Tokens without
    annotation take no part.

    Only for heads that tag tokens. Its gradient vanishes where the model is certain and wrong: it
    is best added to a likelihood (`mtnlp.CompoundLoss.v1`). Raises: MtnlpError E213 where shapes
    do not go together, E215 before `bind`, E216 for other heads, E221 for a reach below 1.
    """

    def __init__(self, reach: int):
        super().__init__()
        check_setting(NAME, "reach", reach, reach >= 1, "1 or more")
        self.reach = reach
        self.tags: Optional[TagClasses] = None

    def bind(self, classes: Sequence[str], width: int) -> None:
        self.tags = tag_classes(classes)
        if self.tags is None:
            raise MtnlpError(Errors.E216.format(loss=NAME, classes=", ".join(classes)))

    def forward(self, batch: LossBatch) -> torch.Tensor:
        """The sum, a scalar; exactly 0.0 where nothing is annotated."""
        if self.tags is None:
            raise MtnlpError(Errors.E215)
        logits, target, mask = token_batch(batch)
        p = logits.softmax(-1).masked_fill(~mask.unsqueeze(-1), 0.0)
        # [batch, seq, labels]
        belongs, goes_on = p @ self.tags.belongs.to(p), p @ self.tags.goes_on.to(p)
        outside = (mask & (target == 0)).unsqueeze(-1)
        begins = (belongs - goes_on * before(belongs, mask)).masked_fill(~outside, 0.0)
        spans = self.tags.entities(target, mask)
        overlaps = self._overlaps(belongs, goes_on, spans)
        joined = self._joined(begins, goes_on, outside, spans)
        return (1.0 - overlaps).sum() + begins.sum() - joined.sum()

    def _overlaps(
        self, belongs: torch.Tensor, goes_on: torch.Tensor, spans: torch.Tensor
    ) -> torch.Tensor:
        """`[n]`: the intersection over the union for each gold entity."""
        doc, start, end, label = spans.unbind(1)
        span, token = expand(spans)
        at = (doc[span], token, label[span])
        inside = torch.where(token == start[span], belongs[at], goes_on[at])
        common = torch.zeros_like(start, dtype=inside.dtype).index_add(0, span, inside)

        step = torch.arange(self.reach, device=spans.device)
        behind = look_up(goes_on, doc, end.unsqueeze(1) + step, label).cumprod(1)
        left = start.unsqueeze(1) - step
        ahead = look_up(goes_on, doc, left, label).cumprod(1)
        ahead = ahead * look_up(belongs, doc, left - 1, label)
        return common / (end - start + behind.sum(1) + ahead.sum(1))

    def _joined(
        self,
        begins: torch.Tensor,
        goes_on: torch.Tensor,
        outside: torch.Tensor,
        spans: torch.Tensor,
    ) -> torch.Tensor:
        """`[n, reach]`: that an entity begins so many tokens ahead of a gold one and runs into it,
        through no other."""
        doc, start, _, label = spans.unbind(1)
        left = start.unsqueeze(1) - torch.arange(self.reach, device=spans.device)
        between = look_up(goes_on.masked_fill(~outside, 0.0), doc, left[:, 1:], label)
        run = torch.cat([look_up(goes_on, doc, left[:, :1], label), between], dim=1)
        return run.cumprod(1) * look_up(begins, doc, left - 1, label)


def before(belongs: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The probabilities of the token before, `[batch, seq, labels]`: 0 before the first; 1 where it
    is not annotated, since then any entity may go on."""
    known = belongs.masked_fill(~mask.unsqueeze(-1), 1.0)
    return torch.nn.functional.pad(known[:, :-1], (0, 0, 1, 0))[:, : known.shape[1]]


def look_up(
    values: torch.Tensor, doc: torch.Tensor, token: torch.Tensor, label: torch.Tensor
) -> torch.Tensor:
    """`values[doc, token, label]`, 0 outside the document.

    values: `[batch, seq, labels]`. token: `[n, steps]`. doc, label: `[n]`.
    """
    seq = values.shape[1]
    within = (token >= 0) & (token < seq)
    found = values[doc.unsqueeze(1), token.clamp(0, max(seq - 1, 0)), label.unsqueeze(1)]
    return found.masked_fill(~within, 0.0)


def build_boundary_loss_v1(reach: int = 8) -> BoundaryLoss:
    """`mtnlp.BoundaryLoss.v1` of the `losses` registry.

    reach: how far beyond a gold entity, in tokens, a prediction that is too long is followed.
    """
    return BoundaryLoss(reach)

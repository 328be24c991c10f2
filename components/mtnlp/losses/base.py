"""What every loss does with its mask."""

from typing import Tuple

import torch

from ..errors import Errors, MtnlpError
from ..types import LossBatch


def fill_masked(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Zeros at the masked places, in at least float32 where `values` are floating.

    The mask goes on the inputs, before any log or power: masking a result is too late, since
    the gradient of a NaN or an infinity is NaN even where it is multiplied by zero.
    """
    if values.is_floating_point():
        values = values.to(torch.promote_types(values.dtype, torch.float32))
    return values.masked_fill(~mask, 0)


def class_batch(batch: LossBatch) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A batch with one class a unit, as `[units, labels]`, `[units]` and `[units]`, cleaned.

    Raises MtnlpError (E213) where the shapes do not go together.
    """
    if batch.target.shape != batch.logits.shape[:-1] or batch.mask.shape != batch.target.shape:
        raise MtnlpError(_mismatch(batch, "target and mask must have the shape of one label"))
    logits = fill_masked(batch.logits, batch.mask.unsqueeze(-1))
    target = fill_masked(batch.target, batch.mask)
    return logits.reshape(-1, logits.shape[-1]), target.reshape(-1), batch.mask.reshape(-1)


def label_batch(batch: LossBatch) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A batch with a yes or no for every label, all three `[..., labels]`, cleaned.

    The mask may be `[..., labels]` or `[...]`. Raises MtnlpError (E213) where the shapes do not
    go together.
    """
    shape = batch.logits.shape
    if batch.target.shape != shape or batch.mask.shape not in (shape, shape[:-1]):
        raise MtnlpError(_mismatch(batch, "target must have the shape of the logits"))
    mask = batch.mask if batch.mask.shape == shape else batch.mask.unsqueeze(-1).expand(shape)
    logits = fill_masked(batch.logits, mask)
    return logits, fill_masked(batch.target.to(logits.dtype), mask), mask


def masked_sum(units: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The sum of the unmasked values: 0.0, still with a gradient function, where there are none."""
    return units.masked_fill(~mask, 0.0).sum()


def _mismatch(batch: LossBatch, expected: str) -> str:
    return Errors.E213.format(
        logits=list(batch.logits.shape),
        target=list(batch.target.shape),
        mask=list(batch.mask.shape),
        expected=expected,
    )

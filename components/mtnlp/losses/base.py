"""What every loss is, and what it does with its mask."""

import copy
from math import isfinite
from typing import Literal, Optional, Sequence, Tuple

import torch

from ..errors import Errors, MtnlpError
from ..types import LossBatch

# Exactly one class of a unit holds (softmax), or each label for itself (sigmoid).
Target = Literal["classes", "labels"]


class LossModule(torch.nn.Module):
    """A loss as a part of a head, which owns a copy of it, trains its parameters and keeps its
    state.

    `forward` takes a LossBatch and returns the sum over annotated units, a scalar; exactly 0.0,
    with a gradient function, where nothing is annotated.

    needs_likelihood: whether it takes the `likelihood` of a LossBatch, which some heads lack.
    reads_features: whether it takes the `features`, which a head may otherwise leave out: those of
        spans take much memory.
    target: what it compares with, None where it can be either.
    """

    needs_likelihood = False
    reads_features = False
    target: Optional[Target] = None

    def bind(self, classes: Sequence[str], width: int) -> None:
        """Called once, when a head is built or rebuilt: buffers and parameters get their sizes.

        classes: the names of the head's classes: tags such as O, B-PER, I-PER, or labels.
        width: of the features.
        """

    def set_counts(self, positive: torch.Tensor, negative: torch.Tensor) -> None:
        """Called at `initialize` with what the training data, or a sample of it, holds.

        positive, negative: `[classes]`, how many annotated units are and are not of each class.
        """

    def forward(self, batch: LossBatch) -> torch.Tensor:
        raise NotImplementedError


def bind_loss(
    loss: Optional[torch.nn.Module],
    default: torch.nn.Module,
    classes: Sequence[str],
    width: int,
    target: Target,
    setting: str,
    has_likelihood: bool = False,
) -> torch.nn.Module:
    """A head's own copy of a loss, bound to its classes.

    loss: any module that takes a LossBatch; `default` where None. classes, width: as for `bind`.
    target: what the head's batches hold. setting: what decides that, for messages.
    has_likelihood: whether the head's batches have one. Raises: MtnlpError where the loss, or a
    part of it, cannot do with the head's batches: E219 where it needs a likelihood, E223 and E224
    where it compares with another target.
    """
    own = copy.deepcopy(default if loss is None else loss)
    for part in own.modules():
        if not has_likelihood and getattr(part, "needs_likelihood", False):
            raise MtnlpError(Errors.E219)
        if isinstance(part, LossModule) and part.target not in (None, target):
            message = Errors.E223 if part.target == "classes" else Errors.E224
            raise MtnlpError(message.format(loss=type(part).__name__, setting=setting))
    if isinstance(own, LossModule):
        own.bind(classes, width)
    return own


def pass_counts(loss: torch.nn.Module, counts: torch.Tensor) -> None:
    """Give a loss its counts, `[2, classes]`: positive, negative."""
    if isinstance(loss, LossModule):
        loss.set_counts(counts[0], counts[1])


def reads_features(loss: torch.nn.Module) -> bool:
    """Whether a loss takes the features of a batch; a module that does not say is given them."""
    return bool(getattr(loss, "reads_features", True))


def takes_likelihood(loss: torch.nn.Module) -> bool:
    """Whether a loss, or a part of it, takes the likelihood of the head."""
    return any(getattr(part, "needs_likelihood", False) for part in loss.modules())


def fill_masked(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Zeros at the masked places, in at least float32 where `values` are floating.

    The mask goes on the inputs, before any log or power: masking a result is too late, since
    the gradient of a NaN or an infinity is NaN even where it is multiplied by zero.
    """
    if values.is_floating_point():
        values = values.to(torch.promote_types(values.dtype, torch.float32))
    return values.masked_fill(~mask, 0)


def class_batch(batch: LossBatch) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A batch with one class per unit, as `[units, labels]`, `[units]` and `[units]`, cleaned.

    Raises: MtnlpError (E213) where the shapes do not go together.
    """
    if batch.target.shape != batch.logits.shape[:-1] or batch.mask.shape != batch.target.shape:
        raise MtnlpError(_mismatch(batch, "target and mask must have the shape of one label"))
    logits = fill_masked(batch.logits, batch.mask.unsqueeze(-1))
    target = fill_masked(batch.target, batch.mask)
    return logits.reshape(-1, logits.shape[-1]), target.reshape(-1), batch.mask.reshape(-1)


def token_batch(batch: LossBatch) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A batch with one class per token, as `[batch, seq, labels]` and twice `[batch, seq]`,
    cleaned.

    Raises: MtnlpError (E213) where the shapes do not go together.
    """
    if batch.target.dim() != 2:
        raise MtnlpError(_mismatch(batch, "target must have the shape [batch, seq]"))
    logits, target, mask = class_batch(batch)
    shape = batch.target.shape
    return logits.reshape(batch.logits.shape), target.reshape(shape), mask.reshape(shape)


def has_indicators(batch: LossBatch) -> bool:
    """Whether the target is a yes or no for every label, rather than one class per unit."""
    return batch.target.dim() == batch.logits.dim()


def label_batch(batch: LossBatch) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A batch with a yes or no for every label, all three `[..., labels]`, cleaned.

    The mask may be `[..., labels]` or `[...]`. Raises: MtnlpError (E213) where the shapes do not
    go together.
    """
    shape = batch.logits.shape
    if batch.target.shape != shape or batch.mask.shape not in (shape, shape[:-1]):
        raise MtnlpError(_mismatch(batch, "target must have the shape of the logits"))
    mask = batch.mask if batch.mask.shape == shape else batch.mask.unsqueeze(-1).expand(shape)
    logits = fill_masked(batch.logits, mask)
    return logits, fill_masked(batch.target.to(logits.dtype), mask), mask


def masked_sum(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The sum of the unmasked values: 0.0, still with a gradient function, where there are none."""
    return values.masked_fill(~mask, 0.0).sum()


def zero_loss(batch: LossBatch) -> torch.Tensor:
    """0.0 that depends on the logits, for a loss that does not."""
    return masked_sum(batch.logits, torch.zeros_like(batch.logits, dtype=torch.bool))


def check_setting(loss: str, name: str, value: float, holds: bool, form: str) -> None:
    """Raises: MtnlpError (E221) unless a setting of a loss is what it should be, and finite.

    loss: its name in configs. holds: whether `value` of the setting `name` has the `form`.
    """
    if not holds or not isfinite(value):
        raise MtnlpError(Errors.E221.format(loss=loss, name=name, value=value, form=form))


def _mismatch(batch: LossBatch, expected: str) -> str:
    return Errors.E213.format(
        logits=list(batch.logits.shape),
        target=list(batch.target.shape),
        mask=list(batch.mask.shape),
        expected=expected,
    )

"""Adam in one pass over memory: `mtnlp.FusedAdam.v1`."""

from functools import partial
from typing import Any, Callable, Tuple

import torch
from thinc.api import xp2torch
from thinc.backends import get_array_ops
from thinc.types import FloatsXd
from torch.optim.adamw import adamw

from ..ranges import require_rates
from .in_place_optimizer import InPlaceOptimizer

FloatOrSchedule = Any


def create_fused_adam_v1(
    learn_rate: FloatOrSchedule,
    *,
    L2: FloatOrSchedule = 0.01,
    beta1: FloatOrSchedule = 0.9,
    beta2: FloatOrSchedule = 0.999,
    eps: FloatOrSchedule = 1e-8,
    grad_clip: FloatOrSchedule = 1.0,
    head_factor: float = 1.0,
) -> "FusedAdam":
    """AdamW (Loshchilov and Hutter, 2019) by torch's fused kernel.

    Takes the place of `Adam.v1` with `L2_is_weight_decay = true` and `use_averages = false`. An
    encoder's word embeddings are most of its weights, and thinc's Adam passes over them several
    times a step: for a small encoder on a CPU that is a large part of the step.

    learn_rate, L2, beta1, beta2, eps, grad_clip: as in `Adam.v1`, each a number or a schedule; the
        norm of every parameter's gradient is clipped on its own.
    head_factor: the heads of mtnlp's components learn at so many times the encoder's rate: they
        begin at random, the encoder does not.

    Raises MtnlpError E330 for numbers out of range.
    """
    require_rates(
        "mtnlp.FusedAdam.v1",
        learn_rate=learn_rate,
        L2=L2,
        beta1=beta1,
        beta2=beta2,
        eps=eps,
        grad_clip=grad_clip,
        head_factor=head_factor,
    )
    optimizer = FusedAdam(
        learn_rate,
        L2=L2,
        beta1=beta1,
        beta2=beta2,
        eps=eps,
        grad_clip=grad_clip,
        L2_is_weight_decay=True,
        use_averages=False,
    )
    optimizer.head_factor = head_factor
    return optimizer


class FusedAdam(InPlaceOptimizer):
    """The optimizer behind `mtnlp.FusedAdam.v1`."""

    __slots__: Tuple[str, ...] = ("head_factor",)
    head_factor: float

    @property
    def for_heads(self) -> Callable[..., Tuple[FloatsXd, FloatsXd]]:
        """This optimizer, stepping at the heads' rate."""
        return partial(self, lr_scale=self.head_factor)

    def __call__(
        self,
        key: Tuple[int, str],
        weights: FloatsXd,
        gradient: FloatsXd,
        *,
        lr_scale: float = 1.0,
    ) -> Tuple[FloatsXd, FloatsXd]:
        """One step on one parameter, in place. The gradient is zero afterwards: nobody else clears
        those of thinc's own layers.

        key: which parameter. weights, gradient: float32 of one shape. RETURNS: both.
        """
        if not gradient.size:
            return weights, gradient
        ops = get_array_ops(weights)
        weights = self.own_array(key, weights)
        self.make_moments(key, weights)
        self.nr_update[key] += 1
        if self.grad_clip:
            gradient = ops.clip_gradient(gradient, self.grad_clip)
        values = xp2torch(weights)
        with torch.no_grad():
            adamw(
                [values],
                [xp2torch(gradient)],
                [xp2torch(self.mom1[key])],
                [xp2torch(self.mom2[key])],
                [],
                # The kernel counts up to the step it is about to make.
                [torch.tensor(float(self.nr_update[key] - 1), device=values.device)],
                fused=True,
                amsgrad=False,
                beta1=self.b1,
                beta2=self.b2,
                lr=self.learn_rate * lr_scale,
                weight_decay=self.L2,
                eps=self.eps,
                maximize=False,
            )
        gradient.fill(0)
        return weights, gradient

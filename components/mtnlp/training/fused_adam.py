"""The earlier optimizer, for configs that name it: `mtnlp.FusedAdam.v1`."""

from ..ranges import require_rates
from .adamw import AdamW, FloatOrSchedule


def create_fused_adam_v1(
    learn_rate: FloatOrSchedule,
    *,
    L2: FloatOrSchedule = 0.01,
    beta1: FloatOrSchedule = 0.9,
    beta2: FloatOrSchedule = 0.999,
    eps: FloatOrSchedule = 1e-8,
    grad_clip: FloatOrSchedule = 1.0,
    head_factor: float = 1.0,
) -> AdamW:
    """`mtnlp.AdamW.v1` with two differences: all parameters decay, biases and norms among them, and
    each is stepped on by itself, its gradient clipped by its own norm.

    An alias for configs and checkpoints that name it; new configs take `mtnlp.AdamW.v1`. As with
    thinc's `Adam.v1`, each parameter moves as soon as it is handed over, so that
    `nlp.update(..., sgd=optimizer)` needs no `optimizer.step_schedules()`, unless rates change.

    learn_rate, L2, beta1, beta2, eps, grad_clip: as in `Adam.v1`, each a number or a schedule.
    head_factor: the heads of mtnlp's components learn at so many times the encoder's rate.

    Raises: MtnlpError E330 for numbers out of range. The optimizer raises E451 for a gradient that
    is not finite; that parameter, and those behind it, have not moved then.
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
    return AdamW(
        learn_rate,
        L2=L2,
        beta1=beta1,
        beta2=beta2,
        eps=eps,
        grad_clip=grad_clip,
        head_factor=head_factor,
        one_by_one=True,
        decay_all=True,
    )

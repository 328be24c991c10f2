"""AdamW over all parameters at once: `mtnlp.AdamW.v1`."""

from collections import defaultdict
from functools import partial
from math import hypot, inf, isfinite
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

import numpy as np
import torch
from thinc.api import Optimizer, xp2torch
from thinc.backends import get_array_ops
from thinc.optimizers import KeyT
from thinc.types import FloatsXd
from torch.optim.adamw import adamw

from ..errors import Errors, MtnlpError
from ..ranges import require_rates
from .parameter_groups import Group, decays, depth_of, layer_of

FloatOrSchedule = Any
# What torch.nn.utils.clip_grad_norm_ adds to the norm.
CLIP_EPSILON = 1e-6


def create_adamw_v1(
    learn_rate: FloatOrSchedule,
    *,
    L2: FloatOrSchedule = 0.01,
    beta1: FloatOrSchedule = 0.9,
    beta2: FloatOrSchedule = 0.999,
    eps: FloatOrSchedule = 1e-8,
    grad_clip: FloatOrSchedule = 1.0,
    head_factor: float = 1.0,
    layer_decay: float = 1.0,
) -> "AdamW":
    """AdamW (Loshchilov and Hutter, 2019) as encoders are fine-tuned with: groups of parameters
    with rates of their own, no decay on biases and norms, clipping by the norm of all gradients.

    thinc hands over parameters one by one; here they wait until `step_schedules`, which
    `spacy train` calls when all components have handed over theirs, and are then stepped on
    together by torch's fused kernel. After `nlp.update(..., sgd=optimizer)` call
    `optimizer.step_schedules()`; a component of mtnlp that is updated alone, by
    `pipe.update(..., sgd=optimizer)`, makes the step itself.

    learn_rate: of the encoder's last layer, a number or a schedule.
    L2: the decay of weights; biases, and those of one dimension or none (norms), do not decay.
    beta1, beta2, eps: as in `Adam.v1`, each a number or a schedule.
    grad_clip: the norm to which the gradient of all parameters together is brought down; 0: never.
    head_factor: the heads of mtnlp's components learn at so many times `learn_rate`: they begin at
        random, the encoder does not.
    layer_decay: each of the encoder's layers learns at so many times the rate of the one above it,
        the embeddings at that below the first layer (Howard and Ruder, 2018); 1: all alike.

    Raises: MtnlpError E330 for rates out of range, E455 for a head_factor below 0 or a layer_decay
    outside (0, 1].
    """
    require_rates(
        "mtnlp.AdamW.v1",
        learn_rate=learn_rate,
        L2=L2,
        beta1=beta1,
        beta2=beta2,
        eps=eps,
        grad_clip=grad_clip,
    )
    if not 0 <= head_factor < inf:
        raise MtnlpError(
            Errors.E455.format(name="head_factor", value=head_factor, form="0 or more, and finite")
        )
    if not 0 < layer_decay <= 1:
        form = "more than 0 and at most 1"
        raise MtnlpError(Errors.E455.format(name="layer_decay", value=layer_decay, form=form))
    return AdamW(
        learn_rate,
        L2=L2,
        beta1=beta1,
        beta2=beta2,
        eps=eps,
        grad_clip=grad_clip,
        head_factor=head_factor,
        layer_decay=layer_decay,
    )


class Waiting(NamedTuple):
    """A parameter of the next step. scale: its rate, in learn rates, before layer-wise decay.
    is_head: whether it is outside the encoder, where layers do not count."""

    scale: float
    is_head: bool


class AdamW(Optimizer):
    """The optimizer behind `mtnlp.AdamW.v1`. It changes weights and moments in place.

    one_by_one: step on each parameter as soon as it is handed over; its gradient is then clipped
        by its own norm.
    decay_all: biases and norms decay, too.

    gradient_norm: the norm of all gradients of the last step, before clipping; 0 before the first
        and where nothing had a gradient.
    learn_rates: the rates of the last step: `encoder` (its last layer) and `heads`.
    """

    __slots__: tuple = (
        "arrays",
        "decay_all",
        "gradient_norm",
        "gradients",
        "head_factor",
        "layer_counts",
        "layer_decay",
        "learn_rates",
        "one_by_one",
        "under_way",
        "waiting",
    )
    gradient_norm: float
    learn_rates: Dict[str, float]
    head_factor: float
    layer_decay: float
    one_by_one: bool
    decay_all: bool
    # Whether a step has begun that `step_schedules` has not ended yet (`one_by_one`).
    under_way: bool
    # Each parameter's memory.
    arrays: Dict[KeyT, FloatsXd]
    # Each parameter's gradient, kept: thinc clears its own as soon as it has handed it over.
    gradients: Dict[KeyT, torch.Tensor]
    # The parameters of the next step.
    waiting: Dict[KeyT, Waiting]
    # How many layers encoders have, by the number of the thinc layer they are in.
    layer_counts: Dict[int, int]

    def __init__(
        self,
        learn_rate: FloatOrSchedule,
        *,
        head_factor: float = 1.0,
        layer_decay: float = 1.0,
        one_by_one: bool = False,
        decay_all: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(learn_rate, L2_is_weight_decay=True, use_averages=False, **settings)
        self.head_factor = head_factor
        self.layer_decay = layer_decay
        self.one_by_one = one_by_one
        self.decay_all = decay_all
        self.under_way = False
        self.arrays = {}
        self.gradients = {}
        self.waiting = {}
        self.layer_counts = defaultdict(int)
        self.gradient_norm = 0.0
        self.learn_rates = self.rates_now()

    @property
    def for_heads(self) -> Callable[..., Tuple[FloatsXd, FloatsXd]]:
        """This optimizer, stepping at the heads' rate."""
        return partial(self, lr_scale=self.head_factor, is_head=True)

    def rates_now(self) -> Dict[str, float]:
        """The rates of the next step."""
        rate = float(self.learn_rate)
        return {"encoder": rate, "heads": rate * self.head_factor}

    def __call__(
        self,
        key: KeyT,
        weights: FloatsXd,
        gradient: FloatsXd,
        *,
        lr_scale: float = 1.0,
        is_head: bool = False,
    ) -> Tuple[FloatsXd, FloatsXd]:
        """Take up a parameter for the next step. The gradient is zero afterwards: nobody else
        clears those of thinc's own layers.

        key: which parameter. weights, gradient: float32 of one shape. lr_scale: multiplies the
            parameter's rate. is_head: whether it is none of an encoder's.
        Returns: both; the weights are those that the step will change, in place.

        Raises: MtnlpError E450 for a parameter that is waiting already: a step was left out; with
        `one_by_one` E451 for a gradient that is not finite.
        """
        if not gradient.size:
            return weights, gradient
        if key in self.waiting:
            raise MtnlpError(Errors.E450)
        weights = self.own_array(key, weights)
        self.waiting[key] = Waiting(lr_scale, is_head)
        layer = layer_of(key[1])
        if layer is not None:
            self.layer_counts[key[0]] = max(self.layer_counts[key[0]], layer + 1)
        given = xp2torch(gradient)
        if self.one_by_one:
            self.gradients[key] = given
            try:
                self.make_step()
            finally:
                del self.gradients[key]
                given.zero_()
            return weights, gradient
        kept = self.gradients.get(key)
        if kept is None:
            self.gradients[key] = given.clone()
        else:
            kept.copy_(given)
        given.zero_()
        return weights, gradient

    def own_array(self, key: KeyT, weights: FloatsXd) -> FloatsXd:
        """The first array that was seen of the memory in which a parameter's weights lie.

        thinc makes a torch tensor of the array that comes back from a step, and an array of that
        tensor at the next step; each keeps the one before it alive, without end. It ends where the
        same array comes back each time.

        Raises: MtnlpError E454 where weights cannot be stepped on in place.
        """
        own = self.arrays.get(key)
        values = xp2torch(weights)
        if own is None or xp2torch(own).data_ptr() != values.data_ptr():
            if isinstance(weights, np.ndarray) and values.device.type != "cpu":
                raise MtnlpError(Errors.E454.format(device=values.device))
            own = self.arrays[key] = weights
        return own

    def make_moments(self, key: KeyT, weights: FloatsXd) -> None:
        """Zeros for a parameter that is seen for the first time."""
        if key not in self.mom1:
            ops = get_array_ops(weights)
            self.mom1[key] = ops.alloc(weights.shape, dtype="float32")
            self.mom2[key] = ops.alloc(weights.shape, dtype="float32")

    def step_schedules(self) -> None:
        """Make the step, then go to the next value of every schedule."""
        if not self.waiting and not self.under_way:  # nothing had a gradient
            self.gradient_norm, self.learn_rates = 0.0, self.rates_now()
        self.make_step()
        self.under_way = False
        super().step_schedules()

    def make_step(self) -> None:
        """One step on all parameters that wait, if there are any.

        Raises: MtnlpError E451 where their gradient is not finite; no weights have moved then.
        """
        if not self.waiting:
            return
        waiting, self.waiting = self.waiting, {}
        self.learn_rates = self.rates_now()
        norms = torch._foreach_norm([self.gradients[key] for key in waiting])
        norm = float(torch.linalg.vector_norm(torch.stack(norms)))
        # Of a step that is made one by one, the parameters before count, too.
        self.gradient_norm = hypot(self.gradient_norm, norm) if self.under_way else norm
        self.under_way = self.one_by_one
        if not isfinite(norm):
            raise MtnlpError(Errors.E451.format(norm=norm))
        for key in waiting:
            self.make_moments(key, self.arrays[key])
        groups: Dict[Group, List[KeyT]] = defaultdict(list)
        for key, (scale, is_head) in waiting.items():
            depth = 0 if is_head else depth_of(key[1], self.layer_counts[key[0]])
            factor = scale * self.layer_decay**depth
            group = Group(factor, self.decay_all or decays(key[1], self.arrays[key].ndim))
            groups[group].append(key)
        for group, keys in groups.items():
            self.step_group(group, keys, norm)

    @torch.no_grad()
    def step_group(self, group: Group, keys: List[KeyT], norm: float) -> None:
        """One step on the parameters of a group. norm: by which their gradients are clipped."""
        weights = [xp2torch(self.arrays[key]) for key in keys]
        made = torch.tensor([float(self.nr_update[key]) for key in keys], device=weights[0].device)
        excess = (norm + CLIP_EPSILON) / self.grad_clip if self.grad_clip else 1.0
        adamw(
            weights,
            [self.gradients[key] for key in keys],
            [xp2torch(self.mom1[key]) for key in keys],
            [xp2torch(self.mom2[key]) for key in keys],
            [],
            # The kernel counts up to the step it is about to make.
            list(made.unbind()),
            fused=True,
            # It divides the gradient on its way, which saves a pass over all of them.
            grad_scale=torch.tensor(excess, device=made.device) if excess > 1 else None,
            amsgrad=False,
            beta1=self.b1,
            beta2=self.b2,
            lr=self.learn_rate * group.factor,
            weight_decay=self.L2 if group.decays else 0.0,
            eps=self.eps,
            maximize=False,
        )
        for key in keys:
            self.nr_update[key] += 1

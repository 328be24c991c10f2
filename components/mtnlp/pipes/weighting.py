"""The weights of a pipe's tasks in its loss.

`cfg["weighting"]` is "static" or "uncertainty"; `cfg["task_weight"]` is λ of all the pipe's tasks,
`cfg["task_weights"]`, where there is one, the λ of single tasks by which it is multiplied. λ
multiplies the loss, and so the gradients of the head and of the encoder. Adam is indifferent to the
size of a gradient, so in the head λ mostly cancels; what it decides is how much this pipe's
gradient counts beside those of others in the encoder they share.
"""

from typing import Any, Literal, Mapping, Sequence, get_args

from thinc.api import get_torch_default_device

from ..errors import Errors, MtnlpError
from ..nn.task_weighting import TaskWeighting
from ..ranges import FINITE, require, require_choice

Weighting = Literal["static", "uncertainty"]


def check_weights(name: str, cfg: Mapping[str, Any]) -> None:
    """Raises: MtnlpError E330 for an unknown weighting or an infinite weight, E440 for a negative
    one, E441 where fixed weights are set and learned ones asked for. name: of the pipe."""
    weights = [cfg["task_weight"], *cfg.get("task_weights", {}).values()]
    require_choice(name, get_args(Weighting), weighting=cfg["weighting"])
    if not all(weight >= 0 for weight in weights):
        raise MtnlpError(Errors.E440.format(name=name, weights=weights))
    for weight in weights:
        require(name, FINITE, task_weight=weight)
    if cfg["weighting"] == "uncertainty" and any(weight != 1 for weight in weights):
        raise MtnlpError(Errors.E441.format(name=name))


def build_weighting(cfg: Mapping[str, Any], task_names: Sequence[str]) -> TaskWeighting:
    """The module that weighs the losses of some tasks. It becomes a part of the head, with which
    learned weights are trained and saved."""
    own = cfg.get("task_weights", {})
    weights = [cfg["task_weight"] * own.get(task, 1.0) for task in task_names]
    made = TaskWeighting(weights, cfg["weighting"] == "uncertainty")
    return made.to(get_torch_default_device())

"""How many weights a model has, and how many of them are trained."""

from typing import Any, NamedTuple, cast

from thinc.api import Model


class ParameterCount(NamedTuple):
    """trainable: weights that get a gradient. total: all."""

    trainable: int
    total: int

    @property
    def share(self) -> float:
        """Trainable of all, 0 to 1."""
        return self.trainable / self.total if self.total else 0.0


def count_parameters(model: Model) -> ParameterCount:
    """Count the weights of a thinc model and of the torch modules in it.

    Adapters count on both sides. thinc's own weights are always trainable.
    """
    trainable = total = 0
    for node in model.walk():
        for name in node.param_names:
            if node.has_param(name):
                trainable += node.get_param(name).size
                total += node.get_param(name).size
        for shim in node.shims:
            module = cast(Any, shim)._model
            for weights in [] if module is None else module.parameters():
                trainable += weights.numel() if weights.requires_grad else 0
                total += weights.numel()
    return ParameterCount(trainable, total)

"""A weighted sum of losses."""

from typing import Any, Dict, Optional, Sequence

import torch

from ..errors import Errors, MtnlpError
from ..types import LossBatch
from .base import LossModule, check_setting, pass_counts, reads_features

NAME = "mtnlp.CompoundLoss.v1"


class CompoundLoss(LossModule):
    """The sum of some losses, each times its weight.

    losses: by name. weights: by the same names; 1.0 where not given. Raises: MtnlpError E220 for no
    losses, names that cannot be and weights without a loss, E221 for negative weights.
    """

    def __init__(self, losses: Dict[str, torch.nn.Module], weights: Dict[str, float]):
        super().__init__()
        unknown = ", ".join(weights.keys() - losses.keys())
        if not losses:
            raise MtnlpError(Errors.E220.format(reason="it has no losses"))
        if unknown:
            raise MtnlpError(Errors.E220.format(reason=f"no loss is called {unknown}"))
        for name, weight in weights.items():
            check_setting(NAME, f"the weight of {name}", weight, weight >= 0, "0 or more")
        try:
            self.losses = torch.nn.ModuleDict(losses)
        except (KeyError, TypeError) as error:  # a dot, or an attribute of the container
            raise MtnlpError(Errors.E220.format(reason=error)) from error
        self.weights = {name: weights.get(name, 1.0) for name in losses}
        self.reads_features = any(reads_features(loss) for loss in losses.values())

    def bind(self, classes: Sequence[str], width: int) -> None:
        for loss in self.losses.values():
            if isinstance(loss, LossModule):
                loss.bind(classes, width)

    def set_counts(self, positive: torch.Tensor, negative: torch.Tensor) -> None:
        for loss in self.losses.values():
            pass_counts(loss, torch.stack([positive, negative]))

    def forward(self, batch: LossBatch) -> torch.Tensor:
        """The sum, a scalar; exactly 0.0 where nothing is annotated."""
        terms = [self.weights[name] * loss(batch) for name, loss in self.losses.items()]
        return torch.stack(terms).sum()


def build_compound_loss_v1(
    losses: Dict[str, Any], weights: Optional[Dict[str, float]] = None
) -> CompoundLoss:
    """`mtnlp.CompoundLoss.v1` of the `losses` registry.

    losses: a `@losses` block by name each.
    weights: of these names; 1.0 where not given.
    """
    # The config is validated before the blocks in it are resolved, hence Any.
    return CompoundLoss(losses, weights or {})

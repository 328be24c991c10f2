"""How much the loss of each task of a head counts."""

from math import exp
from typing import List, Optional, Sequence

import torch


class TaskWeighting(torch.nn.Module):
    """Fixed weights, or weights learned from each task's uncertainty (Kendall, Gal and Cipolla,
    2018): every annotated unit of a task counts `exp(-s) · loss + s / 2`, where `s`, the task's
    log-variance, begins at 0.

    Left alone, `s` goes to the logarithm of twice the task's mean loss, so that a task counts the
    less the larger its loss. Because the term `s / 2` comes once per unit, the sum over sub-batches
    or processes is that of the whole batch, and a task that nobody annotated has no part in it.

    Each log-variance is a parameter of its own, `[1]`, so that it has no gradient where its task is
    not annotated. It learns at the heads' rate: under Adam it moves by about that much a step, so a
    rate made for encoders leaves it near 0 for thousands of steps. Weight decay draws it towards 0,
    that is the weight towards 1; an optimizer that spares biases, as what has one dimension, spares
    it, too.

    weights: λ of each task. learned: whether to learn weights in their place.
    """

    def __init__(self, weights: Sequence[float], learned: bool = False):
        super().__init__()
        self.weights = list(weights)
        self.log_variances: Optional[torch.nn.ParameterList] = None
        if learned:
            self.log_variances = torch.nn.ParameterList(
                torch.nn.Parameter(torch.zeros(1)) for _ in self.weights
            )

    def forward(self, losses: torch.Tensor, units: Sequence[float]) -> torch.Tensor:
        """The weighted sum, a scalar.

        losses: `[tasks]`, each summed over its annotated units. units: how many these are.
        """
        if self.log_variances is None:
            return (losses * losses.new_tensor(self.weights)).sum()
        s = torch.cat(list(self.log_variances))
        return (torch.exp(-s) * losses + losses.new_tensor(units) * s / 2).sum()

    def factors(self) -> List[float]:
        """What each task's loss is multiplied by now: λ or `exp(-s)`."""
        if self.log_variances is None:
            return list(self.weights)
        return [exp(-float(s.detach())) for s in self.log_variances]

"""Temperature scaling of scores (Guo et al. 2017)."""

from typing import Sequence

import torch

from ..errors import Errors, MtnlpError
from ..ranges import FINITE, require


def scale_by_temperature(scores: torch.Tensor, temperature: float) -> torch.Tensor:
    """The scores divided by the temperature: above 1 probabilities move together, below 1 apart.

    Raises: MtnlpError (E235) for a temperature that is not above 0, (E330) for an infinite one.
    """
    require_temperature(temperature)
    return scores if temperature == 1.0 else scores / temperature


def require_temperature(temperature: float) -> None:
    """Raises: MtnlpError (E235) for a temperature that is not above 0, (E330) for an infinite
    one."""
    if not temperature > 0:
        raise MtnlpError(Errors.E235.format(found=temperature))
    require("probabilities", FINITE, temperature=temperature)


def scale_columns_by_temperature(
    scores: torch.Tensor, temperatures: Sequence[float]
) -> torch.Tensor:
    """`[..., n]`, each column divided by a temperature of its own, n of them.

    Raises: MtnlpError (E235) for a temperature that is not above 0, (E330) for an infinite one.
    """
    divisors = torch.as_tensor(temperatures, dtype=scores.dtype, device=scores.device)
    if not (divisors > 0).all():
        raise MtnlpError(Errors.E235.format(found=float(divisors.min())))
    require("probabilities", FINITE, temperature=float(divisors.max()))
    return scores / divisors

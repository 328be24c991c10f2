"""Which layers of an encoder 8 bits cost most."""

from contextlib import ExitStack
from typing import Any, Dict, List, Sequence, Tuple

import torch

from ..models.engine import Sample

# Of the linear layers, those that stay in higher precision in "int8_mixed".
SHARE = 0.25
# Batches that are looked at.
BATCHES = 8
Sums = Tuple[float, float]


def sensitive_layers(
    module: torch.nn.Module, samples: Sequence[Sample], share: float = SHARE
) -> List[str]:
    """The linear layers whose output changes most when weights and inputs are rounded to 8 bits.

    The error of a layer is that of rounding its weights per row and its inputs by the range of each
    batch: the squared distance to the exact output, over its squared length.

    module: as for `Engine.convert`. samples: texts as they will come. share: of the layers.
    Returns: their names in the module, the worst first.
    """
    sums: Dict[str, Sums] = {}
    with ExitStack() as hooks, torch.no_grad():
        for name, layer in module.named_modules():
            if isinstance(layer, torch.nn.Linear):
                hooks.callback(layer.register_forward_hook(_measure(name, sums)).remove)
        for ids, real in samples[:BATCHES]:
            module(torch.from_numpy(ids), torch.from_numpy(real.astype("int64")))
    errors = {name: error / max(size, 1e-12) for name, (error, size) in sums.items()}
    worst = sorted(errors, key=lambda name: -errors[name])
    return worst[: round(share * len(worst))]


def _measure(name: str, sums: Dict[str, Sums]) -> Any:
    def hook(layer: torch.nn.Linear, inputs: Tuple[torch.Tensor], output: torch.Tensor) -> None:
        rounded = torch.nn.functional.linear(
            round_tensor(inputs[0]), round_rows(layer.weight), layer.bias
        )
        error, size = sums.get(name, (0.0, 0.0))
        error += float((rounded - output).square().sum())
        sums[name] = error, size + float(output.square().sum())

    return hook


def round_tensor(values: torch.Tensor) -> torch.Tensor:
    """To 256 steps between the least and the greatest value, zero among them."""
    low, high = values.amin().clamp(max=0), values.amax().clamp(min=0)
    step = ((high - low) / 255).clamp(min=1e-12)
    zero = (-low / step).round()
    return ((values / step + zero).round().clamp(0, 255) - zero) * step


def round_rows(weights: torch.Tensor) -> torch.Tensor:
    """Each row to 255 steps, as many below zero as above."""
    step = (weights.abs().amax(dim=1, keepdim=True) / 127).clamp(min=1e-12)
    return (weights / step).round().clamp(-127, 127) * step

"""What stands between the encoder's vectors and a head's scores."""

from typing import Optional

import torch


class Body(torch.nn.Module):
    """Dropout, then, where `hidden` is given, a linear layer to that width and GELU.

    width: the width of the inputs. output_width: the width of what comes out.
    """

    def __init__(self, width: int, hidden: Optional[int] = None, dropout: float = 0.0):
        super().__init__()
        self.output_width = width if hidden is None else hidden
        layers: list[torch.nn.Module] = [torch.nn.Dropout(dropout)]
        if hidden is not None:
            layers += [torch.nn.Linear(width, hidden), torch.nn.GELU()]
        self.layers = torch.nn.Sequential(*layers)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """`[..., width]` to `[..., output_width]`."""
        return self.layers(inputs)

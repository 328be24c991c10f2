"""Projection and normalisation of vectors."""

from typing import Optional

import torch


class Projection(torch.nn.Module):
    """Vectors as they are, through a linear map, scaled to length 1, or both.

    width: of the inputs. out: the width to map to; None leaves them. normalize: whether to
    divide by the L2 norm. The map has no bias, so the zero vector of an empty text stays zero,
    and begins orthogonal, so an untrained one keeps similarities as far as its width allows. To
    the same width it begins as the identity: vectors are what they were before training.
    """

    def __init__(self, width: int, out: Optional[int] = None, normalize: bool = False):
        super().__init__()
        self.output_width = width if out is None else out
        self.normalize = normalize
        self.linear: Optional[torch.nn.Linear] = None
        if out is not None:
            self.linear = torch.nn.Linear(width, out, bias=False)
            begin = torch.nn.init.eye_ if out == width else torch.nn.init.orthogonal_
            begin(self.linear.weight)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """`[..., width]` to `[..., output_width]`."""
        vectors = inputs if self.linear is None else self.linear(inputs)
        return l2_normalize(vectors) if self.normalize else vectors


def l2_normalize(vectors: torch.Tensor) -> torch.Tensor:
    """Divides by the L2 norm over the last dimension.

    Zero vectors stay zero and have a finite gradient, which dividing by a norm clamped to a
    tiny number does not give.
    """
    square = vectors.square().sum(-1, keepdim=True)
    return vectors / torch.where(square > 0, square, 1.0).sqrt()


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

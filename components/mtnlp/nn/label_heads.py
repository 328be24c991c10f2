"""A small network for each label."""

import math

import torch


class LabelHeads(torch.nn.Module):
    """For every label a linear layer to `hidden`, GELU and a linear layer to its score, which no
    other label shares: what one label learns moves nothing of another's.

    width: of the inputs. labels: how many. All labels are computed in one operation; the weights
    begin as those of `torch.nn.Linear` do, label by label.
    """

    def __init__(self, width: int, labels: int, hidden: int):
        super().__init__()
        self.hidden_weight = uniform(width, labels, hidden, width)
        self.hidden_bias = uniform(width, labels, hidden)
        self.weight = uniform(hidden, labels, hidden)
        self.bias = uniform(hidden, labels)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """`[batch, width]` to `[batch, labels]`."""
        hidden = torch.einsum("bw,lhw->blh", inputs, self.hidden_weight) + self.hidden_bias
        hidden = torch.nn.functional.gelu(hidden)
        return torch.einsum("blh,lh->bl", hidden, self.weight) + self.bias


def uniform(inputs: int, *shape: int) -> torch.nn.Parameter:
    """A parameter of that shape, uniform between plus and minus the root of 1 / inputs."""
    bound = 1.0 / math.sqrt(max(inputs, 1))
    return torch.nn.Parameter(torch.empty(shape).uniform_(-bound, bound))

"""A trained head gets further classes: what was there keeps its values, bit for bit.

In all tensors of a head the old classes stand before the new ones, so those of a head that is built
anew hold the old ones as their first block. What new classes begin as:

- Where there is a class for "no entity" (tags, exclusive spans), they begin as that class, with
  `SHARE` of its probability (Cermelli et al., 2020, "Modeling the Background for Incremental
  Learning in Semantic Segmentation"): what is new was called "no entity" until now. A path of tags
  with a new one always scores less than the same path with `O` in its place.
- Where each label holds for itself, they say `SHARE` of whatever they see: their last weights are
  0.
- In an exclusive task they score the mean of the old labels, less the logarithm of 1 / `SHARE`, so
  always less than the best of them.
"""

from math import log
from typing import Dict, Iterator, Tuple

import torch

from ..losses.class_weights import ClassWeights

# Of the probability that the new labels take over at first, all together.
SHARE = 0.001


def grown_tensors(
    new: torch.nn.Module, old: torch.nn.Module
) -> Iterator[Tuple[str, torch.Tensor, torch.Tensor]]:
    """The tensors of two heads that have more places in the new one: name, new, old."""
    state: Dict[str, torch.Tensor] = new.state_dict()
    for name, known in old.state_dict().items():
        if state[name].shape != known.shape:
            yield name, state[name], known


@torch.no_grad()
def copy_known(new: torch.nn.Module, old: torch.nn.Module) -> None:
    """Give a head the values of an older one with fewer classes; what is new stays as it is.

    Weights of classes by their counts are, for a new one, those of the rarest.
    """
    state: Dict[str, torch.Tensor] = new.state_dict()
    for name, known in old.state_dict().items():
        state[name][tuple(slice(size) for size in known.shape)] = known
    for part, before in zip(class_weights(new), class_weights(old), strict=False):
        part.grow_from(before)


def class_weights(module: torch.nn.Module) -> Iterator[ClassWeights]:
    """The weights of classes in a head's losses."""
    return (part for part in module.modules() if isinstance(part, ClassWeights))


@torch.no_grad()
def begin_as_outside(new: torch.Tensor, known: torch.Tensor) -> None:
    """Have new classes begin as class 0, "no entity", along each dimension that has grown."""
    values = known
    for dimension, size in enumerate(new.shape):
        if size != known.shape[dimension]:
            places = torch.arange(size, device=known.device)
            places[known.shape[dimension] :] = 0
            values = values.index_select(dimension, places)
    new.copy_(values)


@torch.no_grad()
def begin_silent(new: torch.Tensor, known: torch.Tensor) -> None:
    """Have new classes begin with zeros."""
    new.zero_()
    new[tuple(slice(size) for size in known.shape)] = known


def log_share(count: int) -> float:
    """The logarithm of the share of each of `count` new labels."""
    return log(SHARE / count)

"""Gradients of several tasks on the same parameters: their conflicts and what to do about them.

A task's gradient is a list of tensors, one per parameter, None where the parameter has none. PCGrad
only ever adds multiples of the tasks' gradients, so it needs no more of them than their inner
products, and no copy of a gradient is made.
"""

from typing import List, Optional, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

Gradient = List[Optional[torch.Tensor]]


def gram_matrix(gradients: Sequence[Gradient]) -> NDArray[np.float64]:
    """`[tasks, tasks]`: the inner products of the tasks' gradients, taken as one long vector each.

    gradients: by task, each over the same parameters in the same order.
    """
    gram = np.zeros((len(gradients), len(gradients)))
    for parts in zip(*gradients, strict=True):
        tasks = [task for task, part in enumerate(parts) if part is not None]
        if tasks:
            rows = torch.stack([part.flatten() for part in parts if part is not None])
            gram[np.ix_(tasks, tasks)] += (rows @ rows.T).double().cpu().numpy()
    return gram


def cosine_matrix(gram: NDArray[np.float64]) -> NDArray[np.float64]:
    """`[tasks, tasks]`: the cosines between gradients, NaN where one of them is zero."""
    norms = np.sqrt(gram.diagonal())
    with np.errstate(invalid="ignore", divide="ignore"):
        return gram / np.outer(norms, norms)


def pcgrad_weights(
    gram: NDArray[np.float64], orders: Sequence[Sequence[int]]
) -> NDArray[np.float64]:
    """`[tasks]`: how often each task's gradient counts in the step of PCGrad (Yu et al., 2020).

    Each task's gradient is projected, task by task, onto the plane that is normal to the gradient
    of a task it conflicts with, that is where their inner product is negative; the results are
    added up. Without conflicts every weight is exactly 1.

    gram: `[tasks, tasks]`, see `gram_matrix`. orders: for each task, in which order its gradient
        meets those of all tasks; the paper draws them at random.
    """
    # Row by row what became of a task's gradient, as multiples of the original ones.
    mixture = np.eye(len(gram))
    for task, order in enumerate(orders):
        for other in order:
            product = mixture[task] @ gram[:, other]
            if other != task and product < 0:
                mixture[task, other] -= product / gram[other, other]
    return mixture.sum(0)


def random_orders(tasks: int, seed: int, step: int) -> List[List[int]]:
    """An order for each task, the same whenever a step is made again."""
    generator = np.random.default_rng([seed, step])
    return [generator.permutation(tasks).tolist() for _ in range(tasks)]


def add_weighted(
    parameters: Sequence[torch.nn.Parameter],
    gradients: Sequence[Gradient],
    weights: Sequence[float],
) -> None:
    """Add a weighted sum of gradients to those that the parameters have."""
    for parameter, *parts in zip(parameters, *gradients, strict=True):
        for part, weight in zip(parts, weights, strict=True):
            if part is None:
                continue
            if parameter.grad is None:
                parameter.grad = part * weight
            else:
                parameter.grad.add_(part, alpha=weight)

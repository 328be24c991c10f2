"""The learnt query of pooling by attention: a parameter of a thinc layer."""

from typing import Any, cast

import torch
from thinc.api import Model, torch2xp, xp2torch
from thinc.types import Floats1d

NAME = "query"


def add_query(pool: Model) -> None:
    """Give a pooling layer a query.

    It begins at zero, where attention is the mean, once the layer is initialised with data that
    have a width. Before that the layer pools as if it were there.

    pool: any → `[docs, width]`.
    """
    pool.init = init
    pool.set_param(NAME, None)


def init(model: Model, X: Any = None, Y: Any = None) -> None:
    model.set_param(NAME, None)
    width = 0 if X is None else model.predict(X).shape[1]
    if width:
        model.set_param(NAME, model.ops.alloc1f(width))


def read_query(model: Model, like: torch.Tensor) -> torch.Tensor:
    """`[width]`. like: vectors of that width, on the device where it is needed."""
    if model.has_param(NAME):
        return xp2torch(model.get_param(NAME), device=like.device)
    return like.new_zeros(like.shape[-1])


def add_gradient(model: Model, gradient: torch.Tensor) -> None:
    """Add `[width]` to the query's gradient."""
    if model.has_param(NAME):
        model.inc_grad(NAME, cast(Floats1d, torch2xp(gradient)))


def has_query(layer: Model) -> bool:
    """Whether the layer itself has a query."""
    return NAME in layer.param_names

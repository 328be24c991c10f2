"""The learnt query of pooling by attention: a parameter of a thinc layer."""

from functools import partial
from typing import Any, Callable, Tuple, cast

import torch
from thinc.api import Model, torch2xp, xp2torch
from thinc.types import FloatsXd

NAME = "query"


def add_query(pool: Model, width_of: Callable[[Any], int]) -> None:
    """Give a pooling layer a query, of the shape that its pooling (`attrs["pool"]`) says.

    It begins at zero, where attention is the mean, once the layer is initialised with data that
    have a width. Before that the layer pools as if it were there.

    pool: any → `[docs, width]`. width_of: the width of what is pooled, by what the layer reads; 0
        where that holds nothing.
    """
    pool.init = partial(init, width_of)
    pool.set_param(NAME, None)


def init(width_of: Callable[[Any], int], model: Model, X: Any = None, Y: Any = None) -> None:
    model.set_param(NAME, None)
    width = 0 if X is None else width_of(X)
    if width:
        model.set_param(NAME, model.ops.alloc_f(model.attrs["pool"].query_shape(width)))


def read_query(model: Model, shape: Tuple[int, ...], like: torch.Tensor) -> torch.Tensor:
    """The query, of a shape. like: vectors, on the device where it is needed."""
    if model.has_param(NAME):
        return xp2torch(model.get_param(NAME), device=like.device)
    return like.new_zeros(shape)


def add_gradient(model: Model, gradient: torch.Tensor) -> None:
    """Add to the query's gradient."""
    if model.has_param(NAME):
        model.inc_grad(NAME, cast(FloatsXd, torch2xp(gradient)))


def has_query(layer: Model) -> bool:
    """Whether the layer itself has a query."""
    return NAME in layer.param_names

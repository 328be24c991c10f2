"""The learnt query of pooling by attention: a parameter of a thinc layer."""

from typing import Any, Tuple, cast

import torch
from thinc.api import Model, torch2xp, xp2torch
from thinc.types import FloatsXd

NAME = "query"


def add_query(pool: Model) -> None:
    """Give a pooling layer a query, of the shape that its pooling (`attrs["pool"]`) says.

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

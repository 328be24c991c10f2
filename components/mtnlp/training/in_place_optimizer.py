"""Optimizers that step on a parameter where it lies."""

from typing import Any, Dict

import numpy
from thinc.api import Optimizer, xp2torch
from thinc.backends import get_array_ops
from thinc.optimizers import KeyT
from thinc.types import FloatsXd

from ..errors import Errors, MtnlpError


class InPlaceOptimizer(Optimizer):
    """thinc's Optimizer, for kernels that change weights and moments in place."""

    __slots__: tuple = ("arrays",)
    # Each parameter's memory.
    arrays: Dict[KeyT, FloatsXd]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.arrays = {}

    def own_array(self, key: KeyT, weights: FloatsXd) -> FloatsXd:
        """The first array that was seen of the memory in which a parameter's weights lie.

        thinc makes a torch tensor of the array that comes back from a step, and an array of that
        tensor at the next step; each keeps the one before it alive, without end. It ends where the
        same array comes back each time.

        Raises MtnlpError E454 where weights cannot be stepped on in place.
        """
        own = self.arrays.get(key)
        values = xp2torch(weights)
        if own is None or xp2torch(own).data_ptr() != values.data_ptr():
            if isinstance(weights, numpy.ndarray) and values.device.type != "cpu":
                raise MtnlpError(Errors.E454.format(device=values.device))
            own = self.arrays[key] = weights
        return own

    def make_moments(self, key: KeyT, weights: FloatsXd) -> None:
        """Zeros for a parameter that is seen for the first time."""
        if key not in self.mom1:
            ops = get_array_ops(weights)
            self.mom1[key] = ops.alloc(weights.shape, dtype="float32")
            self.mom2[key] = ops.alloc(weights.shape, dtype="float32")

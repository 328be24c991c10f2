"""Caches of torch that grow with every shape of a batch."""

import os

# Shapes that are kept of each; 1024 by default, which is some hundreds of MB for an encoder.
_SHAPES = "64"
_VARIABLES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")


def bound_shape_caches() -> None:
    """Keep torch's caches on the CPU small, so that the memory of a long run stays flat: its
    batches have ever new shapes. Values that the environment sets stay.

    Call it before a pipeline runs: torch reads the environment once. Processes that are started
    afterwards inherit it.
    """
    for name in _VARIABLES:
        os.environ.setdefault(name, _SHAPES)

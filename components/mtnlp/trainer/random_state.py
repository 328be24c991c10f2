"""The state of the random number generators that training draws from."""

import random
from contextlib import contextmanager
from typing import Any, Dict, Iterator

import numpy as np
import torch


def get_random_state() -> Dict[str, Any]:
    """The state of Python's, numpy's and torch's generators, in plain types and tensors."""
    generator, keys, *rest = np.random.get_state(legacy=True)
    return {
        "python": random.getstate(),
        "numpy": (generator, np.asarray(keys).tolist(), *rest),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_random_state(state: Dict[str, Any]) -> None:
    """Go on where `get_random_state` was called."""
    random.setstate(state["python"])
    generator, keys, *rest = state["numpy"]
    np.random.set_state((generator, np.array(keys, dtype="uint32"), *rest))
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])


class ReadingRandom:
    """Random numbers for reading and shuffling the corpus, apart from those of the model.

    The order of the documents then follows from the seed alone, and comes back when the corpus is
    read again without the training that went on in between. The numbers begin where Python's and
    numpy's generators stand when the object is made.
    """

    def __init__(self) -> None:
        self._python = random.getstate()
        self._numpy = np.random.get_state()

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Python's and numpy's generators draw from here within the block."""
        python, others = random.getstate(), np.random.get_state()
        random.setstate(self._python)
        np.random.set_state(self._numpy)
        try:
            yield
        finally:
            self._python, self._numpy = random.getstate(), np.random.get_state()
            random.setstate(python)
            np.random.set_state(others)

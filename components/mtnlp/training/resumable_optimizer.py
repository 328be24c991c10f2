"""Optimizers whose state can be saved, so that a training can go on where it was stopped."""

from hashlib import blake2b
from typing import Any, Dict, List

import numpy
from thinc.api import Optimizer, xp2torch
from thinc.backends import get_array_ops
from thinc.optimizers import KeyT
from thinc.types import FloatsXd

from ..errors import Errors, MtnlpError

# What is saved of a parameter: `weights`, their fingerprint; `steps`; `mom1`, `mom2`, tensors.
SavedParameter = Dict[str, Any]
# What is saved of a layer's parameters, by their names.
SavedLayer = Dict[str, SavedParameter]


class ResumableOptimizer(Optimizer):
    """thinc's Optimizer with `state` and `load_state`.

    thinc numbers layers anew in every process, and parameters come in another order where a
    training goes on in the middle of a corpus whose annotations are missing here and there. So a
    saved layer is recognised by its weights: those of the checkpoint the state was saved with.
    """

    __slots__: tuple = ("arrays", "leftover", "position", "saved")
    # Each parameter's memory.
    arrays: Dict[KeyT, FloatsXd]
    # How often the schedules have been stepped.
    position: int
    # Layers of a loaded state that have not been seen again yet.
    saved: List[SavedLayer]
    # By layer, the parameters of a loaded state that have not been seen again yet.
    leftover: Dict[int, SavedLayer]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.arrays = {}
        self.position = 0
        self.saved = []
        self.leftover = {}

    def step_schedules(self) -> None:
        """Go to the next value of every schedule, as `spacy train` asks for after each batch."""
        self.position += 1
        super().step_schedules()

    def state(self) -> Dict[str, Any]:
        """All that the next steps depend on besides weights and settings: moments, steps made,
        place in the schedules. Plain containers of numbers, strings and CPU tensors, copied. Take
        it between batches, with the weights as they are then."""
        layers: Dict[int, SavedLayer] = {key: dict(left) for key, left in self.leftover.items()}
        for key, weights in self.arrays.items():
            layer, name = key
            layers.setdefault(layer, {})[name] = {
                "weights": fingerprint(weights),
                "steps": self.nr_update[key],
                "mom1": xp2torch(self.mom1[key]).cpu().clone(),
                "mom2": xp2torch(self.mom2[key]).cpu().clone(),
            }
        return {"position": self.position, "layers": [*layers.values(), *self.saved]}

    def load_state(self, state: Dict[str, Any]) -> None:
        """Go on from what `state` returned, with the weights of that moment.

        Moments return to their parameters when these are first stepped on. A layer whose weights
        are in no part of the state begins anew, as one does that had not been trained.

        What this optimizer has seen before is forgotten. Schedules are stepped to their place,
        unless they have been; they cannot go back.

        Raises MtnlpError E452 where they are further on; at a step E453 where one layer's weights
        are in part those of the state.
        """
        if self.position > state["position"]:
            raise MtnlpError(Errors.E452.format(own=self.position, saved=state["position"]))
        while self.position < state["position"]:
            self.step_schedules()
        for table in (self.arrays, self.mom1, self.mom2, self.nr_update, self.leftover):
            table.clear()
        self.saved = list(state["layers"])

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

    def find_moments(self, weights: Dict[KeyT, FloatsXd]) -> None:
        """Moments for parameters that are seen for the first time: those of a loaded state, or
        zeros. weights: by key, before their step; those of a layer are best given together."""
        new = {key: array for key, array in weights.items() if key not in self.mom1}
        if self.saved or self.leftover:
            self.claim(new)
        for key, array in new.items():
            layer, name = key
            ops = get_array_ops(array)
            self.mom1[key] = ops.alloc(array.shape, dtype="float32")
            self.mom2[key] = ops.alloc(array.shape, dtype="float32")
            found = self.leftover.get(layer, {}).pop(name, None)
            if found is not None:
                self.nr_update[key] = found["steps"]
                xp2torch(self.mom1[key]).copy_(found["mom1"])
                xp2torch(self.mom2[key]).copy_(found["mom2"])

    def claim(self, weights: Dict[KeyT, FloatsXd]) -> None:
        """Find the layers of a loaded state to which parameters belong."""
        layers: Dict[int, Dict[str, str]] = {}
        for (layer, name), array in weights.items():
            layers.setdefault(layer, {})[name] = fingerprint(array)
        for layer, prints in layers.items():
            if layer not in self.leftover:
                self.leftover[layer] = self.take_saved(prints)
            for name, own in prints.items():
                if self.leftover[layer].get(name, {"weights": own})["weights"] != own:
                    raise MtnlpError(Errors.E453.format(name=name))

    def take_saved(self, prints: Dict[str, str]) -> SavedLayer:
        """The saved layer that has most of the parameters, all with the same weights; empty where
        there is none. prints: of a layer's weights, by name."""
        best: SavedLayer = {}
        for saved in self.saved:
            common = prints.keys() & saved.keys()
            agrees = all(saved[name]["weights"] == prints[name] for name in common)
            if agrees and len(common) > len(prints.keys() & best.keys()):
                best = saved
        self.saved = [saved for saved in self.saved if saved is not best]
        return dict(best)


def fingerprint(weights: FloatsXd) -> str:
    """The same for weights of the same shape and the same bits."""
    array = get_array_ops(weights).to_numpy(weights)
    digest = blake2b(str(array.shape).encode(), digest_size=16)
    digest.update(numpy.ascontiguousarray(array).reshape(-1).data)
    return digest.hexdigest()

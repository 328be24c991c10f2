"""A torch module that is in eval mode except while it is trained.

thinc's own shim puts its module into train mode after every prediction. A prediction in another
thread then runs with dropout.
"""

from typing import Any, Callable, Optional, Tuple

import torch
from thinc.api import Optimizer, PyTorchShim
from thinc.types import ArgsKwargs


class EvalShim(PyTorchShim):
    """A `PyTorchShim` for predictions in several threads at once.

    The module is in train mode from `begin_update` to `finish_update`, and in eval mode otherwise.
    No prediction changes what another thread sees. Training is for one thread, while no other
    thread predicts.
    """

    # A module all of whose parts are known to be in one mode, and whether that is train mode.
    _settled: Tuple[Optional[torch.nn.Module], bool] = (None, False)

    def predict(self, inputs: ArgsKwargs) -> Any:
        """The module's output, without dropout and without gradients."""
        self.set_mode(training=False)
        with torch.no_grad(), torch.autocast("cuda", enabled=self._mixed_precision):
            return self._model(*inputs.args, **inputs.kwargs)

    def begin_update(self, inputs: ArgsKwargs) -> Tuple[Any, Callable[[ArgsKwargs], Any]]:
        """The module's output, with dropout, and the backward pass."""
        self._settled = (None, True)
        output, backprop_module = super().begin_update(inputs)  # sets train mode itself
        self._settled = (self._model, True)

        def backprop(grads: ArgsKwargs) -> Any:
            # A checkpointed part runs again here, with dropout as the first time.
            self.set_mode(training=True)
            return backprop_module(grads)

        return output, backprop

    def finish_update(self, optimizer: Optimizer) -> None:
        """Step on the gradients; training is over until the next `begin_update`."""
        super().finish_update(optimizer)
        # thinc leaves zeros, on which the next step would move weights that nobody trained in it.
        self._model.zero_grad(set_to_none=True)
        self.set_mode(training=False)

    def from_bytes(self, bytes_data: bytes) -> "EvalShim":
        """Load what `to_bytes` of any `PyTorchShim` gave."""
        self._settled = (None, False)
        super().from_bytes(bytes_data)
        if self._model is not None:
            self.set_mode(training=False)
        return self

    def set_mode(self, training: bool) -> None:
        """Put the module and all its parts into train or eval mode.

        torch sets the flag of the whole module first and those of its parts afterwards. A thread
        that finds another one at it, or does not know, sets all flags itself.
        """
        module = self._model
        if module.training == training and self._settled == (module, training):
            return
        self._settled = (None, training)
        module.train(training)
        self._settled = (module, training)

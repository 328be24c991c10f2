"""The encoder as a thinc layer that is saved without adapters."""

import copy
from types import SimpleNamespace
from typing import Any, Callable, Dict, cast

from spacy_transformers.data_classes import HFObjects
from spacy_transformers.layers.hf_shim import HFShim
from thinc.api import Model
from thinc.layers.pytorchwrapper import forward
from thinc.shims.shim import Shim

from .adapters import is_adapted, merged_state
from .attention_dropout import EncoderConfigs
from .eval_shim import EvalShim


class EncoderShim(EvalShim, HFShim):
    """A `HFShim` that saves adapters as part of the weights they stand beside, so that what is
    saved is a plain encoder. The adapters of the live one go on training."""

    def to_bytes(self) -> bytes:
        if not is_adapted(self._model):
            return super().to_bytes()
        state = merged_state(self._model)
        plain = copy.copy(self)
        # The state is all that `HFShim.to_bytes` asks this one for.
        plain._model = SimpleNamespace(state_dict=lambda: state)
        return HFShim.to_bytes(plain)

    def __deepcopy__(self, memo: Dict[int, Any]) -> "EncoderShim":
        """With an id of its own: by it, an optimizer knows whose moments are whose."""
        copied = type(self).__new__(type(self))
        memo[id(self)] = copied
        copied.__dict__.update(copy.deepcopy(self.__dict__, memo))
        copied.id = Shim(None).id
        return copied


def wrap_encoder(
    hf_model: HFObjects,
    configs: EncoderConfigs,
    convert_inputs: Callable[..., Any],
    convert_outputs: Callable[..., Any],
) -> Model[Any, Any]:
    """spacy-transformers' `HFWrapper`, with the shim above. Arguments as there.

    configs: what reads the config of a saved encoder.
    """
    return Model(
        "hf-pytorch",
        forward,
        attrs={"convert_inputs": convert_inputs, "convert_outputs": convert_outputs},
        # There is no gradient scaler: bf16 has the range of fp32.
        shims=[
            EncoderShim(
                hf_model,
                grad_scaler_config={"enabled": False},
                config_cls=cast(Any, configs),
            )
        ],
        dims={"nI": None, "nO": None},
    )

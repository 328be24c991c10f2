"""The encoder as a thinc layer that is saved without adapters."""

import copy
from types import SimpleNamespace
from typing import Any, Callable, Dict, Optional, cast

import srsly
import torch
from spacy_transformers.data_classes import HFObjects
from spacy_transformers.layers.hf_shim import HFShim
from thinc.api import Model
from thinc.layers.pytorchwrapper import forward
from thinc.shims.shim import Shim
from transformers import AutoModel

from ..errors import Errors, MtnlpError
from .adapters import is_adapted, merged_state
from .attention_dropout import EncoderConfigs
from .cpu_kernels import use_fast_layers
from .eval_shim import EvalShim
from .runner import Runner, describe


class EncoderShim(EvalShim, HFShim):
    """A `HFShim` that saves adapters as part of the weights they stand beside, so that what is
    saved is a plain encoder. The adapters of the live one go on training. A network that another
    engine runs is saved in place of the weights.

    runner: what predicts in torch's place, if anything.
    """

    runner: Optional[Runner] = None

    def to_bytes(self) -> bytes:
        """As `HFShim.to_bytes`."""
        if self.runner is not None and self.runner.network is not None:
            message = srsly.msgpack_loads(self._to_bytes_with({}))
            return srsly.msgpack_dumps({**message, "network": self.runner.saved()})
        if is_adapted(self._model):
            return self._to_bytes_with(merged_state(self._model))
        return super().to_bytes()

    def _to_bytes_with(self, state: Dict[str, Any]) -> bytes:
        """With another state in place of the encoder's."""
        plain = copy.copy(self)
        # The state is all that `HFShim.to_bytes` asks this one for.
        plain._model = SimpleNamespace(state_dict=lambda: state)
        return HFShim.to_bytes(plain)

    def from_bytes(self, bytes_data: bytes) -> "EncoderShim":
        """As `HFShim.from_bytes`. Raises: MtnlpError E293 for a network of another engine than the
        config names."""
        saved = srsly.msgpack_loads(bytes_data).get("network")
        if saved is None:
            super().from_bytes(bytes_data)
            if self._model is not None:
                use_fast_layers(self._model)
            return self
        if self.runner is None:
            raise MtnlpError(Errors.E293.format(saved=describe(saved), named="torch"))
        self.runner.restore(saved)
        self.model_cls = WeightlessEncoder
        super().from_bytes(bytes_data)
        return self

    def __deepcopy__(self, memo: Dict[int, Any]) -> "EncoderShim":
        """With an id of its own: by it, an optimizer knows whose moments are whose."""
        copied = type(self).__new__(type(self))
        memo[id(self)] = copied
        copied.__dict__.update(copy.deepcopy(self.__dict__, memo))
        copied.id = Shim(None).id
        return copied


class WeightlessEncoder:
    """What transformers' `AutoModel` is where the weights are an engine's: it makes the encoder
    without memory for weights, for its structure and config."""

    @staticmethod
    def from_config(config: Any) -> Any:
        """An encoder on torch's device "meta", which stays there."""
        with torch.device("meta"):
            encoder = AutoModel.from_config(config)
        encoder.load_state_dict = lambda *_, **__: None
        encoder.to = lambda *_, **__: encoder
        return encoder


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

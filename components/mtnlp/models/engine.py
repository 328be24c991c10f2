"""What runs the encoder of a pipeline that predicts: torch, or a network converted from it.

An engine is one file of the room `engines` and its registration in the group `thinc_layers`; a
config names it by its short name or by its registered one. A converted network is saved in place of
the encoder's weights, so that a pipeline is loaded, packaged and forked as any other.
"""

from functools import cache
from typing import List, NamedTuple, Protocol, Sequence, Tuple, cast

import torch
from thinc.api import registry

from ..errors import Errors, MtnlpError
from ..types import Bools, Floats, Ints

# What a converted encoder calls its inputs.
INPUTS = ("input_ids", "attention_mask")
TORCH = "torch"
ENGINES = {
    # In int8; what torch computes in otherwise needs no network of its own.
    TORCH: "mtnlp.TorchEngine.v1",
    "onnxruntime": "mtnlp.OnnxRuntimeEngine.v1",
    "openvino": "mtnlp.OpenVinoEngine.v1",
}
# A shape to convert by; what comes out takes any.
EXAMPLE_SHAPE = (2, 8)
# The wordpiece ids of a batch of windows and which of them are real, both `[windows, seq]`.
Sample = Tuple[Ints, Bools]


class EngineInfo(NamedTuple):
    """What runs an encoder.

    threads: that compute. instructions: of the processor, as far as they
    matter to an engine.
    """

    engine: str
    precision: str
    threads: int
    instructions: str

    def __str__(self) -> str:
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{self.engine}, {self.precision}, {threads}, {self.instructions}"


class Network(Protocol):
    """A converted encoder, ready to run in this process, in any number of threads at once."""

    def __call__(self, ids: Ints, real: Bools) -> List[Floats]:
        """ids, real: `[windows, seq]`. Returns: the states of the last layer, then of those handed
        out beside it, each `[windows, seq, width]`; what they are at padding is not said."""


class Engine(Protocol):
    """A runtime for converted encoders.

    precisions: what it computes in. calibrated: those of them whose ranges are fixed by texts.
    libraries: what it converts and runs with, as they are
        imported; the first one runs. extra: of mtnlp, which installs them. survives_fork: whether a
        network that is open runs on in a fork of its process; else it is opened there anew.
    """

    precisions: Tuple[str, ...]
    calibrated: Tuple[str, ...]
    libraries: Tuple[str, ...]
    extra: str
    survives_fork: bool

    def can_open(self, saved: str, precision: str) -> bool:
        """Whether a network that was converted for one precision runs in another."""

    def convert(self, module: torch.nn.Module, precision: str, samples: Sequence[Sample]) -> bytes:
        """module: a `HiddenStates`. samples: of the texts to come, by which the ranges of numbers
        are fixed where `precision` needs that. Returns: the network. Raises: any error where the
        engine does not know something of the encoder."""

    def open(self, network: bytes, precision: str, threads: int) -> Network:
        """network: as from `convert`. threads: at least one."""


class HiddenStates(torch.nn.Module):
    """An encoder as a function of two tensors: `[windows, seq]` ids and mask, int64, to a tuple of
    states, `[windows, seq, width]` each.

    layers: handed out beside the last.
    """

    def __init__(self, encoder: torch.nn.Module, layers: Sequence[int]):
        super().__init__()
        self.encoder = encoder
        self.layers = tuple(layers)
        # Exporters put a module back into the mode it had, the encoder within it, too.
        self.eval()

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> Tuple[torch.Tensor, ...]:
        output = self.encoder(
            input_ids=input_ids,
            attention_mask=attention_mask,
            output_hidden_states=bool(self.layers),
        )
        return (output.last_hidden_state, *[output.hidden_states[n] for n in self.layers])


def example_inputs() -> Tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask to trace an encoder with."""
    ids = torch.ones(EXAMPLE_SHAPE, dtype=torch.int64)
    mask = torch.ones_like(ids)
    mask[0, EXAMPLE_SHAPE[1] // 2 :] = 0
    return ids, mask


@cache
def find_engine(name: str) -> Engine:
    """An engine by name. Raises: MtnlpError E290 for an unknown one."""
    registered = ENGINES.get(name, name)
    if not registry.has("layers", registered):
        names = ", ".join(ENGINES)
        raise MtnlpError(Errors.E290.format(name=name, names=names))
    return cast(Engine, registry.get("layers", registered)())

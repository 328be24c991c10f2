"""torch in int8: `mtnlp.TorchEngine.v1`.

In fp32 and bf16 torch runs the encoder itself; only int8 makes a network of its own.
"""

import io
import warnings
from typing import List, Sequence, Tuple, cast

import numpy as np
import torch

from ..models.engine import Engine, Network, Sample, example_inputs
from ..types import Bools, Floats, Ints


class TorchEngine:
    """Dynamic int8 of all linear layers: weights fixed, activations by the range of each call. The
    network is saved as TorchScript, which brings its own code. Threads are torch's."""

    precisions: Tuple[str, ...] = ("int8",)
    calibrated: Tuple[str, ...] = ()
    libraries: Tuple[str, ...] = ("torch",)
    extra = ""
    survives_fork = True

    def can_open(self, saved: str, precision: str) -> bool:
        """As `Engine.can_open`."""
        return saved == precision

    def convert(self, module: torch.nn.Module, precision: str, samples: Sequence[Sample]) -> bytes:
        """As `Engine.convert`."""
        quantised = torch.ao.quantization.quantize_dynamic(module, {torch.nn.Linear})
        traced = torch.jit.trace(quantised, example_inputs(), strict=False)
        stream = io.BytesIO()
        torch.jit.save(traced, stream)
        return stream.getvalue()

    def open(self, network: bytes, precision: str, threads: int) -> Network:
        """As `Engine.open`."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return TorchNetwork(torch.jit.load(io.BytesIO(network)))


class TorchNetwork:
    """A script module, which any number of threads may use."""

    def __init__(self, module: torch.jit.ScriptModule):
        self.module = module.eval()

    def __call__(self, ids: Ints, real: Bools) -> List[Floats]:
        with torch.no_grad():
            states = self.module(torch.from_numpy(ids), torch.from_numpy(real.astype(np.int64)))
        return [cast(Floats, part.numpy()) for part in states]


def build_torch_engine_v1() -> Engine:
    """`mtnlp.TorchEngine.v1` of the `layers` registry."""
    return TorchEngine()

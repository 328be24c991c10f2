"""OpenVINO: `mtnlp.OpenVinoEngine.v1`."""

import logging
import tempfile
import threading
from pathlib import Path
from typing import Any, List, Mapping, Sequence, Tuple, cast

import numpy as np
import srsly
import torch

from ..models.engine import INPUTS, Engine, Network, Sample, example_inputs
from ..models.precision import CPU, has_bf16
from ..models.wordpieces import find_positions
from ..types import Bools, Floats, Ints
from .extras import import_extra
from .sensitive_layers import sensitive_layers

# Kernels that are kept for shapes that have been seen, some ten for each. By itself OpenVINO keeps
# five times as many: that is a gigabyte more, and a sixth less time where shapes differ at random.
SHAPE_CACHE = 1024
# It makes kernels for each shape that it has not seen. Windows are filled up to a length, and
# groups of them to a count, of which there are this many from one power of two to the next.
LENGTHS, COUNTS = 8, 4
# OpenVINO's names of what a network computes in. An int8 network has its types within; this is for
# the rest of it.
HINTS = {"fp32": "f32", "bf16": "bf16", "int8": "f32", "int8_mixed": "f32"}
FLOATS = {"fp32", "bf16"}
XML, WEIGHTS, POSITIONS = "network.xml", "network.bin", "positions"


class OpenVinoEngine:
    """Converts by OpenVINO's own reader of torch; int8 by NNCF, with calibration. "int8_mixed"
    leaves the quarter of the linear layers that 8 bits cost most in higher precision: in bf16 where
    the processor has it, else in fp32."""

    precisions: Tuple[str, ...] = ("fp32", "bf16", "int8", "int8_mixed")
    calibrated: Tuple[str, ...] = ("int8", "int8_mixed")
    libraries: Tuple[str, ...] = ("openvino", "nncf")
    extra = "openvino"
    # A thread of it may hold a lock while its process is forked: the fork would wait for ever.
    survives_fork = False

    def can_open(self, saved: str, precision: str) -> bool:
        """As `Engine.can_open`: weights in 16 bits serve fp32, too, and the other way round."""
        return saved == precision or {saved, precision} <= FLOATS

    def convert(self, module: torch.nn.Module, precision: str, samples: Sequence[Sample]) -> bytes:
        """As `Engine.convert`. Weights of a bf16 network are saved in 16 bits."""
        ov: Any = import_extra("openvino", self.extra)
        example = dict(zip(INPUTS, example_inputs(), strict=True))
        model = ov.convert_model(module, example_input=example)
        for node, name in zip(model.inputs, INPUTS, strict=True):
            node.get_tensor().set_names({name})
        if precision not in FLOATS:
            kept = sensitive_layers(module, samples) if precision == "int8_mixed" else []
            model = quantize(model, samples, kept, self.extra)
        positions = find_positions(cast(Any, module).encoder)
        return model_bytes(ov, model, precision == "bf16", positions)

    def open(self, network: bytes, precision: str, threads: int) -> Network:
        """As `Engine.open`."""
        ov: Any = import_extra("openvino", self.extra)
        is_bf16 = precision == "int8_mixed" and has_bf16(CPU)
        hint = "bf16" if is_bf16 else HINTS[precision]
        saved = srsly.msgpack_loads(network)
        compiled = compile_network(ov, ov.Core(), saved, hint, threads)
        return OpenVinoNetwork(compiled, saved.get(POSITIONS, 0))


class OpenVinoNetwork:
    """A compiled network. Each thread has a request of its own. positions: as for `fill_up`."""

    def __init__(self, compiled: Any, positions: int):
        self.compiled = compiled
        self.positions = positions
        self.requests = threading.local()

    def __call__(self, ids: Ints, real: Bools) -> List[Floats]:
        request = getattr(self.requests, "made", None)
        if request is None:
            request = self.requests.made = self.compiled.create_infer_request()
        rows, seq = ids.shape
        ids, real = fill_up(ids, real, self.positions)
        request.infer(dict(zip(INPUTS, (ids, real.astype(np.int64)), strict=True)))
        return [np.array(tensor.data[:rows, :seq]) for tensor in request.output_tensors]


def fill_up(ids: Ints, real: Bools, positions: int) -> Tuple[Ints, Bools]:
    """A group of windows in a shape of which there are few, by padding and by windows of nothing.

    ids, real: `[windows, seq]`. positions: wordpieces that the encoder reads at most; 0 where that
    is not known, which leaves their number as it is. Returns: both, `[more, longer]`.
    """
    rows, seq = ids.shape
    shape = round_up(rows, COUNTS), max(seq, min(round_up(seq, LENGTHS), positions))
    if shape == (rows, seq):
        return ids, real
    filled, kept = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=bool)
    filled[:rows, :seq], kept[:rows, :seq] = ids, real
    # Attention to nothing would be no number.
    kept[rows:, 0] = True
    return filled, kept


def round_up(count: int, steps: int) -> int:
    """The least of a row of numbers that is not below `count`: `steps`, a power of two, of them
    from each power of two to the next, at equal distances."""
    power = max(count - 1, 1).bit_length() - 1
    step = max(1, 2**power // steps)
    return -(-count // step) * step


def model_bytes(ov: Any, model: Any, compress: bool, positions: int = 0) -> bytes:
    """A model of OpenVINO as one sequence of bytes. compress: weights to 16 bits. positions: as for
    `fill_up`, of an encoder."""
    with tempfile.TemporaryDirectory() as folder:
        ov.save_model(model, str(Path(folder, XML)), compress_to_fp16=compress)
        files = {name: Path(folder, name).read_bytes() for name in (XML, WEIGHTS)}
    return srsly.msgpack_dumps({**files, POSITIONS: positions})


def compile_network(ov: Any, core: Any, files: Mapping[str, Any], hint: str, threads: int) -> Any:
    """What `model_bytes` made, ready to run. ov: the library. core: of it. files: unpacked. hint:
    what is computed in, as OpenVINO calls it. threads: 0 for its own choice."""
    weights = ov.Tensor(np.frombuffer(files[WEIGHTS], dtype=np.uint8).copy())
    settings = {
        "INFERENCE_PRECISION_HINT": hint,
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "CPU_RUNTIME_CACHE_CAPACITY": SHAPE_CACHE,
    }
    return core.compile_model(core.read_model(files[XML], weights), "CPU", settings)


def quantize(model: Any, samples: Sequence[Sample], kept: Sequence[str], extra: str) -> Any:
    """Static int8 of matrices and what they are multiplied with; softmax, norms and the rest stay
    as they are. kept: names of torch's layers that do so, too."""
    nncf: Any = import_extra("nncf", extra)
    # It names every layer that is left out.
    logging.getLogger("nncf").setLevel(logging.WARNING)
    rows = [dict(zip(INPUTS, (ids, real.astype(np.int64)), strict=True)) for ids, real in samples]
    # Operations are called by the path of the layer they come from.
    names = [op.get_friendly_name() for op in model.get_ops() if op.get_type_name() == "MatMul"]
    ignored = [name for name in names if any(f".{layer}/" in name for layer in kept)]
    return nncf.quantize(
        model,
        nncf.Dataset(rows),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(rows),
        ignored_scope=nncf.IgnoredScope(names=ignored),
    )


def build_openvino_engine_v1() -> Engine:
    """`mtnlp.OpenVinoEngine.v1` of the `layers` registry."""
    return OpenVinoEngine()

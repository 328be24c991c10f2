"""ONNX Runtime: `mtnlp.OnnxRuntimeEngine.v1`."""

import logging
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
import torch

from ..models.engine import INPUTS, Engine, Network, Sample, example_inputs
from ..types import Bools, Floats, Ints
from .extras import import_extra

OPSET = 17
# What is quantised: the products of matrices.
QUANTISED = ["MatMul", "Gemm"]


class OnnxRuntimeEngine:
    """Converts by torch's export to ONNX; int8 by ONNX Runtime's own quantisation: "int8" with the
    ranges of each call, a scale per column of the weights, "int8_static" with ranges fixed by
    calibration."""

    precisions: Tuple[str, ...] = ("fp32", "int8", "int8_static")
    calibrated: Tuple[str, ...] = ("int8_static",)
    libraries: Tuple[str, ...] = ("onnxruntime", "onnx")
    extra = "onnxruntime"
    survives_fork = False

    def can_open(self, saved: str, precision: str) -> bool:
        """As `Engine.can_open`."""
        return saved == precision

    def convert(self, module: torch.nn.Module, precision: str, samples: Sequence[Sample]) -> bytes:
        """As `Engine.convert`."""
        import_extra("onnx", self.extra)
        with tempfile.TemporaryDirectory() as folder:
            plain, made = Path(folder, "plain.onnx"), Path(folder, "quantised.onnx")
            export(module, plain)
            if precision == "fp32":
                return plain.read_bytes()
            quantise(plain, made, samples if precision == "int8_static" else None, self.extra)
            return made.read_bytes()

    def open(self, network: bytes, precision: str, threads: int) -> Network:
        """As `Engine.open`."""
        ort: Any = import_extra("onnxruntime", self.extra)
        return OnnxRuntimeNetwork(open_session(ort, network, threads))


class OnnxRuntimeNetwork:
    """A session, which any number of threads may use."""

    def __init__(self, session: Any):
        self.session = session

    def __call__(self, ids: Ints, real: Bools) -> List[Floats]:
        inputs = dict(zip(INPUTS, (ids, real.astype(np.int64)), strict=True))
        return list(self.session.run(None, inputs))


def open_session(ort: Any, network: bytes, threads: int) -> Any:
    """A session of ONNX Runtime. ort: the library. threads: 0 for its own choice."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return ort.InferenceSession(network, options, providers=["CPUExecutionProvider"])


def export(module: torch.nn.Module, path: Path) -> None:
    """Write an encoder as ONNX, for any number of windows of any length."""
    inputs = example_inputs()
    with torch.no_grad():
        count = len(module(*inputs))
    outputs = [f"states_{i}" for i in range(count)]
    axes = {name: {0: "windows", 1: "seq"} for name in (*INPUTS, *outputs)}
    write_onnx(module, inputs, path, INPUTS, outputs, axes)


def write_onnx(
    module: torch.nn.Module,
    inputs: Tuple[torch.Tensor, ...],
    path: Path,
    input_names: Sequence[str],
    output_names: Sequence[str],
    axes: Dict[str, Dict[int, str]],
) -> None:
    """Write a module as ONNX. axes: of inputs and outputs, those of any length, by name."""
    torch.onnx.export(
        module,
        inputs,
        str(path),
        input_names=list(input_names),
        output_names=list(output_names),
        dynamic_axes=axes,
        opset_version=OPSET,
        dynamo=False,
    )


def quantise(source: Path, target: Path, samples: Optional[Sequence[Sample]], extra: str) -> None:
    """samples: fix the ranges by these; None: the ranges of each call are its own."""
    tools: Any = import_extra("onnxruntime.quantization", extra)
    prepared = source.with_name("prepared.onnx")
    tools.quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    common: Dict[str, Any] = {
        "op_types_to_quantize": QUANTISED,
        "per_channel": True,
        "weight_type": tools.QuantType.QInt8,
    }
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)  # it advises what has been done
    try:
        if samples is None:
            tools.quantize_dynamic(str(prepared), str(target), **common)
        else:
            reader = make_reader(tools, samples)
            tools.quantize_static(str(prepared), str(target), reader, **common)
    finally:
        logging.root.setLevel(level)


def make_reader(tools: Any, samples: Sequence[Sample]) -> Any:
    """What gives one calibration batch after another, None at the end."""

    class Reader(tools.CalibrationDataReader):
        def __init__(self) -> None:
            self.rows = iter(samples)

        def get_next(self) -> Optional[Dict[str, Any]]:
            row = next(self.rows, None)
            if row is None:
                return None
            return dict(zip(INPUTS, (row[0], row[1].astype(np.int64)), strict=True))

    return Reader()


def build_onnxruntime_engine_v1() -> Engine:
    """`mtnlp.OnnxRuntimeEngine.v1` of the `layers` registry."""
    return OnnxRuntimeEngine()

"""The network of a head, converted as an engine's encoder is."""

import tempfile
from pathlib import Path
from typing import Any

import torch

from ...engines.extras import import_extra
from ...engines.onnxruntime import write_onnx
from ...engines.openvino import model_bytes
from ...models.runner import quiet_conversion
from .heads import HeadParts

INPUT, OUTPUT = "vectors", "scores"


def convert_head(head: HeadParts, engine: str) -> bytes:
    """The network of a head in fp32, for any number of rows; empty where it has none. Raises: any
    error where the engine does not know something of it."""
    if head.module is None:
        return b""
    example = torch.zeros(head.rows, head.width)
    with quiet_conversion(), torch.no_grad():
        if engine == "openvino":
            ov: Any = import_extra("openvino", "openvino")
            model = ov.convert_model(head.module, example_input={INPUT: example})
            model.inputs[0].get_tensor().set_names({INPUT})
            return model_bytes(ov, model, compress=False)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "head.onnx")
            axes = {INPUT: {0: "rows"}, OUTPUT: {0: "scored"}}
            write_onnx(head.module, (example,), path, [INPUT], [OUTPUT], axes)
            return path.read_bytes()

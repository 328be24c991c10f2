"""sentence-transformers in fp32 and in its own int8 forms, as its documentation makes them."""

import csv
from pathlib import Path
from typing import Any, Dict, List

from sentence_transformers import (
    SentenceTransformer,
    export_dynamic_quantized_onnx_model,
    export_static_quantized_openvino_model,
)

# Kernels that `export_dynamic_quantized_onnx_model` knows.
ONNX_KERNELS = "avx512_vnni"
CALIBRATION = 300


def load_backends(backbone: str, folder: Path, texts: List[str], length: int) -> Dict[str, Any]:
    """The encoder in torch, and in int8 by ONNX Runtime (dynamic) and OpenVINO (static).

    backbone: the encoder's folder. folder: for what is converted. texts: whose first ones fix the
    ranges of static int8. length: wordpieces of a text at most.
    Returns: SentenceTransformers, by name.
    """
    onnx, openvino = folder / "onnx", folder / "openvino"
    own: Any = {"backend": "onnx", "device": "cpu"}
    model = SentenceTransformer(backbone, **own)
    model.save_pretrained(str(onnx))
    export_dynamic_quantized_onnx_model(model, ONNX_KERNELS, str(onnx))
    model = SentenceTransformer(backbone, backend="openvino", device="cpu")
    model.save_pretrained(str(openvino))
    # The library takes a data set of the hub, or a folder.
    samples = folder / "samples"
    samples.mkdir()
    with (samples / "train.csv").open("w", encoding="utf8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerows([["sentence"], *([text] for text in texts[:CALIBRATION])])
    export_static_quantized_openvino_model(
        model,
        None,
        str(openvino),
        dataset_name=str(samples),
        dataset_config_name="default",
        dataset_split="train",
        column_name="sentence",
    )
    found = {
        "sentence-transformers, torch fp32": SentenceTransformer(backbone, device="cpu"),
        "sentence-transformers, ONNX int8": SentenceTransformer(
            str(onnx),
            model_kwargs={"file_name": f"onnx/model_qint8_{ONNX_KERNELS}.onnx"},
            **own,
        ),
        "sentence-transformers, OpenVINO int8": SentenceTransformer(
            str(openvino),
            backend="openvino",
            device="cpu",
            model_kwargs={"file_name": "openvino/openvino_model_qint8_quantized.xml"},
        ),
    }
    for each in found.values():
        each.max_seq_length = length
    return found

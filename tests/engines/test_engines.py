"""Converted encoders against torch's own."""

import logging
import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import numpy as np
import pytest
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc

from mtnlp.engines import extras, openvino
from mtnlp.errors import MtnlpError
from mtnlp.models import precision as precision_module
from mtnlp.models import runner as runner_module
from mtnlp.models.engine import find_engine
from mtnlp.models.runner import Runner
from mtnlp.models.transformer import build_transformer_model_v1
from tests.models.encoders import TEXTS
from tests.tiny import FAMILIES

ENGINES = [
    ("onnxruntime", "fp32", 1e-5),
    ("openvino", "fp32", 1e-5),
    ("openvino", "bf16", 0.2),
    ("openvino", "int8", 1.0),
    ("openvino", "int8_mixed", 1.0),
    ("onnxruntime", "int8_static", 1.0),
    ("onnxruntime", "int8", 1.0),
    ("torch", "int8", 1.0),
]
FP32 = [case[:2] for case in ENGINES if case[1] == "fp32"]
MODEL = "components.transformer.model"
Converted = Callable[[str, str], Language]
NEEDED = {"openvino": "openvino", "onnxruntime": "onnx", "torch": "torch"}


def make(backbone: Path, **settings: Any) -> Language:
    nlp = spacy.blank("en")
    architecture = "mtnlp.TransformerModel.v1"
    model = {"@architectures": architecture, "name": str(backbone), "window": 16, **settings}
    nlp.add_pipe("transformer", config={"model": model})
    nlp.initialize()
    return nlp


def make_with(backbone: Path, engine: str, precision: str = "fp32", **settings: Any) -> Language:
    """Of any processor: tests are small."""
    pytest.importorskip(NEEDED[engine])
    settings = {"allow_slow": True, **settings}
    nlp = make(backbone, engine=engine, precision=precision, **settings)
    if precision in find_engine(engine).calibrated:
        model: Any = nlp.get_pipe("transformer").model
        model.convert(model.runner, [nlp.make_doc(text) for text in TEXTS])
    return nlp


@pytest.fixture(scope="module")
def converted(backbone: Path) -> Converted:
    """`make_with` of the tiny BERT. What it made, and its network, is kept: conversion takes
    seconds."""
    return cache(partial(make_with, backbone))


def states(docs: List[Doc], name: str = "last_hidden_state") -> List[np.ndarray]:
    return [doc._.trf_data.model_output[name][0] for doc in docs if len(doc)]


def assert_close(nlp: Language, other: Language, atol: float) -> None:
    pairs = zip(states(list(nlp.pipe(TEXTS))), states(list(other.pipe(TEXTS))), strict=True)
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours, theirs, atol=atol)


@pytest.mark.parametrize("engine,precision,atol", ENGINES)
def test_the_states_are_torchs(
    engine: str, precision: str, atol: float, backbone: Path, converted: Converted
) -> None:
    assert_close(converted(engine, precision), make(backbone), atol)


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "bert"])
@pytest.mark.parametrize("engine,precision", FP32)
def test_of_any_encoder(
    engine: str, precision: str, family: str, backbones: Dict[str, Path]
) -> None:
    """BERT is in the test above."""
    backbone = backbones[family]
    if family == "llama":
        with pytest.raises(MtnlpError, match=rf"E295.*{engine}.*'llama'"):
            list(make_with(backbone, engine, precision).pipe(TEXTS))
        # What failed leaves nothing behind that makes bf16 slow.
        assert torch.is_autocast_cache_enabled()
        return
    assert_close(make_with(backbone, engine, precision), make(backbone), 1e-5)


@pytest.mark.parametrize("engine,precision", FP32)
def test_inner_layers(engine: str, precision: str, backbone: Path) -> None:
    nlp, plain = make_with(backbone, engine, layers=[0, 1]), make(backbone, layers=[0, 1])
    ours, theirs = list(nlp.pipe(TEXTS)), list(plain.pipe(TEXTS))
    for name in ("layer_0", "layer_1"):
        for a, b in zip(states(ours, name), states(theirs, name), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("engine,precision", [case[:2] for case in ENGINES])
def test_saved_in_place_of_the_weights(
    engine: str, precision: str, converted: Converted, tmp_path: Path
) -> None:
    nlp = converted(engine, precision)
    before = states(list(nlp.pipe(TEXTS)))
    nlp.to_disk(tmp_path)
    for loaded in (spacy.load(tmp_path), spacy.blank("en").from_config(nlp.config)):
        if not loaded.get_pipe("transformer").model.attrs["has_transformer"]:
            loaded.from_bytes(nlp.to_bytes())
        encoder: Any = loaded.get_pipe("transformer").model
        assert all(weight.is_meta for weight in encoder.transformer.parameters())
        for a, b in zip(states(list(loaded.pipe(TEXTS))), before, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)
        assert loaded.to_bytes() and encoder.engine_info[:2] == (engine, precision)


@pytest.mark.parametrize("engine,precision", FP32)
def test_in_processes_and_threads(engine: str, precision: str, backbone: Path) -> None:
    nlp = make_with(backbone, engine, precision, threads=2)
    texts = TEXTS * 4
    alone = states([nlp(text) for text in texts])
    with ThreadPoolExecutor(4) as pool:
        threaded = states(list(pool.map(nlp, texts)))
    # Its threads wait on each other, and only this one of the process is forked.
    forked = states(list(nlp.pipe(texts, n_process=2, batch_size=4)))
    for others in (threaded, forked):
        for a, b in zip(alone, others, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)


def check_own_network(runner: Runner, ids: np.ndarray, expected: np.ndarray) -> None:
    """In a fork: locks may stay held by threads that only its parent has."""
    inherited = runner._opened
    states = runner(torch.nn.Identity(), ids, ids > 0)[0]
    np.testing.assert_allclose(states, expected, atol=1e-5)
    assert runner._opened is not inherited


@pytest.mark.parametrize("engine,precision", FP32)
@pytest.mark.skipif("fork" not in get_all_start_methods(), reason="no forks here")
def test_a_fork_opens_a_network_of_its_own(engine: str, precision: str, backbone: Path) -> None:
    pytest.importorskip(NEEDED[engine])
    runner = Runner(engine, precision, 2, ())
    runner.convert(build(backbone).transformer)
    ids = np.arange(10, 26).reshape(2, 8)
    expected = runner(torch.nn.Identity(), ids, ids > 0)[0]
    process = get_context("fork").Process(target=check_own_network, args=(runner, ids, expected))
    process.start()
    process.join(60)
    assert process.exitcode == 0


def test_a_copy_runs_by_itself(backbone: Path) -> None:
    pytest.importorskip("onnx")
    runner = Runner("onnxruntime", "fp32", 1, ())
    runner.convert(build(backbone).transformer)
    ids = np.arange(10, 26).reshape(2, 8)
    real = np.ones((2, 8), dtype=bool)
    copied = pickle.loads(pickle.dumps(runner))
    np.testing.assert_array_equal(copied(None, ids, real)[0], runner(None, ids, real)[0])


def build(backbone: Path, **settings: Any) -> Any:
    model: Any = build_transformer_model_v1(str(backbone), **settings)
    model.initialize()
    return model


def test_a_pipeline_of_another_engine(converted: Converted, tmp_path: Path) -> None:
    make_and_save(converted("onnxruntime", "fp32"), tmp_path)
    for other in ("torch", "openvino"):
        with pytest.raises(MtnlpError, match=r"E293.*onnxruntime, fp32"):
            spacy.load(tmp_path, config={f"{MODEL}.engine": other})


def make_and_save(nlp: Language, folder: Path) -> None:
    list(nlp.pipe(TEXTS))
    nlp.to_disk(folder)


def test_it_cannot_be_trained(backbone: Path) -> None:
    model = build(backbone, engine="onnxruntime")
    with pytest.raises(MtnlpError, match="E294"):
        model.begin_update([spacy.blank("en")("Anna flew")])


@pytest.mark.parametrize(
    "settings,code",
    [
        ({"engine": "none"}, "E290"),
        ({"engine": "onnxruntime", "precision": "bf16"}, "E291"),
        ({"engine": "torch", "precision": "int8_static"}, "E291"),
    ],
)
def test_settings_it_has_not(settings: Any, code: str, backbone: Path) -> None:
    with pytest.raises(MtnlpError, match=code):
        build_transformer_model_v1(str(backbone), **settings)


def no_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (precision_module, runner_module):
        monkeypatch.setattr(module, "has_bf16", lambda device: False)


def test_bf16_where_the_processor_has_none(backbone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_bf16(monkeypatch)
    with pytest.raises(MtnlpError, match=r"E296.*AVX|DEFAULT"):
        make_with(backbone, "openvino", "bf16", allow_slow=False)
    model = make_with(backbone, "openvino", "bf16").get_pipe("transformer").model
    assert model.engine_info.precision == "bf16"
    model = make_with(backbone, "openvino", "auto").get_pipe("transformer").model
    assert model.engine_info.precision == "fp32"


def test_weights_of_16_bits_serve_fp32(
    backbone: Path, converted: Converted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_and_save(converted("openvino", "bf16"), tmp_path)
    no_bf16(monkeypatch)
    with pytest.raises(MtnlpError, match="E296"):
        spacy.load(tmp_path, config={f"{MODEL}.allow_slow": False})
    # As the message says.
    loaded = spacy.load(tmp_path, config={f"{MODEL}.precision": "auto"})
    assert loaded.get_pipe("transformer").model.engine_info.precision == "fp32"
    assert_close(loaded, make(backbone), 1e-2)


def test_what_runs_it_is_said_at_load(
    backbone: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nlp = make_with(backbone, "onnxruntime", threads=2)
    make_and_save(nlp, tmp_path)
    with caplog.at_level(logging.INFO):
        spacy.load(tmp_path)
    [line] = [text for text in caplog.messages if text.startswith("Encoder")]
    assert re.match(r"Encoder: onnxruntime, fp32, 2 threads, \w+", line)


def test_as_many_threads_as_torch_has(backbone: Path) -> None:
    nlp = make_with(backbone, "onnxruntime")
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        nlp("Anna flew")
    finally:
        torch.set_num_threads(before)
    assert nlp.get_pipe("transformer").model.engine_info.threads == 3


def test_torchs_own(backbone: Path) -> None:
    info = make(backbone).get_pipe("transformer").model.engine_info
    assert info[:3] == ("torch", "fp32", torch.get_num_threads()) and info.instructions


def test_ranges_need_texts(backbone: Path) -> None:
    nlp = make(backbone, engine="onnxruntime", precision="int8_static")
    with pytest.raises(MtnlpError, match=r"E297.*'onnxruntime' in int8_static"):
        nlp("Anna flew")


def test_a_library_that_is_missing() -> None:
    with pytest.raises(MtnlpError, match=r"E292.*pip install 'mtnlp\[openvino\]'"):
        extras.import_extra("no_such_library", "openvino")


def test_no_text(backbone: Path) -> None:
    nlp = make_with(backbone, "onnxruntime")
    model: Any = nlp.get_pipe("transformer").model
    model.convert(model.runner, [nlp.make_doc("")])
    docs: Tuple[Doc, ...] = tuple(nlp.pipe(["", " "]))
    assert [len(doc) for doc in docs] == [0, 1]


@pytest.mark.parametrize("rows,seq", [(1, 1), (3, 9), (5, 17), (51, 20), (129, 33)])
def test_openvino_gets_shapes_of_which_there_are_few(rows: int, seq: int) -> None:
    ids, real = np.ones((rows, seq), dtype=np.int64), np.ones((rows, seq), dtype=bool)
    filled, kept = openvino.fill_up(ids, real, positions=512)
    assert filled.shape == kept.shape and filled.size <= ids.size * 1.25 * 1.125 * 1.1
    assert filled.sum() == ids.sum() and filled[:rows, :seq].all()
    assert not kept[:rows, seq:].any() and kept.any(1).all()
    assert openvino.fill_up(filled, kept, positions=512)[0].shape == filled.shape


def test_openvino_never_pads_beyond_the_encoders_positions() -> None:
    ids, real = np.ones((2, 33), dtype=np.int64), np.ones((2, 33), dtype=bool)
    assert openvino.fill_up(ids, real, positions=64)[0].shape == (2, 36)
    assert openvino.fill_up(ids, real, positions=34)[0].shape == (2, 34)
    assert openvino.fill_up(ids, real, positions=0)[0].shape == (2, 33)


def test_there_are_few_of_the_numbers_rounded_to() -> None:
    rounded = [openvino.round_up(count, 8) for count in range(1, 513)]
    assert all(count <= up for count, up in enumerate(rounded, 1))
    assert len(set(rounded)) == 8 + 6 * 8 and {8, 9, 15, 16, 18, 30, 32, 36, 512} <= set(rounded)

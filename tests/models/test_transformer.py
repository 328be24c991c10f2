"""The shared encoder against direct calls of Hugging Face's."""

from pathlib import Path
from typing import Any, List

import numpy as np
import pytest
import torch
from spacy.tokens import Doc
from thinc.api import xp2torch
from transformers.file_utils import ModelOutput

from mtnlp.errors import MtnlpError
from mtnlp.models.doc_data import EncodedBatch
from mtnlp.models.transformer import build_transformer_model_v1
from tests.models.encoders import (
    NO_DROPOUT,
    TEXTS,
    load_reference,
    make_docs,
    make_encoder,
    run_windows,
    split_windows,
)


def hidden(data: Any) -> np.ndarray:
    return data.model_output.last_hidden_state[0]


@pytest.mark.parametrize("text", [TEXTS[0], TEXTS[1], TEXTS[2], TEXTS[4]])
def test_hidden_states_are_those_of_hugging_face(any_backbone: Path, text: str) -> None:
    (data,) = make_encoder(any_backbone).predict(make_docs([text])).doc_data
    tokenizer, transformer = load_reference(any_backbone)
    inputs = tokenizer(text, return_tensors="pt", return_token_type_ids=False)
    with torch.no_grad():
        expected = transformer(**inputs).last_hidden_state[0]
    assert data.wordpieces.input_ids[0].tolist() == inputs["input_ids"][0].tolist()
    assert data.wordpieces.strings == [inputs.tokens()]
    np.testing.assert_allclose(hidden(data), expected.numpy(), atol=1e-5)


def test_windows_are_those_of_hugging_face(any_backbone: Path) -> None:
    (data,) = make_encoder(any_backbone).predict(make_docs([TEXTS[5]])).doc_data
    _, transformer = load_reference(any_backbone)
    assert len(data.wordpieces.lengths) > 1
    with torch.no_grad():
        expected = run_windows(transformer, data)
    np.testing.assert_allclose(hidden(data), expected.numpy(), atol=1e-5)


def test_padding_and_grouping_change_nothing(any_backbone: Path) -> None:
    model = make_encoder(any_backbone)
    docs = make_docs()
    together = model.predict(docs).doc_data
    for doc, data in zip(docs, together, strict=True):
        (alone,) = model.predict([doc]).doc_data
        assert split_windows(alone) == split_windows(data)
        np.testing.assert_allclose(hidden(alone), hidden(data), atol=1e-5)
        np.testing.assert_allclose(alone.token_vectors, data.token_vectors, atol=1e-5)


def test_token_vectors_are_means_over_the_alignment(backbone: Path) -> None:
    docs = make_docs()
    for doc, data in zip(docs, make_encoder(backbone).predict(docs).doc_data, strict=True):
        assert len(data.token_vectors) == len(data.align.lengths) == len(doc)
        for i in range(len(doc)):
            own = hidden(data)[data.align[i].dataXd.ravel()]
            np.testing.assert_allclose(data.token_vectors[i], own.mean(0), atol=1e-6)


def test_special_tokens_stand_for_no_token(any_backbone: Path) -> None:
    model = make_encoder(any_backbone)
    (data,) = model.predict(make_docs([TEXTS[5]])).doc_data
    special = set(model.tokenizer.all_special_ids)
    ids = data.wordpieces.input_ids[0]
    assert special & set(ids.tolist())
    assert not special & set(ids[data.align.dataXd.ravel()].tolist())


@pytest.mark.parametrize("window", [8, 16, 40, 10_000])
def test_window_setting(backbone: Path, window: int) -> None:
    model = make_encoder(backbone, window=window)
    (data,) = model.predict(make_docs([TEXTS[5]])).doc_data
    longest = max(data.wordpieces.lengths)
    assert longest <= min(window, 64)
    assert longest > min(window, 64) / 2 - 8
    assert sum(data.wordpieces.lengths) == len(hidden(data))


def test_window_without_room(backbone: Path) -> None:
    with pytest.raises(MtnlpError, match="E203"):
        make_encoder(backbone, window=2).predict(make_docs(["Hello"]))


def test_missing_backbone(tmp_path: Path) -> None:
    with pytest.raises(MtnlpError, match="E204"):
        build_transformer_model_v1(str(tmp_path / "nowhere")).initialize()


def backprop_hidden(
    output: EncodedBatch, backprop: Any, d_hidden: torch.Tensor, **d_inner: torch.Tensor
) -> None:
    backprop(
        EncodedBatch(
            spans=output.spans,
            wordpieces=output.wordpieces,
            model_output=ModelOutput(last_hidden_state=d_hidden, **d_inner),
            align=output.align,
        )
    )


def gradients(model: Any) -> List[np.ndarray]:
    return [
        parameter.grad.numpy().copy()
        for parameter in model.transformer.parameters()
        if parameter.grad is not None
    ]


def test_gradients_are_those_of_autograd(backbone: Path) -> None:
    model = make_encoder(backbone, transformer_config=NO_DROPOUT)
    docs = make_docs()
    output, backprop = model.begin_update(docs)
    d_hidden = torch.randn_like(output.model_output.last_hidden_state)
    backprop_hidden(output, backprop, d_hidden)
    found = gradients(model)
    model.transformer.zero_grad(set_to_none=True)
    expected = torch.cat([run_windows(model.transformer, data) for data in output.doc_data])
    expected.backward(d_hidden)
    assert len(found) == len(gradients(model)) > 10
    for ours, autograd in zip(found, gradients(model), strict=True):
        np.testing.assert_allclose(ours, autograd, rtol=1e-4, atol=1e-4)


def test_gradients_of_two_passes_add_up(backbone: Path) -> None:
    model = make_encoder(backbone, transformer_config=NO_DROPOUT)
    found = []
    for _ in range(2):
        output, backprop = model.begin_update(make_docs())
        backprop_hidden(output, backprop, torch.ones_like(output.model_output.last_hidden_state))
        found.append(gradients(model))
    for once, twice in zip(*found, strict=True):
        np.testing.assert_allclose(2 * once, twice, rtol=1e-4, atol=1e-4)


def test_bf16_returns_float32_close_to_fp32(any_backbone: Path) -> None:
    docs = make_docs()
    exact = make_encoder(any_backbone).predict(docs).doc_data
    rough = make_encoder(any_backbone, precision="bf16", allow_slow=True).predict(docs).doc_data
    a = np.concatenate([hidden(data) for data in exact])
    b = np.concatenate([hidden(data) for data in rough])
    assert b.dtype == np.float32
    assert not np.allclose(a, b, atol=1e-5)  # it did run in bf16
    cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    assert cosine.min() > 0.999


def test_bf16_gradients_are_float32_close_to_fp32(backbone: Path) -> None:
    found = []
    for precision in ("fp32", "bf16"):
        model = make_encoder(
            backbone, precision=precision, allow_slow=True, transformer_config=NO_DROPOUT
        )
        output, backprop = model.begin_update(make_docs())
        d_hidden = torch.randn(
            output.model_output.last_hidden_state.shape,
            generator=torch.Generator().manual_seed(0),
        )
        backprop_hidden(output, backprop, d_hidden)
        assert all(grad.dtype == np.float32 for grad in gradients(model))
        found.append(np.concatenate([grad.ravel() for grad in gradients(model)]))
    a, b = found
    assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) > 0.99


def test_empty_docs_have_no_data_and_get_no_gradient(backbone: Path) -> None:
    model = make_encoder(backbone)
    docs = make_docs(["", "Paris is big.", "", "Yes", ""])
    output, backprop = model.begin_update(docs)
    assert len(output.doc_data) == 5
    assert [len(data.align.lengths) for data in output.doc_data] == [0, 4, 0, 1, 0]
    assert "last_hidden_state" not in output.doc_data[0].model_output
    # The convention of spacy-transformers: a gradient for each Doc with tokens, none for others.
    states = [data.model_output.last_hidden_state for data in output.doc_data[1::2]]
    d_output = output.unsplit_by_doc([[np.ones_like(state)] for state in states])
    n_wordpieces = sum(state.shape[1] for state in states)
    assert d_output.model_output.last_hidden_state.shape == (n_wordpieces, 32)
    backprop(d_output)
    assert any(np.abs(grad).sum() > 0 for grad in gradients(model))


def test_batch_of_empty_docs(backbone: Path) -> None:
    model = make_encoder(backbone)
    output, backprop = model.begin_update(make_docs(["", ""]))
    assert len(output.doc_data) == 2
    backprop(output.unsplit_by_doc([]))
    assert not any(np.abs(grad).sum() for grad in gradients(model))


def test_no_gradient_at_all_is_zero(backbone: Path) -> None:
    output, _ = make_encoder(backbone).begin_update(make_docs(["Paris is big."]))
    d_hidden = output.unsplit_by_doc([]).model_output.last_hidden_state
    assert d_hidden.shape == output.model_output.last_hidden_state.shape
    assert not d_hidden.any()


@pytest.mark.parametrize("text", [" ", "\n\n \t", "\u200b", "\x00", "a", "."])
def test_texts_without_words_have_vectors(any_backbone: Path, text: str) -> None:
    (doc,) = make_docs([text])
    (data,) = make_encoder(any_backbone).predict([doc]).doc_data
    assert len(data.token_vectors) == len(doc) == 1
    assert np.linalg.norm(data.token_vectors) > 0


def test_token_longer_than_the_window(any_backbone: Path) -> None:
    model = make_encoder(any_backbone)
    docs = [Doc(make_docs(["a"])[0].vocab, words=["before", "-/" * 300, "after"])]
    (data,) = model.predict(docs).doc_data
    ids = model.tokenizer(docs[0].text, add_special_tokens=False)["input_ids"]
    windows = split_windows(data)
    assert len(windows) > 2
    special = model.windower.special
    inner = [part[len(special.prefix) : len(part) - len(special.suffix)] for part in windows]
    assert [piece for part in inner for piece in part] == ids
    assert data.align.lengths[1] == 600  # no vocabulary joins the two signs
    assert np.linalg.norm(data.token_vectors, axis=1).min() > 0


def test_copy_is_independent(backbone: Path) -> None:
    model = make_encoder(backbone, window=16, precision="bf16", allow_slow=True)
    copied = model.copy()
    assert (copied.window, copied.precision) == (16, "bf16")
    docs = make_docs()
    before = [hidden(data).copy() for data in model.predict(docs).doc_data]
    with torch.no_grad():
        for parameter in model.transformer.parameters():
            parameter.zero_()
    assert copied.id != model.id
    for data, expected in zip(copied.predict(docs).doc_data, before, strict=True):
        np.testing.assert_array_equal(hidden(data), expected)


def test_round_trip_through_bytes(any_backbone: Path) -> None:
    model = make_encoder(any_backbone, window=16)
    docs = make_docs()
    loaded = build_transformer_model_v1("not read", window=16).from_bytes(model.to_bytes())
    pairs = zip(model.predict(docs).doc_data, loaded.predict(docs).doc_data, strict=True)
    for ours, theirs in pairs:
        assert split_windows(ours) == split_windows(theirs)
        np.testing.assert_allclose(hidden(ours), hidden(theirs), atol=1e-6)


def test_the_config_decides_how_a_saved_model_runs(backbone: Path) -> None:
    saved = make_encoder(backbone).to_bytes()
    docs = make_docs([TEXTS[5]])
    loaded = build_transformer_model_v1(
        "not read", window=16, precision="bf16", allow_slow=True
    ).from_bytes(saved)
    expected = (
        make_encoder(backbone, window=16, precision="bf16", allow_slow=True)
        .predict(docs)
        .doc_data[0]
    )
    found = loaded.predict(docs).doc_data[0]
    assert max(found.wordpieces.lengths) <= 16
    np.testing.assert_array_equal(hidden(found), hidden(expected))


def test_data_of_a_doc_round_trips(backbone: Path) -> None:
    (data,) = make_encoder(backbone).predict(make_docs([TEXTS[5]])).doc_data
    again = type(data)(**{**vars(data)}).from_bytes(data.to_bytes())
    np.testing.assert_array_equal(hidden(again), hidden(data))
    np.testing.assert_array_equal(again.align.dataXd, data.align.dataXd)
    assert list(again.wordpieces.lengths) == list(data.wordpieces.lengths)
    assert xp2torch(hidden(again)).shape == hidden(data).shape

"""Document vectors against sums taken window by window."""

from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest
import torch
from spacy import registry
from spacy.tokens import Doc
from spacy.vocab import Vocab
from spacy_transformers.data_classes import TransformerData
from thinc.api import Model

from mtnlp.models.poolers import (
    build_token_pooler_v1,
    build_transformer_pooler_v1,
)
from mtnlp.models.wordpiece_rows import wordpiece_rows
from tests.models.encoders import TEXTS, make_docs, make_encoder

POOLINGS = ["mean", "max", "mean_max", "cls", "attention"]
QUERY = np.random.default_rng(1).normal(0.0, 0.3, 32).astype("float32")


@pytest.fixture(scope="module")
def datas(any_backbone: Path) -> List[TransformerData]:
    """Docs of one and of several windows, empty ones among them."""
    return make_encoder(any_backbone).predict(make_docs(["", *TEXTS, ""])).doc_data


def windows_of(data: Any) -> List[torch.Tensor]:
    hidden = torch.from_numpy(data.model_output.last_hidden_state[0].copy())
    return list(hidden.split(list(data.wordpieces.lengths)))


def with_query(pool: Model, query: np.ndarray) -> Model:
    """The layer, its query set where it has one."""
    if pool.attrs["pooling"] == "attention":
        pool.set_param("query", query.copy())
    return pool


def pool_by_hand(windows: List[torch.Tensor], pooling: str) -> torch.Tensor:
    if pooling == "attention":
        rows = torch.cat(windows)
        return (rows @ torch.from_numpy(QUERY[: rows.shape[1]])).softmax(0) @ rows
    if pooling == "mean":
        return torch.stack([row for window in windows for row in window]).mean(0)
    if pooling == "max":
        return torch.cat(windows).amax(0)
    if pooling == "mean_max":
        return torch.cat([pool_by_hand(windows, name) for name in ("mean", "max")])
    return torch.stack([window[0] for window in windows]).mean(0)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("factor", [1.0, 0.5])
def test_transformer_pooler(datas: List[TransformerData], pooling: Any, factor: float) -> None:
    assert max(len(data.wordpieces.lengths) for data in datas) > 1
    pool = build_transformer_pooler_v1(pooling=pooling, grad_factor=factor).get_ref("pool")
    pooled, backprop = with_query(pool, QUERY)(datas, is_train=True)
    assert pooled.shape == (len(datas), 64 if pooling == "mean_max" else 32)
    assert not pooled[0].any()
    assert not pooled[-1].any()
    d_pooled = np.random.default_rng(0).normal(size=pooled.shape).astype("float32")
    gradients = backprop(d_pooled)
    full = [i for i, data in enumerate(datas) if len(data.align.lengths)]
    assert len(gradients) == len(full) == len(TEXTS)
    for i, gradient in zip(full, gradients, strict=True):
        windows = [window.requires_grad_() for window in windows_of(datas[i])]
        expected = pool_by_hand(windows, pooling)
        np.testing.assert_allclose(pooled[i], expected.detach().numpy(), atol=5e-6)
        expected.backward(factor * torch.from_numpy(d_pooled[i]))
        by_hand = torch.cat([window.grad for window in windows])
        np.testing.assert_allclose(
            gradient.model_output.last_hidden_state[0], by_hand.numpy(), atol=5e-6
        )


def fixed_tok2vec(vectors: List[np.ndarray]) -> Model:
    """A tok2vec that answers with given vectors, its gradient kept in `attrs["d_vectors"]`."""

    def forward(model: Model, docs: List[Doc], is_train: bool) -> Any:
        def backprop(d_vectors: List[np.ndarray]) -> List[Doc]:
            model.attrs["d_vectors"] = d_vectors
            return docs

        return vectors, backprop

    return Model("fixed", forward, attrs={"d_vectors": None})


@pytest.mark.parametrize("pooling", POOLINGS)
def test_token_pooler(pooling: Any) -> None:
    random = np.random.default_rng(0)
    vectors = [random.normal(size=(n, 6)).astype("float32") for n in (3, 0, 1, 7)]
    docs = [Doc(Vocab(), words=["a"] * len(part)) for part in vectors]
    tok2vec = fixed_tok2vec(vectors)
    model = build_token_pooler_v1(tok2vec, pooling)
    with_query(model.get_ref("pool"), QUERY[:6])
    pooled, backprop = model(docs, is_train=True)
    d_pooled = random.normal(size=pooled.shape).astype("float32")
    backprop(d_pooled)
    gradients = tok2vec.attrs["d_vectors"]
    assert len(gradients) == len(vectors)
    for part, row, d_row, gradient in zip(vectors, pooled, d_pooled, gradients, strict=True):
        assert gradient.shape == part.shape
        if not len(part):
            assert not row.any()
            continue
        window = torch.from_numpy(part).requires_grad_()
        expected = pool_by_hand([window], pooling)
        np.testing.assert_allclose(row, expected.detach().numpy(), atol=5e-6)
        expected.backward(torch.from_numpy(d_row))
        np.testing.assert_allclose(gradient, window.grad.numpy(), atol=5e-6)


def test_token_pooler_of_docs_without_tokens() -> None:
    vectors = [np.zeros((0, 6), dtype="float32")] * 2
    model = build_token_pooler_v1(fixed_tok2vec(vectors))
    pooled, backprop = model([Doc(Vocab())] * 2, is_train=True)
    assert len(pooled) == 2
    backprop(pooled)


def test_token_pooler_over_the_cnn_of_spacy() -> None:
    cnn = registry.get("architectures", "spacy.HashEmbedCNN.v2")(
        width=8,
        depth=1,
        embed_size=50,
        window_size=1,
        maxout_pieces=2,
        subword_features=True,
        pretrained_vectors=None,
    )
    model = build_token_pooler_v1(cnn)
    docs = make_docs(TEXTS)
    model.initialize(X=docs)
    vectors = cnn.predict(docs)
    for row, part in zip(model.predict(docs), vectors, strict=True):
        np.testing.assert_allclose(row, part.mean(0), atol=1e-5)


def test_batch_of_empty_docs() -> None:
    pool = build_transformer_pooler_v1().get_ref("pool")
    pooled, backprop = pool([TransformerData.empty()] * 3, is_train=True)
    assert len(pooled) == 3
    assert backprop(pooled) == []


def test_mean_of_rows_is_the_mean_of_wordpieces(datas: List[TransformerData]) -> None:
    for data in datas:
        row = wordpiece_rows([data])[0]
        assert len(row) == len(data.align.lengths)
        if len(row):
            hidden = data.model_output.last_hidden_state[0]
            np.testing.assert_allclose(row.mean(0), hidden.mean(0), atol=1e-5)


def test_rows_of_a_span_sum_up_its_wordpieces(backbone: Path) -> None:
    (doc,) = make_docs(["Anna Keller flew to Paris on Monday."])
    (data,) = make_encoder(backbone).predict([doc]).doc_data
    hidden = data.model_output.last_hidden_state[0]
    row = wordpiece_rows([data])[0]
    own = [data.align[i].dataXd.ravel() for i in range(len(doc))]
    scale = len(doc) / len(hidden)
    for i in range(1, len(doc) - 1):  # the first and the last also hold the special tokens
        np.testing.assert_allclose(row[i], scale * hidden[own[i]].sum(0), atol=1e-5)
    first = scale * (hidden[0] + hidden[own[0]].sum(0))
    np.testing.assert_allclose(row[0], first, atol=1e-5)
    last = scale * (hidden[own[-1]].sum(0) + hidden[-1])
    np.testing.assert_allclose(row[-1], last, atol=1e-5)


def test_rows_share_a_wordpiece_of_several_tokens(backbone: Path) -> None:
    doc = Doc(Vocab(), words=["ab©", "©"], spaces=[False, False])
    (data,) = make_encoder(backbone).predict([doc]).doc_data
    pieces = [data.align[i].dataXd.ravel().tolist() for i in range(2)]
    shared = set(pieces[0]) & set(pieces[1])
    assert shared  # one wordpiece reaches over both tokens
    row = wordpiece_rows([data])[0]
    hidden = data.model_output.last_hidden_state[0]
    np.testing.assert_allclose(row.mean(0), hidden.mean(0), atol=1e-6)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_padding_of_the_stock_encoder_is_left_out(
    backbones: Dict[str, Path], family: str, pooling: Any
) -> None:
    """`spacy-transformers.TransformerModel.v3` pads all windows of a batch to the longest."""
    build = registry.get("architectures", "spacy-transformers.TransformerModel.v3")
    spans = registry.get("span_getters", "spacy-transformers.strided_spans.v1")(8, 6)
    model = build(name=str(backbones[family]), get_spans=spans)
    model.initialize()
    docs = make_docs([TEXTS[2], TEXTS[0], "The mayor opened the bridge over the river Aller ."])
    together = model.predict(docs).doc_data
    pool = build_transformer_pooler_v1(pooling=pooling).get_ref("pool")
    pooled, backprop = with_query(pool, QUERY)(together, is_train=True)
    for doc, row, data in zip(docs, pooled, together, strict=True):
        (alone,) = model.predict([doc]).doc_data
        mask = alone.wordpieces.attention_mask > 0
        hidden = torch.from_numpy(alone.model_output.last_hidden_state)
        windows = [part[real] for part, real in zip(hidden, mask, strict=True)]
        expected = pool_by_hand(windows, pooling).numpy()
        np.testing.assert_allclose(row, expected, atol=1e-5)
        if pooling == "mean":
            np.testing.assert_allclose(wordpiece_rows([data])[0].mean(0), expected, atol=1e-5)
    for data, gradient in zip(together, backprop(np.ones_like(pooled)), strict=True):
        d_hidden = gradient.model_output.last_hidden_state
        assert d_hidden.shape == data.model_output.last_hidden_state.shape
        assert not d_hidden[data.wordpieces.attention_mask == 0].any()
        if pooling != "attention":  # whose weights move with the hidden states
            total = np.full(32, pooled.shape[1] / 32)
            np.testing.assert_allclose(d_hidden.sum((0, 1)), total, atol=1e-5)


def test_rows_of_a_batch_are_those_of_each_doc(any_backbone: Path) -> None:
    docs = make_docs([TEXTS[0], "", *TEXTS[1:], "   "])
    datas = make_encoder(any_backbone, window=16).predict(docs).doc_data
    together = wordpiece_rows(datas)
    assert [len(rows) for rows in together] == [len(doc) for doc in docs]
    for rows, data in zip(together, datas, strict=True):
        np.testing.assert_allclose(rows, wordpiece_rows([data])[0], atol=1e-6)

"""The query of pooling by attention: its size, gradient, steps and copies."""

from functools import partial
from pathlib import Path
from typing import Any, List

import numpy as np
import pytest
import torch
from spacy.tokens import Doc
from spacy.vocab import Vocab
from spacy_transformers.data_classes import TransformerData
from thinc.api import Model, Optimizer

from mtnlp.models.concat_tok2vec import finish_update
from mtnlp.models.poolers import build_token_pooler_v1, build_transformer_pooler_v1
from tests.models.encoders import make_docs, make_encoder

LENGTHS = (3, 0, 1, 7)
VECTORS = [np.random.default_rng(n).normal(size=(n, 6)).astype("float32") for n in LENGTHS]
DOCS = [Doc(Vocab(), words=["a"] * n) for n in LENGTHS]


def make_pooler() -> Model:
    """Attention over given token vectors, `[tokens, 6]`."""
    given: Model = Model("given", lambda model, docs, is_train: (VECTORS, lambda d: docs))
    return build_token_pooler_v1(given, "attention")


def pool_torch(vectors: List[torch.Tensor], query: torch.Tensor) -> torch.Tensor:
    return torch.stack([(rows @ query).softmax(0) @ rows for rows in vectors])


def test_it_begins_as_the_mean() -> None:
    model = make_pooler()
    before = model.predict(DOCS)
    model.initialize(X=DOCS)
    query = model.get_ref("pool").get_param("query")
    assert query.shape == (6,) and not query.any()
    means = [part.mean(0) if len(part) else np.zeros(6) for part in VECTORS]
    np.testing.assert_allclose(model.predict(DOCS), np.stack(means), atol=1e-6)
    np.testing.assert_array_equal(model.predict(DOCS), before)


def test_width_over_several_layers(backbone: Path) -> None:
    encoder = make_encoder(backbone, layers=[0, 1])
    datas = encoder.predict(make_docs()).doc_data
    pool = build_transformer_pooler_v1("attention", layers=[0, 1]).get_ref("pool")
    pool.initialize(X=datas)
    assert pool.get_param("query").shape == (3 * 32,)
    pool.initialize(X=[TransformerData.empty()])
    assert not pool.has_param("query")


@pytest.mark.parametrize("factor", [0.0, 0.5])
def test_gradient(factor: float, backbone: Path) -> None:
    """Sub-batches add up, and the factor for the shared encoder is not for the query."""
    datas = make_encoder(backbone).predict(make_docs()).doc_data
    pool = build_transformer_pooler_v1("attention", grad_factor=factor).get_ref("pool")
    start = np.random.default_rng(0).normal(size=32).astype("float32")
    pool.set_param("query", start.copy())
    d_pooled = np.random.default_rng(1).normal(size=(len(datas), 32)).astype("float32")
    for part in (slice(0, 3), slice(3, None)):
        _, backprop = pool(datas[part], is_train=True)
        backprop(d_pooled[part])
    query = torch.from_numpy(start).requires_grad_()
    rows = [torch.from_numpy(data.model_output.last_hidden_state[0].copy()) for data in datas]
    pool_torch(rows, query).backward(torch.from_numpy(d_pooled))
    assert query.grad is not None
    np.testing.assert_allclose(pool.get_grad("query"), query.grad.numpy(), atol=1e-4)


def test_it_learns_at_the_heads_rate() -> None:
    """Which token to look at: the one that points to the first feature."""
    model = make_pooler()
    model.initialize(X=DOCS)
    pool = model.get_ref("pool")
    _, backprop = model.begin_update(DOCS)
    d_pooled = np.zeros((4, 6), dtype="float32")
    d_pooled[:, 0] = -1.0
    backprop(d_pooled)
    gradient = pool.get_grad("query").copy()
    assert gradient[0] < 0

    def step(rate: float, key: Any, weights: Any, gradient: Any) -> Any:
        return weights - rate * gradient, 0 * gradient

    sgd: List[Optimizer] = [partial(step, rate) for rate in (0.1, 10.0)]  # type: ignore[misc]
    before = model.predict(DOCS)
    finish_update(model, *sgd)
    np.testing.assert_allclose(pool.get_param("query"), -10.0 * gradient)
    assert (model.predict(DOCS)[[0, 3], 0] > before[[0, 3], 0]).all()


def test_saved_and_loaded() -> None:
    model = make_pooler()
    model.initialize(X=DOCS)
    model.get_ref("pool").set_param("query", np.arange(6, dtype="float32"))
    other = make_pooler()
    other.from_bytes(model.to_bytes())
    for made in (other, model.copy()):
        np.testing.assert_array_equal(made.predict(DOCS), model.predict(DOCS))


def test_other_poolings_have_none() -> None:
    for pooling in ("mean", "max", "mean_max", "cls"):
        model = build_transformer_pooler_v1(pooling)  # type: ignore[arg-type]
        assert not model.get_ref("pool").param_names

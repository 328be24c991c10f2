"""Token vectors from the shared encoder, and the way of their gradients back into it."""

from pathlib import Path
from typing import Any, List

import numpy as np
import pytest
import torch
from spacy import registry
from spacy.language import Language
from spacy.training import Example
from spacy_transformers.data_classes import TransformerData
from spacy_transformers.layers import TransformerListener
from thinc.api import reduce_mean

from mtnlp.models.listener import build_transformer_listener_v1, token_vectors
from tests.models.encoders import NO_DROPOUT, TEXTS, make_docs, make_encoder, run_windows
from tests.tiny import make_nlp

STOCK = {
    "@architectures": "spacy-transformers.TransformerListener.v1",
    "grad_factor": 1.0,
    "pooling": {"@layers": "reduce_mean.v1"},
}


def trained_nlp(backbone: Path, pipes: List[str], **configs: Any) -> Language:
    """An initialised pipeline without dropout in the encoder."""
    nlp = make_nlp(backbone, pipes, {"transformer": {"transformer_config": NO_DROPOUT}, **configs})
    ner = Example.from_dict(nlp.make_doc("Anna slept"), {"entities": [(0, 4, "PER")]})
    ner.reference.cats = {"event/DEATH": 1.0, "sentiment/positive": 1.0, "sentiment/negative": 0.0}
    nlp.initialize(lambda: [ner])
    return nlp


def encoder_gradient(nlp: Language) -> np.ndarray:
    """The gradients of all the encoder's weights, in one row; they are then cleared."""
    transformer = nlp.get_pipe("transformer").model.transformer
    parts = [
        np.zeros(parameter.numel()) if parameter.grad is None else parameter.grad.numpy().ravel()
        for parameter in transformer.parameters()
    ]
    transformer.zero_grad(set_to_none=True)
    return np.concatenate(parts)


def token_means(transformer: torch.nn.Module, data: Any) -> torch.Tensor:
    """`[tokens, width]`, each token's mean taken by itself."""
    hidden = run_windows(transformer, data)
    return torch.stack(
        [hidden[data.align[i].dataXd.ravel()].mean(0) for i in range(len(data.align.lengths))]
    )


def random_like(parts: List[Any], seed: int = 0) -> List[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.normal(size=part.shape).astype("float32") for part in parts]


@pytest.mark.parametrize("factor", [1.0, 0.25])
def test_gradient_is_that_of_autograd(backbone: Path, factor: float) -> None:
    model = {"tok2vec": {"grad_factor": factor}}
    nlp = trained_nlp(backbone, ["ner"], ner={"model": model})
    docs = make_docs([*TEXTS, ""])
    pipe = nlp.get_pipe("transformer")
    pipe.update([Example(doc, doc) for doc in docs])
    vectors, backprop = nlp.get_pipe("ner").model.get_ref("tok2vec").begin_update(docs)
    d_vectors = random_like(vectors)
    backprop([part.copy() for part in d_vectors])
    found = encoder_gradient(nlp)
    for data, part, d_part in zip(
        pipe.model.predict(docs).doc_data, vectors, d_vectors, strict=True
    ):
        if len(part):
            expected = token_means(pipe.model.transformer, data)
            np.testing.assert_allclose(part, expected.detach().numpy(), atol=1e-5)
            expected.backward(factor * torch.from_numpy(d_part))
    np.testing.assert_allclose(found, encoder_gradient(nlp), rtol=1e-3, atol=1e-4)
    assert np.abs(found).max() > 0.1


def test_gradients_of_several_listeners_add_up(backbone: Path) -> None:
    tok2vec = {"tok2vec": {"grad_factor": 0.5}}
    nlp = trained_nlp(
        backbone, ["ner", "textcat", "events", "sentence_vectors"], textcat={"model": tok2vec}
    )
    docs = make_docs()
    pipe = nlp.get_pipe("transformer")
    names = ["ner", "textcat", "events", "sentence_vectors"]

    def gradient_of(active: List[str]) -> np.ndarray:
        pipe.update([Example(doc, doc) for doc in docs])
        for seed, name in enumerate(names):
            layer = nlp.get_pipe(name).model.get_ref("tok2vec")
            vectors, backprop = layer.begin_update(docs)
            weight = float(name in active)
            if isinstance(vectors, list):
                backprop([weight * part for part in random_like(vectors, seed)])
            else:
                backprop(weight * random_like([vectors], seed)[0])
        return encoder_gradient(nlp)

    alone = [gradient_of([name]) for name in names]
    assert all(np.abs(part).max() > 0 for part in alone)
    np.testing.assert_allclose(sum(alone), gradient_of(names), rtol=1e-3, atol=1e-4)


def test_same_as_the_stock_listener(any_backbone: Path) -> None:
    docs = make_docs(["", *TEXTS, ""])
    datas = make_encoder(any_backbone).predict(docs).doc_data
    stock = registry.get("architectures", "spacy-transformers.TransformerListener.v1")(
        pooling=reduce_mean(), grad_factor=0.5
    )
    results = []
    for layer in (token_vectors(0.5), stock.layers[1]):
        vectors, backprop = layer(datas, is_train=True)
        gradients = backprop(random_like(vectors))
        results.append((vectors, [g.model_output.last_hidden_state for g in gradients]))
    (ours, d_ours), (theirs, d_theirs) = results
    assert len(ours) == len(theirs) == len(docs)
    assert len(d_ours) == len(d_theirs) == len(TEXTS)
    for one, other in zip([*ours, *d_ours], [*theirs, *d_theirs], strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_stock_listener_sees_the_same_vectors_in_a_pipeline(backbone: Path) -> None:
    ours = trained_nlp(backbone, ["ner"])
    theirs = trained_nlp(backbone, ["ner"], ner={"model": {"tok2vec": STOCK}})
    for text in TEXTS:
        vectors = [
            nlp.get_pipe("ner").model.get_ref("tok2vec").predict([nlp(text)])[0]
            for nlp in (ours, theirs)
        ]
        np.testing.assert_allclose(*vectors, atol=1e-5)


def test_the_transformer_finds_the_listener(backbone: Path) -> None:
    nlp = trained_nlp(backbone, ["ner", "textcat", "sentence_vectors"])
    listeners = nlp.get_pipe("transformer").listener_map
    assert {name: len(nodes) for name, nodes in listeners.items()} == {
        "ner": 1,
        "textcat": 1,
        "sentence_vectors": 1,
    }


def test_upstream_name(backbone: Path) -> None:
    model = build_transformer_listener_v1(upstream="encoder_two")
    (node,) = [part for part in model.walk() if isinstance(part, TransformerListener)]
    assert node.upstream_name == "encoder_two"


def test_data_without_stored_vectors(backbone: Path) -> None:
    """Data that came back from disk, or zeros in place of a disabled encoder's."""
    (data,) = make_encoder(backbone).predict(make_docs(TEXTS[5:6])).doc_data
    again = TransformerData.empty().from_bytes(data.to_bytes())
    zeros = TransformerData.zeros(4, 32)
    layer = token_vectors(1.0)
    computed, empty, nothing = layer.predict([again, zeros, TransformerData.empty()])
    np.testing.assert_allclose(computed, data.token_vectors, atol=1e-6)
    assert empty.shape == (4, 32)
    assert not empty.any()
    assert len(nothing) == 0


def test_inputs_are_not_written_to(backbone: Path) -> None:
    (data,) = make_encoder(backbone).predict(make_docs(TEXTS[:1])).doc_data
    hidden = data.model_output.last_hidden_state.copy()
    before = data.token_vectors.copy()
    layer = token_vectors(2.0)
    vectors, backprop = layer(([data]), is_train=True)
    d_vectors = random_like(vectors)
    kept = d_vectors[0].copy()
    backprop(d_vectors)
    np.testing.assert_array_equal(d_vectors[0], kept)
    np.testing.assert_array_equal(data.token_vectors, before)
    np.testing.assert_array_equal(data.model_output.last_hidden_state, hidden)

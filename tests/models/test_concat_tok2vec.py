"""Several tok2vec layers side by side: vectors, gradients, widths, and the listener among them."""

from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest
import torch
from spacy import registry
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model, fix_random_seed

from mtnlp.errors import MtnlpError
from mtnlp.models.concat_tok2vec import NAME
from tests.models.encoders import TEXTS, make_docs
from tests.models.test_listener import (
    STOCK,
    encoder_gradient,
    random_like,
    token_means,
    trained_nlp,
)
from tests.tiny import HIDDEN

WIDTH = 8
OWN = {"@architectures": "mtnlp.TransformerListener.v1"}
SHAPE = {"@architectures": "mtnlp.ShapeEmbedding.v1", "width": WIDTH, "rows": 50}
AFFIXES = {
    "@architectures": "spacy.MultiHashEmbed.v2",
    "width": 4,
    "attrs": ["PREFIX", "SUFFIX"],
    "rows": [20, 20],
    "include_static_vectors": False,
}


def concat(**parts: Dict[str, Any]) -> Dict[str, Any]:
    return {"@architectures": "mtnlp.ConcatTok2Vec.v1", "parts": parts}


def concat_nlp(backbone: Path, block: Dict[str, Any], grad_factor: float = 1.0) -> Language:
    block["parts"]["listener"]["grad_factor"] = grad_factor
    fix_random_seed(0)
    return trained_nlp(backbone, ["ner"], ner={"model": {"tok2vec": block}})


def concat_layer(nlp: Language) -> Model:
    model: Model = nlp.get_pipe("ner").model  # type: ignore[attr-defined]
    (layer,) = [node for node in model.walk() if node.name == NAME]
    return layer


def fixed(width: int) -> Model:
    """Ones; `attrs["d"]` is what came back."""

    def forward(model: Model, docs: List[Doc], is_train: bool) -> Any:
        vectors = [np.full((len(doc), width), width, dtype="float32") for doc in docs]
        return vectors, lambda d_vectors: model.attrs.update(d=d_vectors)

    return Model("fixed", forward)


def build(**parts: Model) -> Model:
    return registry.get("architectures", "mtnlp.ConcatTok2Vec.v1")(parts)


def test_vectors_and_gradients_side_by_side() -> None:
    first, second = fixed(2), fixed(3)
    layer = build(b=second, a=first)
    docs = [*make_docs(["one two three", "one"]), Doc(Vocab())]
    layer.initialize(X=docs)
    assert layer.get_dim("nO") == 5
    vectors, backprop = layer(docs, is_train=True)
    assert [part.shape for part in vectors] == [(3, 5), (1, 5), (0, 5)]
    # By the order of their names.
    assert vectors[0][0].tolist() == [2, 2, 3, 3, 3]
    d_vectors = random_like(vectors)
    backprop(d_vectors)
    for i, part in enumerate(d_vectors):
        np.testing.assert_array_equal(first.attrs["d"][i], part[:, :2])
        np.testing.assert_array_equal(second.attrs["d"][i], part[:, 2:])


def test_the_order_of_the_config_does_not_matter() -> None:
    for names in (("a", "b"), ("b", "a")):
        layer = build(**{name: fixed(1 + "ab".index(name)) for name in names})
        assert layer.predict(make_docs(["x"]))[0].tolist() == [[1, 2, 2]]


def test_parts_that_cannot_be() -> None:
    with pytest.raises(MtnlpError, match="E240"):
        build()
    listener = registry.get("architectures", "mtnlp.TransformerListener.v1")
    with pytest.raises(MtnlpError, match="E241"):
        build(a=listener(), b=build(c=listener()))
    with pytest.raises(MtnlpError, match="E241"):
        build(a=listener(upstream="one"), b=listener(upstream="one"))
    build(a=listener(upstream="one"), b=listener(upstream="two"), c=fixed(1))
    pooler = registry.get("architectures", "mtnlp.TokenPooler.v1")(fixed(2))
    with pytest.raises(MtnlpError, match=r"E242.*'b'"):
        build(a=fixed(1), b=pooler).initialize(X=make_docs(["one two"]))


def test_the_transformer_finds_the_listener(backbone: Path) -> None:
    nlp = concat_nlp(backbone, concat(listener={**OWN}, shape=SHAPE))
    listeners = nlp.get_pipe("transformer").listener_map  # type: ignore[attr-defined]
    assert {name: len(nodes) for name, nodes in listeners.items()} == {"ner": 1}
    assert concat_layer(nlp).get_dim("nO") == HIDDEN + WIDTH
    assert nlp.get_pipe("ner").cfg["width"] == HIDDEN + WIDTH  # type: ignore[attr-defined]


@pytest.mark.parametrize("listener", [OWN, STOCK], ids=["own", "stock"])
@pytest.mark.parametrize("factor", [1.0, 0.25])
def test_gradients_are_those_of_autograd_and_of_differences(
    factor: float, listener: Dict[str, Any], backbone: Path
) -> None:
    """The encoder's slice against autograd, the embedding's against finite differences."""
    block = concat(affixes=AFFIXES, listener={**listener}, shape=SHAPE)
    nlp = concat_nlp(backbone, block, factor)
    docs = make_docs([*TEXTS, ""])
    pipe: Any = nlp.get_pipe("transformer")
    layer = concat_layer(nlp)
    pipe.update([Example(doc, doc) for doc in docs])
    vectors, backprop = layer.begin_update(docs)
    assert {part.shape[1] for part in vectors} == {4 + HIDDEN + WIDTH}
    d_vectors = random_like(vectors)
    backprop([part.copy() for part in d_vectors])
    found = encoder_gradient(nlp)

    encoded = slice(4, 4 + HIDDEN)
    for data, part, d_part in zip(
        pipe.model.predict(docs).doc_data, vectors, d_vectors, strict=True
    ):
        if len(part):
            expected = token_means(pipe.model.transformer, data)
            np.testing.assert_allclose(part[:, encoded], expected.detach().numpy(), atol=1e-5)
            expected.backward(factor * torch.from_numpy(d_part[:, encoded]))
    np.testing.assert_allclose(found, encoder_gradient(nlp), rtol=1e-3, atol=1e-4)
    assert np.abs(found).max() > 0.1

    shape = layer.layers[2]
    table = next(node for node in shape.walk() if node.has_param("E"))
    weights, gradient = table.get_param("E"), table.get_grad("E")
    places = np.abs(gradient).ravel().argsort()[-5:]
    for place in map(tuple, np.array(np.unravel_index(places, gradient.shape)).T):
        sums = []
        for change in (-0.001, 0.002):
            weights[place] += change
            made = [part.astype("float64") for part in shape.predict(docs)]
            d_shape = [part[:, 4 + HIDDEN :] for part in d_vectors]
            sums.append(sum((a * b).sum() for a, b in zip(made, d_shape, strict=True)))
        weights[place] -= 0.001
        assert (sums[1] - sums[0]) / 0.002 == pytest.approx(gradient[place], rel=0.02)

"""What `mtnlp.ShapeEmbedding.v1` tells apart, and what not."""

from typing import Any, List

import numpy as np
import pytest
import spacy
from spacy import registry
from spacy.ml.models.tok2vec import MultiHashEmbed
from spacy.tokens import Doc

from mtnlp.models.shape_embedding import FLAGS, build_shape_embedding_v1


def embed(words: List[str], **settings: Any) -> np.ndarray:
    """`[words, width]`"""
    layer = build_shape_embedding_v1(**settings)
    np.random.seed(0)
    layer.initialize()
    return layer.predict([Doc(spacy.blank("en").vocab, words=words)])[0]


def test_resolves() -> None:
    block = {"@architectures": "mtnlp.ShapeEmbedding.v1", "width": 8}
    layer = registry.resolve({"model": block})["model"]
    layer.initialize()
    assert layer.predict([Doc(spacy.blank("en").vocab, words=["a", "B"])])[0].shape == (2, 8)


def test_words_of_one_shape_are_one() -> None:
    vectors = embed(["Apple", "Tiger", "Elephant", "2024", "1999"], width=16)
    np.testing.assert_array_equal(vectors[0], vectors[1])
    np.testing.assert_array_equal(vectors[0], vectors[2])
    np.testing.assert_array_equal(vectors[3], vectors[4])


def test_case_and_kind_are_told_apart() -> None:
    vectors = embed(["apple", "Apple", "APPLE", "aPPle", "1234", ".", "xyz-1", "Xyz-1", ","])
    for i, one in enumerate(vectors):
        for other in vectors[i + 1 :]:
            assert np.abs(one - other).max() > 1e-3


@pytest.mark.parametrize("index", range(1, 1 + len(FLAGS)))
def test_a_flag_has_two_vectors(index: int) -> None:
    """Both values of a flag are hashed into a small table, and do not end in the same rows."""
    layer = build_shape_embedding_v1()
    layer.initialize()
    table = [node for node in layer.walk() if node.name == "hashembed"][index]
    off, on = table.predict(np.array([0, 1], dtype="uint64"))
    assert np.abs(off - on).max() > 1e-3


def test_as_spacys_layer_has_it() -> None:
    vocab = spacy.blank("en").vocab
    texts = [["Apple", "42", ",", "apple", "Apple"], [], ["USA", "aPPle", "x"], ["3rd"]]
    docs = [Doc(vocab, words=words) for words in texts]
    ours = build_shape_embedding_v1(width=8)
    ours.initialize()
    stock = MultiHashEmbed(8, ["SHAPE", *FLAGS], [500, *[16] * len(FLAGS)], False)
    stock.from_bytes(ours.to_bytes())
    wanted, trained = stock.predict(docs), ours(docs, is_train=True)[0]
    for found, each, other in zip(ours.predict(docs), wanted, trained, strict=True):
        np.testing.assert_allclose(found, each, atol=1e-6)
        np.testing.assert_allclose(other, each, atol=1e-6)
    assert ours.predict([docs[1]])[0].shape == (0, 8)

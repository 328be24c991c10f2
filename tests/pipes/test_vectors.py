"""`sentence_vectors` and its hooks."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spacy.language import Language
from spacy.pipeline.functions import merge_entities
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example

import mtnlp
from mtnlp.errors import MtnlpError
from tests.pipes.cases import LONG_TEXT, TEXTS, assert_same_answers, mixed_examples, train
from tests.tiny import make_nlp

TWO = "Anna Keller flew to Paris. I saw a red fox near Rome, truly awful!"


def make(backbone: Path, pooling: str = "mean", **model: Any) -> Language:
    block = {"tok2vec": {"pooling": pooling}, **model}
    nlp = make_nlp(backbone, ["sentence_vectors"], {"sentence_vectors": {"model": block}})
    nlp.initialize()
    nlp.add_pipe("sentencizer", first=True)
    return nlp


def reference(doc: Doc, pooling: str) -> np.ndarray:
    """The pooled hidden states of the whole document, by numpy, not yet normalized."""
    data = doc._.trf_data
    hidden = data.model_output.last_hidden_state.reshape(-1, 32)
    if pooling == "mean":
        return hidden.mean(0)
    if pooling == "max":
        return hidden.max(0)
    if pooling == "mean_max":
        return np.concatenate([hidden.mean(0), hidden.max(0)])
    starts = np.cumsum([0, *data.wordpieces.lengths[:-1]])
    return hidden[starts].mean(0)


@pytest.mark.parametrize("text", [TWO, LONG_TEXT, "Hi"])
@pytest.mark.parametrize("pooling", ["mean", "max", "mean_max", "cls"])
def test_pooling(pooling: str, text: str, backbone: Path) -> None:
    doc = make(backbone, pooling)(text)
    expected = reference(doc, pooling)
    expected = expected / np.linalg.norm(expected)
    np.testing.assert_allclose(doc.vector, expected, atol=1e-5)
    assert doc.vector.dtype == "float32"
    assert np.linalg.norm(doc.vector) == pytest.approx(1.0, abs=1e-5)
    # Without hooks, spaCy takes the mean of doc.tensor.
    np.testing.assert_allclose(doc.tensor.mean(0), doc.vector, atol=1e-5)
    assert doc.tensor.shape == (len(doc), len(doc.vector))
    np.testing.assert_allclose(doc[:].vector, doc.vector, atol=1e-5)


def test_vectors_as_they_are(backbone: Path) -> None:
    doc = make(backbone, normalize=False)(TWO)
    np.testing.assert_allclose(doc.vector, reference(doc, "mean"), atol=1e-5)


@pytest.mark.parametrize("pooling", ["mean", "max", "mean_max", "cls"])
@pytest.mark.parametrize(("width", "normalize"), [(8, True), (8, False), (48, True)])
def test_projection(width: int, normalize: bool, pooling: str, backbone: Path) -> None:
    nlp = make(backbone, pooling, width=width, normalize=normalize)
    doc = nlp(TWO)
    assert doc.vector.shape == (width,)
    pipe: Any = nlp.get_pipe("sentence_vectors")
    matrix = pipe.module.projection.linear.weight.detach().numpy()
    expected = matrix @ reference(doc, pooling)
    if normalize:
        expected = expected / np.linalg.norm(expected)
    np.testing.assert_allclose(doc.vector, expected, atol=1e-5)
    assert doc.tensor.shape == (len(doc), width)
    np.testing.assert_allclose(doc[:].vector, doc.vector, atol=1e-5)
    for empty in (nlp(""), *nlp.pipe(["", ""])):
        assert empty.vector.tolist() == [0.0] * width


def test_vectors_of_sentences(backbone: Path) -> None:
    """A sentence's vector is the mean of its rows of the document's."""
    doc = make(backbone)(TWO)
    first, second = doc.sents
    assert first.vector.shape == (32,) and first.has_vector
    assert first.vector_norm == pytest.approx(np.linalg.norm(first.vector))
    weighted = (len(first) * first.vector + len(second) * second.vector) / len(doc)
    np.testing.assert_allclose(weighted, doc.vector, atol=1e-5)
    assert not np.allclose(first.vector, second.vector, atol=1e-3)
    assert not doc[3:3].vector.any() and not doc[3:3].has_vector


def test_a_span_of_mean_pooling_is_the_mean_of_its_wordpieces(backbone: Path) -> None:
    doc = make(backbone)("Anna Keller flew to Paris")
    data = doc._.trf_data
    hidden = data.model_output.last_hidden_state.reshape(-1, 32)
    pieces = np.concatenate([data.align[2].dataXd.ravel(), data.align[3].dataXd.ravel()])
    direction = hidden[pieces].sum(0)
    cosine = doc[2:4].vector @ direction
    cosine /= np.linalg.norm(doc[2:4].vector) * np.linalg.norm(direction)
    assert cosine == pytest.approx(1.0, abs=1e-5)


def test_similarity(backbone: Path) -> None:
    nlp = make(backbone)
    doc, other = nlp(TWO), nlp("The bank sold its shares.")
    assert doc.similarity(doc) == pytest.approx(1.0, abs=1e-5)
    assert doc.similarity(other) == pytest.approx(float(doc.vector @ other.vector), abs=1e-5)
    assert doc.similarity(other) == pytest.approx(other.similarity(doc), abs=1e-6)
    assert -1 <= doc[0:2].similarity(other) <= 1
    assert doc[:].similarity(doc) == pytest.approx(1.0, abs=1e-5)
    assert isinstance(doc.similarity(other), float)


def test_an_empty_doc(backbone: Path) -> None:
    nlp = make(backbone)
    empty = nlp("")
    assert empty.vector.tolist() == [0.0] * 32
    assert not empty.has_vector and empty.vector_norm == 0.0
    assert empty.similarity(nlp(TWO)) == nlp(TWO).similarity(empty) == 0.0
    assert empty._.sentence_vector.shape == (32,)


def test_without_the_tensor(backbone: Path) -> None:
    nlp = make_nlp(backbone, ["sentence_vectors"], {"sentence_vectors": {"store_tensor": False}})
    nlp.initialize()
    doc = nlp(TWO)
    assert not doc.tensor.size
    np.testing.assert_array_equal(doc.vector, doc._.sentence_vector)
    assert doc.has_vector and not doc[0:2].vector.any()
    doc.tensor = None  # as spaCy's own doc_cleaner leaves it
    assert not doc[0:1].vector.any()


def test_vectors_follow_the_encoder(trained: Language) -> None:
    """They have no loss: what other pipes do to the encoder moves them."""
    before = trained(TEXTS[0]).vector
    losses = train(trained, mixed_examples(trained), 2)
    assert losses["sentence_vectors"] == 0.0
    assert not np.allclose(before, trained(TEXTS[0]).vector, atol=1e-4)
    assert_same_answers(trained(TEXTS[0]), next(trained.pipe(TEXTS[:1])))


def test_scores_of_pairs(backbone: Path) -> None:
    """The component's scorer reads sentence pairs: two spans and their gold similarity."""
    nlp = make(backbone)
    examples = []
    texts = ["A fox ran. A fox ran.", "A fox ran. The bank sold shares.", "Rome. Shares fell."]
    for text, gold in zip(texts, (1.0, 0.4, 0.1), strict=True):
        doc = nlp.make_doc(text)
        stop = next(token.i for token in doc if token.text == ".") + 1
        doc.spans["pair"] = [Span(doc, 0, stop), Span(doc, stop, len(doc))]
        doc.cats["similarity"] = gold
        examples.append(Example(nlp.make_doc(text), doc))
    scores = nlp.evaluate(examples)
    cosines = []
    for example in examples:
        doc, length = nlp(example.text), len(example.reference.spans["pair"][0])
        cosines.append(doc[:length].similarity(doc[length:]))
    expected = np.corrcoef(cosines, [1.0, 0.4, 0.1])[0, 1]
    assert scores["vectors_pearson"] == pytest.approx(expected, abs=1e-4)


def test_opinions_of_a_teacher(backbone: Path) -> None:
    """Its vectors as they are, of Docs that its pipeline has encoded; none of an empty one."""
    nlp = make(backbone)
    docs = list(nlp.pipe([TWO, "", "The bank sold its shares.", " \n "]))
    pipe: Any = nlp.get_pipe("sentence_vectors")
    found = pipe.opinions(docs)
    assert [opinion is None for opinion in found] == [False, True, False, True]
    for i in (0, 2):
        np.testing.assert_array_equal(found[i].vector, docs[i].vector)
        assert found[i].vector.dtype == "float32"
    assert pipe.opinions([]) == []
    with pytest.raises(MtnlpError, match="E310"):
        pipe.opinions([nlp.make_doc("A fox ran.")])


@pytest.mark.parametrize("store_tensor", [True, False])
@pytest.mark.parametrize("copy_user_data", [True, False])
def test_a_doc_of_a_span(store_tensor: bool, copy_user_data: bool, backbone: Path) -> None:
    """`span.as_doc()` has the span's vector; without the tensor there is none: zeros."""
    config = {"sentence_vectors": {"store_tensor": store_tensor}}
    nlp = make_nlp(backbone, ["sentence_vectors"], config)
    nlp.initialize()
    doc = nlp(TWO)
    part = doc[2:6].as_doc(copy_user_data=copy_user_data)
    np.testing.assert_allclose(part.vector, doc[2:6].vector, atol=1e-6)
    assert part.vector.shape == part[0:2].vector.shape == (32,)
    assert part.has_vector == part[0:2].has_vector == bool(part.vector.any()) == store_tensor
    expected = doc[2:6].similarity(doc)
    assert part.similarity(doc) == pytest.approx(expected, abs=1e-6)
    assert doc.similarity(part) == pytest.approx(expected, abs=1e-6)
    assert (abs(expected) > 0) == store_tensor
    # A part of the part, and one that is empty.
    np.testing.assert_allclose(part[1:3].as_doc().vector, doc[3:5].vector, atol=1e-6)
    assert doc[0:0].as_doc().vector.tolist() == [0.0] * 32


def test_retokenized_docs(backbone: Path) -> None:
    nlp = make(backbone)
    doc, other = nlp(TWO), nlp("The bank sold its shares.")
    before, span = doc.vector.copy(), doc[5:9].vector.copy()
    doc.ents = [Span(doc, 0, 2, label="PER")]
    merge_entities(doc)
    np.testing.assert_array_equal(doc.vector, before)
    np.testing.assert_array_equal(doc[4:8].vector, span)
    assert doc[0:2].has_vector and -1 <= doc[0:2].similarity(other) <= 1
    with doc.retokenize() as retokenizer:
        retokenizer.split(doc[3], ["Pa", "ris"], heads=[(doc[3], 1), doc[2]])
    np.testing.assert_array_equal(doc.vector, before)
    # spaCy's rows are no longer those of the tokens.
    assert len(doc.tensor) != len(doc)
    assert doc[0:2].vector.tolist() == [0.0] * 32 and not doc[0:2].has_vector
    assert doc[0:2].similarity(other) == 0.0
    assert doc[0:2].as_doc().vector.tolist() == [0.0] * 32


@pytest.mark.filterwarnings("ignore:.*W(007|101|102).*")
def test_joined_docs(backbone: Path) -> None:
    """spaCy's own fallback: the mean of all rows."""
    nlp = make(backbone)
    docs = [nlp(text) for text in (TWO, "", "The bank sold its shares.")]
    joined = Doc.from_docs(docs)
    rows = np.concatenate([docs[0].tensor, docs[2].tensor])
    np.testing.assert_allclose(joined.vector, rows.mean(0), atol=1e-6)
    assert joined.similarity(docs[0]) > 0


def test_docs_of_a_docbin(backbone: Path, caplog: pytest.LogCaptureFixture) -> None:
    nlp = make(backbone)
    texts = [TWO, "", "The bank sold its shares."]
    docs = list(nlp.pipe(texts))
    for store, wide in ((True, 32), (False, 0)):
        packed = DocBin(docs=docs, store_user_data=store).to_bytes()
        found = list(DocBin().from_bytes(packed).get_docs(nlp.vocab))
        assert [doc.vector.shape for doc in found] == [(0,)] * 3
        with caplog.at_level(logging.WARNING, logger="spacy.mtnlp"):
            restored = [mtnlp.restore_vectors(doc) for doc in found]
        assert restored == found
        assert [doc.vector.shape for doc in found] == [(wide,)] * 3
        told = [record.getMessage() for record in caplog.records]
        if store:
            assert not told
            for doc, original in zip(found, docs, strict=True):
                np.testing.assert_allclose(doc.vector, original.vector, atol=1e-6)
                assert doc[0:2].vector.tolist() == [0.0] * 32
                assert doc[0:2].as_doc().vector.tolist() == [0.0] * 32
        else:
            assert len(told) == 3 and all("E321" in line for line in told)
            assert "store_user_data=True" in told[0]

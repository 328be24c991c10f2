"""`mtnlp.vectors`: one array of the vectors of Docs and Spans."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from spacy.language import Language
from spacy.tokens import DocBin

import mtnlp
from mtnlp.errors import MtnlpError
from tests.tiny import make_nlp

TEXTS = ["Anna flew to Paris. She saw a fox.", "", "The bank sold its shares.", " \n ", "Hi"]


@pytest.fixture(scope="module")
def nlp(backbone: Path) -> Language:
    made = make_nlp(backbone, ["sentence_vectors"])
    made.initialize()
    made.add_pipe("sentencizer", first=True)
    return made


def test_docs_and_spans(nlp: Language) -> None:
    docs = list(nlp.pipe(TEXTS))
    found = mtnlp.vectors(docs)
    assert found.shape == (5, 32) and found.dtype == "float32"
    np.testing.assert_array_equal(found, np.stack([doc.vector for doc in docs]))
    assert not found[1].any() and not found[3].any()
    sentences = mtnlp.vectors(docs[0].sents)
    np.testing.assert_array_equal(sentences, np.stack([sent.vector for sent in docs[0].sents]))
    mixed = mtnlp.vectors([docs[0][1:3], docs[0], docs[0][2:2], docs[1][:]])
    np.testing.assert_array_equal(mixed[:2], np.stack([docs[0][1:3].vector, docs[0].vector]))
    assert not mixed[2:].any()


def test_where_hooks_are_dropped(nlp: Language) -> None:
    docs = list(nlp.pipe(TEXTS))
    expected, spans = mtnlp.vectors(docs), mtnlp.vectors([docs[0][:3], docs[2][1:]])
    packed = DocBin(docs=docs, store_user_data=True).to_bytes()
    stored = list(DocBin().from_bytes(packed).get_docs(nlp.vocab))
    np.testing.assert_allclose(mtnlp.vectors(stored), expected, atol=1e-6)
    # A span that is the whole document needs no rows of tokens.
    np.testing.assert_allclose(mtnlp.vectors([stored[0][:]]), expected[:1], atol=1e-6)
    for other in (pickle.loads(pickle.dumps(docs)), list(nlp.pipe(TEXTS, n_process=2))):
        np.testing.assert_allclose(mtnlp.vectors(other), expected, atol=1e-5)
        np.testing.assert_allclose(mtnlp.vectors([other[0][:3], other[2][1:]]), spans, atol=1e-5)
    with ThreadPoolExecutor(3) as pool:
        threads = list(pool.map(lambda text: mtnlp.vectors([nlp(text)])[0], TEXTS * 3))
    np.testing.assert_allclose(threads, np.concatenate([expected] * 3), atol=1e-5)


def test_truncated(nlp: Language) -> None:
    """The first numbers, of length 1; zeros stay zeros."""
    docs = list(nlp.pipe(TEXTS))
    whole, short = mtnlp.vectors(docs), mtnlp.vectors(docs, dim=8)
    assert short.shape == (5, 8) and short.dtype == "float32"
    for long, part in zip(whole, short, strict=True):
        if long.any():
            np.testing.assert_allclose(part, long[:8] / np.linalg.norm(long[:8]), atol=1e-6)
            assert np.linalg.norm(part) == pytest.approx(1.0, abs=1e-5)
        else:
            assert not part.any()
    assert mtnlp.vectors(docs, dim=32) == pytest.approx(whole, abs=1e-6)
    assert mtnlp.vectors([]).shape == (0, 0) and mtnlp.vectors([], dim=8).shape == (0, 8)


def test_what_has_no_vector(nlp: Language) -> None:
    doc = nlp(TEXTS[0])
    with pytest.raises(MtnlpError, match=r"E750.*number 1 .*'The fox…'"):
        mtnlp.vectors([doc, nlp.make_doc("The fox")])
    unread = DocBin().from_bytes(DocBin(docs=[doc]).to_bytes())
    with pytest.raises(MtnlpError, match=r"E750.*store_user_data=True"):
        mtnlp.vectors(unread.get_docs(nlp.vocab))
    doc.tensor = doc.tensor[:0]
    with pytest.raises(MtnlpError, match=r"E751.*'flew to…'"):
        mtnlp.vectors([doc[1:3]])
    with pytest.raises(MtnlpError, match=r"E752.*dim = 33.*32 numbers"):
        mtnlp.vectors([doc], dim=33)
    with pytest.raises(MtnlpError, match=r"E330.*dim = 0"):
        mtnlp.vectors([doc], dim=0)


def test_vectors_of_several_widths(nlp: Language) -> None:
    doc, other = nlp("Hi"), nlp("Hi")
    other._.sentence_vector = np.ones(8, dtype="float32")
    with pytest.raises(MtnlpError, match=r"E753.*number 1 .*8 numbers.*32"):
        mtnlp.vectors([doc, other])

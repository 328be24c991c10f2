"""Documents that hold two sentences: each side has the vector of the sentence alone."""

from pathlib import Path
from typing import Any, Dict

import numpy as np
import pytest
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.training import Example

import mtnlp
from mtnlp.annotation.pairs import join_sides, side_ranges
from mtnlp.data.docbin import to_doc
from mtnlp.data.formats.pairs import pair_record
from mtnlp.evaluation.evaluator import evaluate
from mtnlp.evaluation.options import Settings
from tests.pipes.cases import LONG_TEXT
from tests.tiny import make_nlp

SIDES = [
    ("Anna Keller flew to Paris.", "The bank sold its shares."),
    (LONG_TEXT[:300].strip(), "Hi"),
    ("He died in Rome.", "I saw a red fox near Rome, truly awful!"),
]
TOKENS = {
    "@architectures": "mtnlp.TokenPooler.v1",
    "tok2vec": {"@architectures": "mtnlp.TransformerListener.v1"},
}


def make(backbone: Path, **settings: Any) -> Language:
    nlp = make_nlp(backbone, ["sentence_vectors"], {"sentence_vectors": settings})
    nlp.initialize()
    return nlp


def pair_example(nlp: Language, first: str, second: str, similarity: Any = None) -> Example:
    record = pair_record(first, second)
    record.cats = None if similarity is None else {"similarity": similarity}
    return Example(nlp.make_doc(str(record.text)), to_doc(record, nlp))


@pytest.mark.parametrize("block", [{"pooling": "mean"}, {"pooling": "cls"}, TOKENS], ids=str)
def test_the_vector_of_a_side_is_that_of_the_sentence(
    block: Dict[str, Any], backbone: Path
) -> None:
    """In any batch, with or without the tensor of other Docs, and where hooks are dropped."""
    nlp = make(backbone, store_tensor=False, model={"width": 16, "tok2vec": block})
    docs = list(nlp.pipe([*(join_sides(*pair) for pair in SIDES), SIDES[0][0], ""]))
    assert not docs[3].tensor.size
    stored = DocBin(docs=docs, store_user_data=True).to_bytes()
    again = list(DocBin().from_bytes(stored).get_docs(nlp.vocab))
    np.testing.assert_allclose(mtnlp.vectors(again), mtnlp.vectors(docs), atol=1e-6)
    for doc, pair in zip(docs[:3], SIDES, strict=True):
        expected = mtnlp.vectors(nlp.pipe(pair))
        found = mtnlp.vectors(doc[start:stop] for start, stop in side_ranges(doc))
        np.testing.assert_allclose(found, expected, atol=1e-5)
        middle = expected.mean(0)
        np.testing.assert_allclose(doc.vector, middle / np.linalg.norm(middle), atol=1e-5)
        np.testing.assert_allclose(doc.tensor.mean(0), doc.vector, atol=1e-5)


def test_scores_are_those_of_the_sentences(backbone: Path, tmp_path: Path) -> None:
    """`nlp.evaluate` on pairs, also of a pipeline from disk and in two processes."""
    nlp = make(backbone)
    gold = [0.9, 0.1, 0.4]
    examples = [pair_example(nlp, *pair, value) for pair, value in zip(SIDES, gold, strict=True)]
    vectors = [mtnlp.vectors(nlp.pipe(pair)) for pair in SIDES]
    expected = np.corrcoef([float(one @ other) for one, other in vectors], gold)[0, 1]
    assert nlp.evaluate(examples)["vectors_pearson"] == pytest.approx(expected, abs=1e-5)
    report = evaluate(nlp, [eg.reference for eg in examples], settings=Settings(samples=10))
    assert report["pipes"]["sentence_vectors"]["pairs"] == 3
    assert report["pipes"]["sentence_vectors"]["pearson"] == pytest.approx(expected, abs=1e-5)
    found = nlp.pipe([eg.text for eg in examples], n_process=2)
    for (first, second), doc in zip(vectors, found, strict=True):
        sides = mtnlp.vectors(doc[start:stop] for start, stop in side_ranges(doc))
        np.testing.assert_allclose(sides, [first, second], atol=1e-5)

from typing import List, Tuple

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example

from mtnlp.scorers.vectors import make_vector_scorer_v1, pearson, rank, spearman

scipy_stats = pytest.importorskip("scipy.stats")
VOCAB = spacy.blank("en").vocab
score = make_vector_scorer_v1()


def span_vector(span: Span) -> np.ndarray:
    """An angle a word: the cosine of two spans is that of the difference of their angles."""
    angle = float(span[0].text)
    return np.array([np.cos(angle), np.sin(angle)], dtype="f")


def example(first: float, second: float, similarity: float) -> Example:
    words = [str(first), "x", str(second), "y"]
    reference = Doc(VOCAB, words=words)
    reference.spans["pair"] = [reference[0:2], reference[2:4]]
    reference.cats["similarity"] = similarity
    predicted = Doc(VOCAB, words=[*words[:3], "y"])
    predicted.user_span_hooks["vector"] = span_vector
    return Example(predicted, reference)


def pairs(number: int) -> List[Tuple[float, float, float]]:
    rng = np.random.default_rng(0)
    return [(float(a), float(b), float(c)) for a, b, c in rng.random((number, 3))]


def test_correlations_equal_scipys() -> None:
    data = pairs(30)
    cosines = [np.cos(a - b) for a, b, _ in data]
    gold = [c for _, _, c in data]
    scores = score([example(*item) for item in data], threshold=0.5)
    assert scores["vectors_pearson"] == pytest.approx(
        scipy_stats.pearsonr(gold, cosines)[0], abs=1e-5
    )
    assert scores["vectors_spearman"] == pytest.approx(
        scipy_stats.spearmanr(gold, cosines)[0], abs=1e-5
    )
    assert all(type(value) is float for value in scores.values())


def test_a_perfect_order() -> None:
    data = [example(0.0, step / 10, 1 - step / 10) for step in range(10)]
    assert score(data)["vectors_spearman"] == pytest.approx(1.0)


def test_ties_share_their_mean_rank() -> None:
    values = np.array([3.0, 1.0, 3.0, 2.0, 3.0, 1.0])
    assert rank(values).tolist() == scipy_stats.rankdata(values).tolist()
    other = np.array([1.0, 1.0, 2.0, 5.0, 4.0, 0.0])
    assert spearman(values, other) == pytest.approx(scipy_stats.spearmanr(values, other)[0])


def test_no_pairs_and_constant_sides_are_zero() -> None:
    plain = Example(Doc(VOCAB, words=["a"]), Doc(VOCAB, words=["a"]))
    assert score([plain]) == {"vectors_spearman": 0.0, "vectors_pearson": 0.0}
    assert score([example(0.1, 0.2, 0.5)])["vectors_pearson"] == 0.0
    assert pearson(np.full(7, 0.1), np.arange(7.0)) == 0.0


def test_documents_without_a_gold_similarity_are_left_out() -> None:
    data = [example(0.0, step / 10, 1 - step / 10) for step in range(5)]
    outlier = example(0.0, 3.0, 1.0)
    with_outlier = score([*data, outlier])["vectors_spearman"]
    del outlier.reference.cats["similarity"]
    assert score([*data, outlier])["vectors_spearman"] > with_outlier


def test_spans_are_found_by_characters_in_other_tokens() -> None:
    data = []
    for first, second, similarity in pairs(10):
        reference = example(first, second, similarity).reference
        predicted = Doc(
            VOCAB,
            words=[str(first), "x", str(second), "y", "\n"],
            spaces=[True, True, True, True, False],
        )
        predicted.user_span_hooks["vector"] = span_vector
        data.append(Example(predicted, reference))
    same = score([example(*item) for item in pairs(10)])
    assert score(data) == same and same["vectors_spearman"] != 0.0

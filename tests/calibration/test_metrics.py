"""Calibration figures against numbers worked by hand, brute force and scikit-learn."""

from typing import Any, List, Tuple

import numpy as np
import pytest
import spacy
from sklearn.metrics import brier_score_loss
from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example

from mtnlp.calibration.metrics import (
    Confidences,
    at_threshold,
    brier_score,
    calibration_metrics,
    expected_calibration_error,
    gather_confidences,
    join,
    reliability,
    risk_coverage_area,
)

NOTHING = Confidences(np.zeros(0), np.zeros(0, dtype=bool), 0)
# Four predictions of five entities.
FOUR = Confidences(np.array([0.6, 0.9, 0.8, 0.7]), np.array([False, True, True, True]), 5)
PAIR = FOUR.confidence, FOUR.correct


def make_random(n: int = 203, seed: int = 0) -> Tuple[Any, Any]:
    generator = np.random.default_rng(seed)
    confidence = generator.random(n)
    return confidence, generator.random(n) < confidence**2


# The figures


def test_calibration_error_by_hand() -> None:
    # Two bins: 0.6 and 0.7, one of two correct; 0.8 and 0.9, both.
    expected = 0.5 * abs(0.65 - 0.5) + 0.5 * abs(0.85 - 1.0)
    assert expected_calibration_error(*PAIR, bins=2) == pytest.approx(expected)
    # As many bins as predictions, when more are asked for.
    each = (0.6 + 0.3 + 0.2 + 0.1) / 4
    assert expected_calibration_error(*PAIR) == pytest.approx(each)


def test_calibration_error_by_brute_force() -> None:
    confidence, correct = make_random()
    pairs = sorted(zip(confidence.tolist(), correct.tolist(), strict=True))
    size, rest = divmod(len(pairs), 15)
    found, begin = 0.0, 0
    for i in range(15):
        part = pairs[begin : begin + size + (i < rest)]
        begin += len(part)
        mean = sum(p for p, _ in part) / len(part)
        found += len(part) / len(pairs) * abs(mean - sum(c for _, c in part) / len(part))
    assert begin == len(pairs)
    assert expected_calibration_error(confidence, correct) == pytest.approx(found)


def test_calibration_error_of_true_probabilities_is_small() -> None:
    confidence, correct = make_random(5000)
    assert expected_calibration_error(confidence, correct) > 0.12
    assert expected_calibration_error(confidence**2, correct) < 0.03


def test_brier_score_is_scikit_learns() -> None:
    confidence, correct = make_random()
    assert brier_score(confidence, correct) == pytest.approx(brier_score_loss(correct, confidence))
    assert brier_score(*PAIR) == pytest.approx((0.36 + 0.01 + 0.04 + 0.09) / 4)


def test_risk_coverage_area_by_hand_and_by_brute_force() -> None:
    # Errors among the first 1, 2, 3, 4: 0, 0, 0, 1.
    assert risk_coverage_area(*PAIR) == pytest.approx(0.25 / 4)
    confidence, correct = make_random()
    risks = []
    for threshold in confidence:
        kept = confidence >= threshold
        risks.append(1 - correct[kept].mean())
    assert risk_coverage_area(confidence, correct) == pytest.approx(np.mean(risks))


def test_risk_coverage_area_asks_for_the_order_alone() -> None:
    confidence, correct = make_random()
    assert risk_coverage_area(confidence, correct) == risk_coverage_area(confidence / 3, correct)
    perfect = risk_coverage_area(correct.astype(float), correct)
    assert (
        perfect
        < risk_coverage_area(confidence, correct)
        < risk_coverage_area(1 - confidence, correct)
    )


def test_ties_do_not_depend_on_the_order() -> None:
    """What ties give is the mean over all their orders."""
    confidence, correct = np.array([0.5, 0.5, 0.5, 0.9]), np.array([True, False, True, True])
    orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2]]  # where the wrong one stands: 2nd, 3rd, 1st
    risks = []
    for order in orders:
        errors = np.array([False, *~correct[order]]).cumsum()
        risks.append((errors / np.arange(1, 5)).mean())
    for shuffled in ([0, 1, 2, 3], [3, 1, 0, 2], [2, 3, 0, 1]):
        both = confidence[shuffled], correct[shuffled]
        assert risk_coverage_area(*both) == pytest.approx(np.mean(risks))
        assert expected_calibration_error(*both, bins=2) == pytest.approx(
            (2 * (2 / 3 - 0.5) + abs(0.5 + 0.9 - 2 / 3 - 1)) / 4
        )


def test_at_a_minimum() -> None:
    assert at_threshold(FOUR, 0.0) == {
        **{"threshold": 0.0, "p": 0.75, "r": 0.6, "f": pytest.approx(2 / 3)},
        "coverage": 1.0,
    }
    assert at_threshold(FOUR, 0.8) == {
        **{"threshold": 0.8, "p": 1.0, "r": 0.4, "f": pytest.approx(4 / 7)},
        "coverage": 0.5,
    }
    assert at_threshold(FOUR, 0.95)["p"] == at_threshold(FOUR, 0.95)["coverage"] == 0.0


def test_nothing_predicted() -> None:
    found = calibration_metrics(NOTHING)
    assert (found["ece"], found["brier"], found["aurc"], found["predicted"]) == (0.0, 0.0, 0.0, 0)
    assert [at["f"] for at in found["at"]] == [0.0] * 4
    joined = join([NOTHING, FOUR, FOUR])
    assert joined.confidence.tolist() == FOUR.confidence.tolist() * 2 and joined.gold == 10
    assert calibration_metrics(joined)["gold"] == 10 and join([]).correct.dtype == bool


# Gathering


@pytest.fixture
def nlp() -> Language:
    return spacy.blank("en")


def make_pair(
    nlp: Language, gold: Any, found: List[Tuple[int, int, str, float]], key: Any = None
) -> Example:
    words = ["Anna", "Keller", "flew", "to", "Paris", "."]
    reference, predicted = Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words)
    if gold is not None and key is None:
        reference.set_ents([Span(reference, *span) for span in gold], default="outside")
    elif gold is not None:
        reference.spans[key] = [Span(reference, *span) for span in gold]
    group = key or "ner"
    spans = [Span(predicted, *span) for *span, _ in found]
    scores = np.array([score for *_, score in found], dtype="float32")
    predicted.spans[group] = SpanGroup(predicted, name=group, spans=spans, attrs={"scores": scores})
    return Example(predicted, reference)


@pytest.mark.parametrize("key", [None, "nested"])
def test_gathers_entities_and_whether_they_are_right(nlp: Language, key: Any) -> None:
    gold = [(0, 2, "PER"), (4, 5, "LOC")]
    found = [(0, 2, "PER", 0.9), (0, 1, "PER", 0.5), (4, 5, "ORG", 0.25)]
    examples = [
        make_pair(nlp, gold, found, key),
        make_pair(nlp, None, found, key),  # not annotated
        make_pair(nlp, [], [(2, 3, "PER", 0.125)], key),
        make_pair(nlp, [(0, 1, "PER")], [], key),
    ]
    confidences = gather_confidences(examples, key, key or "ner")
    assert confidences.confidence.tolist() == pytest.approx([0.9, 0.5, 0.25, 0.125])
    assert confidences.correct.tolist() == [True, False, False, False]
    assert confidences.gold == 3


def test_a_document_without_the_group_has_no_predictions(nlp: Language) -> None:
    example = make_pair(nlp, [(0, 2, "PER")], [])
    del example.predicted.spans["ner"]
    confidences = gather_confidences([example], None, "ner")
    assert len(confidences.confidence) == 0 and confidences.gold == 1


def test_other_tokens_and_missing_ones(nlp: Language) -> None:
    """Compared in the gold's tokens; nobody knows about tokens that are not annotated."""
    reference = Doc(nlp.vocab, words=["New", "York", "-", "based", "Anna"])
    reference.set_ents([Span(reference, 0, 2, "LOC")], missing=[reference[4:5]], default="outside")
    predicted = Doc(nlp.vocab, words=["New", "York", "-based", "Anna"])
    spans = [
        Span(predicted, 0, 2, "LOC"),
        Span(predicted, 2, 3, "ORG"),
        Span(predicted, 3, 4, "PER"),
    ]
    predicted.spans["ner"] = SpanGroup(
        predicted, name="ner", spans=spans, attrs={"scores": np.array([0.75, 0.5, 0.25])}
    )
    confidences = gather_confidences([Example(predicted, reference)], None, "ner")
    assert confidences.confidence.tolist() == [0.75, 0.5]
    assert confidences.correct.tolist() == [True, False]


def test_a_reliability_diagram_by_hand() -> None:
    confidence = np.array([0.0, 0.05, 0.31, 0.39, 0.95, 1.0])
    correct = np.array([False, True, True, False, True, True])
    diagram = reliability(confidence, correct)
    assert diagram["bins"] == [
        {"low": 0.0, "high": 0.1, "confidence": 0.025, "accuracy": 0.5, "count": 2},
        {"low": 0.3, "high": 0.4, "confidence": pytest.approx(0.35), "accuracy": 0.5, "count": 2},
        {"low": 0.9, "high": 1.0, "confidence": pytest.approx(0.975), "accuracy": 1.0, "count": 2},
    ]
    assert diagram["ece"] == expected_calibration_error(confidence, correct)
    assert diagram["predicted"] == 6 and diagram["accuracy"] == pytest.approx(4 / 6)
    assert diagram["mean_confidence"] == pytest.approx(2.7 / 6)
    assert reliability(np.zeros(0), np.zeros(0, dtype=bool))["bins"] == []

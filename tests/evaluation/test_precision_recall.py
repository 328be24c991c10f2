"""Curves equal to scikit-learn's, thinned or not."""

from typing import List, Tuple

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score
from sklearn.metrics import precision_recall_curve as sklearn_curve

from mtnlp.evaluation.precision_recall import average_precision, curve, precision_recall_curve

SCORED = st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.25, 0.5, 0.9, 1.0]), st.booleans()))


@given(SCORED)
def test_a_curve_is_scikit_learns(scored: List[Tuple[float, bool]]) -> None:
    scores, gold = np.array([s for s, _ in scored]), np.array([g for _, g in scored], dtype=bool)
    assume(gold.any())
    precision, recall, threshold = precision_recall_curve(scores, gold)
    expected = sklearn_curve(gold, scores)
    np.testing.assert_allclose(precision, expected[0][:-1])
    np.testing.assert_allclose(recall, expected[1][:-1])
    np.testing.assert_allclose(threshold, expected[2])
    assert average_precision(precision, recall) == pytest.approx(
        average_precision_score(gold, scores)
    )


def test_a_thinned_curve_keeps_its_ends_and_its_average() -> None:
    rng = np.random.default_rng(0)
    gold = rng.random(5000) < 0.2
    scores = (rng.normal(size=5000) + gold).astype(np.float32)
    whole, thinned = curve(scores, gold, points=10**6), curve(scores, gold, points=20)
    assert whole is not None and thinned is not None
    assert len(whole["precision"]) == len(np.unique(scores)) and len(thinned["precision"]) <= 20
    assert thinned["average_precision"] == whole["average_precision"]
    keys = ("precision", "recall", "threshold")
    points = list(zip(*(whole[key] for key in keys), strict=True))
    kept = list(zip(*(thinned[key] for key in keys), strict=True))
    assert (kept[0], kept[-1]) == (points[0], points[-1]) and set(kept) <= set(points)
    assert np.all(np.diff(thinned["threshold"]) > 0)


def test_without_gold_there_is_no_curve() -> None:
    assert curve(np.array([0.5, 0.1]), np.array([False, False])) is None
    assert curve(np.zeros(0), np.zeros(0, dtype=bool)) is None

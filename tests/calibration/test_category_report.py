"""Figures of categories, by hand and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, f1_score

from mtnlp.calibration.category_report import (
    category_calibration,
    task_figures,
    threshold_scores,
)

PROBABILITIES = np.array([[0.9, 0.2], [0.6, 0.4], [0.1, 0.8], [0.3, 0.3]])
GOLD = np.array([[1, 0], [0, 1], [1, 1], [0, 0]], dtype=bool)
MASK = np.array([[1, 1], [1, 0], [1, 1], [1, 1]], dtype=bool)
KEYS = ["task/A", "task/B"]


def test_each_annotated_pair_is_a_prediction() -> None:
    found = category_calibration(PROBABILITIES, GOLD, MASK, exclusive=False)
    assert found["predicted"] == 7 and found["share"] == pytest.approx(3 / 7)
    assert found["mean_confidence"] == pytest.approx(3.2 / 7)
    assert found["brier"] == pytest.approx(brier_score_loss(GOLD[MASK], PROBABILITIES[MASK]))
    # As many bins as predictions (two are equal, and share theirs): the mean distance.
    gaps = [0.1, 0.2, 0.6, 0.9, 0.2, 0.3, 0.3]
    assert found["ece"] == pytest.approx(sum(gaps) / 7)


def test_the_most_probable_label_of_each_document_is_a_prediction() -> None:
    probabilities = np.array([[0.7, 0.3], [0.4, 0.6], [0.9, 0.1]])
    gold = np.array([[1, 0], [1, 0], [1, 0]], dtype=bool)
    found = category_calibration(probabilities, gold, np.ones_like(gold), exclusive=True)
    assert found["predicted"] == 3 and found["share"] == pytest.approx(2 / 3)
    assert found["brier"] == pytest.approx((0.3**2 + 0.6**2 + 0.1**2) / 3)
    assert found["ece"] == pytest.approx((0.3 + 0.6 + 0.1) / 3)


def test_scores_at_thresholds() -> None:
    for thresholds in (0.5, np.array([0.65, 0.35])):
        found = threshold_scores(PROBABILITIES, GOLD, MASK, np.asarray(thresholds), KEYS)
        given = (thresholds <= PROBABILITIES) & MASK
        for average in ("micro", "macro"):
            expected = f1_score(GOLD & MASK, given, average=average)
            assert found[average]["f"] == pytest.approx(expected)
    assert found["micro"] == pytest.approx({"p": 1.0, "r": 2 / 3, "f": 0.8})


def test_all_figures() -> None:
    settings = {"keys": KEYS, "default": 0.85, "thresholds": {"low": np.array([0.05, 0.05])}}
    every = (PROBABILITIES, PROBABILITIES**2, GOLD, MASK)
    found = task_figures(*every, exclusive=False, **settings)
    assert found["documents"] == 4
    calibration = found["calibration"]
    assert calibration["uncalibrated"] != calibration["calibrated"]
    assert calibration["calibrated"]["mean_confidence"] == pytest.approx(
        (PROBABILITIES**2)[MASK].mean()
    )
    # By default on the probabilities before, 0.9 is predicted: 0.81, the one after, would not be.
    assert found["f1"]["default"]["micro"] == {"p": 1.0, "r": pytest.approx(1 / 3), "f": 0.5}
    # 0.1 squared does not reach 0.05, nor does 0.2 squared.
    assert found["f1"]["low"]["micro"]["r"] == pytest.approx(2 / 3)
    assert "f1" not in task_figures(*every, exclusive=True, **settings)

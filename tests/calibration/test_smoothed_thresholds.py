"""Smoothed thresholds: against F1 threshold by threshold, and on documents not fitted on."""

from typing import List, Tuple

import numpy as np
import pytest
from sklearn.metrics import f1_score

from mtnlp.calibration.thresholds import STEP, fit_thresholds, threshold_grid

Part = Tuple[np.ndarray, np.ndarray, np.ndarray]


def draw(docs: int, rates: List[float], generator: np.random.Generator) -> Part:
    """Probabilities that are right, of labels as frequent as `rates`."""
    logits = generator.normal(np.log(rates), 2.0, (docs, len(rates)))
    probabilities = 1 / (1 + np.exp(-logits))
    gold = generator.random(probabilities.shape) < probabilities
    return probabilities, gold, np.ones_like(gold)


def test_the_peak_of_the_smoothed_line() -> None:
    generator = np.random.default_rng(0)
    probabilities, gold, mask = draw(60, [0.05, 0.2, 0.5], generator)
    mask = generator.random(mask.shape) < 0.8
    odds, thresholds = threshold_grid()
    lines = [
        [
            f1_score(gold[own, label], probabilities[own, label] >= each, zero_division=0)
            for each in thresholds
        ]
        for label, own in enumerate(mask.T)
    ]
    for width in (0.2, 0.4, 1.5):
        found = fit_thresholds(probabilities, gold, mask, min_positives=1, smoothing=width).values
        weights = np.exp(-((odds[:, None] - odds) ** 2) / (2 * width**2))
        for line, threshold in zip(lines, found, strict=True):
            values = (weights * np.array(line)).sum(1) / weights.sum(1)
            assert values[np.searchsorted(thresholds, threshold)] == pytest.approx(values.max())


def test_a_narrow_width_takes_the_peak_itself() -> None:
    part = draw(300, [0.1, 0.3], np.random.default_rng(1))
    exact = fit_thresholds(*part, min_positives=1).values
    near = fit_thresholds(*part, min_positives=1, smoothing=STEP / 10).values
    for values, tolerance in ((exact, 0.0), (near, 0.01)):
        assert macro(part, values) >= macro(part, exact) - tolerance


def test_what_is_best_by_chance_is_worse_on_other_documents() -> None:
    """Rare labels, few documents: the mean over many draws, its error far below the difference."""
    generator = np.random.default_rng(2)
    gains = []
    for _ in range(60):
        part, other = (draw(docs, [0.01, 0.02, 0.05], generator) for docs in (300, 3000))
        smooth, exact = (
            fit_thresholds(*part, min_positives=1, smoothing=width).values for width in (0.4, 0.0)
        )
        assert macro(part, smooth) <= macro(part, exact) + 1e-12
        gains.append(macro(other, smooth) - macro(other, exact))
    error = np.std(gains) / np.sqrt(len(gains))
    assert np.mean(gains) > 3 * error > 0


def test_micro_f1_is_not_smoothed() -> None:
    part = draw(100, [0.1, 0.3], np.random.default_rng(3))
    plain, smooth = (
        fit_thresholds(*part, objective="micro", smoothing=width).values for width in (0.0, 0.4)
    )
    assert plain.tolist() == smooth.tolist()


def macro(part: Part, thresholds: np.ndarray) -> float:
    probabilities, gold, _ = part
    return float(f1_score(gold, probabilities >= thresholds, average="macro", zero_division=0))

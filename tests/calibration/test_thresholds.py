"""Fitted thresholds against a search of all there are, scored by scikit-learn."""

from itertools import product
from typing import List, Tuple

import numpy as np
import pytest
import srsly
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from mtnlp.calibration.thresholds import (
    OBJECTIVES,
    find_cuts,
    fit_thresholds,
    global_threshold,
    macro_rows,
    midpoints,
)
from mtnlp.errors import MtnlpError

Case = Tuple[np.ndarray, np.ndarray, np.ndarray]


@st.composite
def cases(draw: st.DrawFn, tenths: bool = True) -> Case:
    """Few probabilities, so that many are equal, 0 and 1 among them."""
    docs, labels = draw(st.integers(1, 6)), draw(st.integers(1, 3))
    shape = docs, labels
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    probabilities = generator.integers(0, 11, shape) / 10 if tenths else generator.random(shape)
    gold = generator.random(shape) < draw(st.sampled_from([0.2, 0.5, 0.9]))
    mask = generator.random(shape) < draw(st.sampled_from([0.6, 1.0]))
    return probabilities, gold, mask


def candidates(probabilities: np.ndarray) -> List[float]:
    """One threshold for every way to cut."""
    return [*np.unique(probabilities), 2.0]


def score(case: Case, thresholds: np.ndarray, average: str) -> float:
    """F1 by its definition; macro over the labels that are gold somewhere."""
    probabilities, gold, mask = case
    right, given = gold & mask, (probabilities >= thresholds) & mask
    doubled, both = 2 * (right & given).sum(0), right.sum(0) + given.sum(0)
    if average == "micro":
        return doubled.sum() / max(both.sum(), 1)
    each = (doubled / np.maximum(both, 1))[right.any(0)]
    return each.mean() if len(each) else 0.0


def peer_score(case: Case, thresholds: np.ndarray, average: str) -> float:
    """The same by scikit-learn."""
    probabilities, gold, mask = case
    right, given = gold & mask, (probabilities >= thresholds) & mask
    labels = np.flatnonzero(right.any(0)) if average == "macro" else None
    if average == "macro" and not right.any():
        return 0.0
    # A single column would count as a binary task.
    right, given = (np.pad(part, ((0, 0), (0, 1))) for part in (right, given))
    return float(f1_score(right, given, labels=labels, average=average, zero_division=0))


@pytest.mark.parametrize("objective", OBJECTIVES)
@seed(0)
@settings(max_examples=60)
@given(case=cases())
def test_no_thresholds_are_better(objective: str, case: Case) -> None:
    probabilities, gold, mask = case
    fit = fit_thresholds(*case, objective=objective, min_positives=1)
    positive = (gold & mask).any(0)
    assert fit.own.tolist() == positive.tolist()
    assert (fit.values[~positive] == 0.5).all()
    # Labels without gold keep the default, all others are free.
    free = [
        candidates(column) if i in np.flatnonzero(positive) else [0.5]
        for i, column in enumerate(probabilities.T)
    ]
    best = max(score(case, np.array(each), objective) for each in product(*free))
    assert score(case, fit.values, objective) == pytest.approx(best, abs=1e-12)
    assert peer_score(case, fit.values, objective) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("objective", OBJECTIVES)
@seed(1)
@settings(max_examples=60)
@given(case=cases())
def test_no_global_threshold_is_better(objective: str, case: Case) -> None:
    found = global_threshold(*case, objective=objective, default=0.5)
    best = max(score(case, np.array(each), objective) for each in candidates(case[0]))
    assert score(case, np.array(found), objective) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("objective", OBJECTIVES)
@seed(2)
@settings(max_examples=40)
@given(case=cases(tenths=False))
def test_labels_with_few_positives_share(objective: str, case: Case) -> None:
    """The others are the best beside them."""
    probabilities, gold, mask = case
    fit = fit_thresholds(*case, objective=objective, min_positives=3)
    positives = (gold & mask).sum(0)
    assert fit.positives.tolist() == positives.tolist()
    assert fit.own.tolist() == (positives >= 3).tolist()
    assert fit.shared == global_threshold(*case, objective=objective)
    assert (fit.values[(positives > 0) & ~fit.own] == fit.shared).all()
    free = [
        candidates(column) if own else [value]
        for column, own, value in zip(probabilities.T, fit.own, fit.values, strict=True)
    ]
    best = max(score(case, np.array(each), objective) for each in product(*free))
    assert score(case, fit.values, objective) == pytest.approx(best, abs=1e-12)


def test_midway_between_neighbours() -> None:
    probabilities = np.array([[0.9, 1.0], [0.3, 0.75], [0.2, 0.25], [0.1, 0.0]])
    gold = np.array([[1, 1], [1, 1], [0, 1], [0, 1]], dtype=bool)
    fit = fit_thresholds(probabilities, gold, np.ones_like(gold), min_positives=1)
    assert fit.values == pytest.approx([0.25, 0.0])
    thresholds, possible = midpoints(np.array([[1.0], [0.5], [0.5], [0.0], [-np.inf]]))
    assert possible[:, 0].tolist() == [True, True, False, True, True, False]
    assert thresholds[0, 0] > 1.0
    assert thresholds[possible[:, 0], 0][1:].tolist() == [0.75, 0.25, 0.0]


def test_saved_thresholds_cut_where_fitted_ones_do() -> None:
    """Some JSON has numbers of ten decimals."""
    ranked = np.array([1.0, 1 - 1e-9, 0.5 + 3e-6, 0.5, 2e-8, 3e-9, 1e-12, 0.0])[:, None]
    thresholds, possible = midpoints(ranked)
    assert possible[:, 0].tolist() == [True, False, True, True, True, True, False, False, True]
    for kept in np.flatnonzero(possible):
        saved = srsly.json_loads(srsly.json_dumps(float(thresholds[kept, 0])))
        assert saved == pytest.approx(thresholds[kept, 0], abs=1e-12)
        assert (ranked[:, 0] >= saved).sum() == kept


def test_no_threshold_divides_one_text_in_two_batches() -> None:
    """Equal texts with other gold: rounding puts one of them first, another batch the other."""
    probability = 1 / (1 + np.exp(-np.array([[3.0], [1.0], [-2.0], [-9.0]])))
    nudged = 1 / (1 + np.exp(-np.array([[3.0], [1.0], [-2.0], [-9.0]]) + 5e-7))
    ranked = np.stack([probability, nudged], axis=1).reshape(-1, 1)
    _, possible = midpoints(ranked)
    assert possible[:, 0].tolist() == [True, False] * 4 + [True]


def test_of_equal_thresholds_the_nearest_to_the_default() -> None:
    """The best F1, 2/3, is that of the first one and of all four."""
    probabilities = np.array([[0.8], [0.6], [0.4], [0.2]])
    gold = np.array([[1], [0], [0], [1]], dtype=bool)
    cuts = find_cuts(probabilities, gold, np.ones_like(gold))
    assert cuts.fscores[:, 0] == pytest.approx([0, 2 / 3, 0.5, 0.4, 2 / 3])
    for default, expected in ((0.9, 0.7), (0.5, 0.7), (0.3, 0.1)):
        (row,) = macro_rows(cuts, default)
        assert cuts.thresholds[row, 0] == pytest.approx(expected)
        fit = fit_thresholds(
            *(probabilities, gold, np.ones_like(gold)), default=default, min_positives=1
        )
        assert fit.values == pytest.approx([expected]) == [fit.shared]


def test_nothing_gold() -> None:
    probabilities, nothing = np.full((3, 2), 0.4), np.zeros((3, 2), dtype=bool)
    for gold, mask in ((nothing, ~nothing), (~nothing, nothing)):
        for objective in OBJECTIVES:
            fit = fit_thresholds(probabilities, gold, mask, objective=objective, default=0.3)
            assert fit.values.tolist() == [0.3, 0.3] and fit.shared == 0.3
            assert not fit.own.any() and not fit.positives.any()


def test_micro_f1_is_best_at_half_of_it_where_probabilities_are_true() -> None:
    """Lipton et al. (2014): the check of a solution by another way."""
    generator = np.random.default_rng(0)
    probabilities = generator.beta(0.5, 2.0, (20_000, 4))
    gold = generator.random(probabilities.shape) < probabilities
    mask = np.ones_like(gold)
    fit = fit_thresholds(probabilities, gold, mask, objective="micro")
    best = f1_score(gold.ravel(), (probabilities >= fit.values).ravel())
    assert fit.values == pytest.approx([best / 2] * 4, abs=0.05)
    assert fit.shared == pytest.approx(best / 2, abs=0.05)


def test_unknown_objective() -> None:
    ones = np.ones((1, 1), dtype=bool)
    with pytest.raises(MtnlpError, match=r"E432.*weighted.*macro, micro"):
        fit_thresholds(ones * 0.5, ones, ones, objective="weighted")

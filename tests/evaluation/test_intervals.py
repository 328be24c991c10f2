import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mtnlp.errors import MtnlpError
from mtnlp.evaluation import intervals
from mtnlp.evaluation.intervals import (
    bootstrap_interval,
    bootstrap_statistic,
    fscores,
    paired_bootstrap,
    ratios,
    wilson_interval,
)


def counts(documents: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 5, size=(documents, 3))


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (3, 10), (10, 10), (780, 1000)])
def test_wilson_equals_scipys(successes: int, n: int) -> None:
    expected = stats.binomtest(successes, n).proportion_ci(0.95, method="wilson")
    assert wilson_interval(successes, n) == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(st.integers(0, 300), st.integers(0, 300))
def test_wilson_holds_the_share(successes: int, failures: int) -> None:
    low, high = wilson_interval(successes, successes + failures)
    assert 0.0 <= low <= high <= 1.0
    if successes + failures:
        assert low <= successes / (successes + failures) <= high


def test_wilson_refuses_impossible_shares() -> None:
    with pytest.raises(MtnlpError, match="E502"):
        wilson_interval(3, 2)


def test_the_bootstrap_holds_the_value_and_narrows_with_more_documents() -> None:
    small, large = counts(30), counts(3000)
    widths = []
    for data in (small, large):
        low, high = bootstrap_interval(data, seed=1)
        value = float(fscores(data.sum(axis=0)))
        assert 0.0 <= low < value < high <= 1.0
        widths.append(high - low)
    assert widths[1] < widths[0] / 5


def test_the_bootstrap_equals_drawing_indices() -> None:
    data = counts(40)
    by_weights = bootstrap_interval(data, samples=4000, seed=2)
    by_indices = bootstrap_statistic(
        lambda drawn: float(fscores(data[drawn].sum(axis=0))), 40, samples=4000, seed=3
    )
    assert by_weights == pytest.approx(by_indices, abs=0.01)


def test_the_bootstrap_of_a_proportion_is_near_wilsons() -> None:
    data = np.ones((400, 2))
    data[:100, 0] = 0
    assert bootstrap_interval(data, ratios, seed=0) == pytest.approx(
        wilson_interval(300, 400), abs=0.01
    )


def test_the_seed_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    data = counts(50)
    first = bootstrap_interval(data, seed=5)
    assert bootstrap_interval(data, seed=5) == first != bootstrap_interval(data, seed=6)
    monkeypatch.setattr(intervals, "BLOCK", 50 * 7)
    assert bootstrap_interval(data, seed=5) == first


def test_no_documents() -> None:
    assert bootstrap_interval(np.zeros((0, 3))) == (0.0, 1.0)
    assert bootstrap_statistic(lambda drawn: 0.5, 0) == (0.0, 1.0)
    assert bootstrap_interval(np.zeros((5, 3))) == (0.0, 0.0)


def test_a_clear_difference_is_found_and_none_is_not() -> None:
    good = np.tile([4, 1, 1], (60, 1))
    bad = counts(60)
    difference = paired_bootstrap(bad, good)
    assert difference.value == pytest.approx(
        float(fscores(np.array([4, 1, 1]))) - float(fscores(bad.sum(axis=0)))
    )
    assert difference.interval[0] > 0 and difference.p_value < 0.01
    same = paired_bootstrap(bad, bad)
    assert same.value == 0.0 and same.interval == (0.0, 0.0) and same.p_value == 1.0


def test_pairing_uses_that_documents_differ_alike() -> None:
    first = counts(50)
    second = first + np.array([1, 0, 0])
    paired = paired_bootstrap(first, second)
    unpaired_width = np.subtract(*bootstrap_interval(first)[::-1])
    assert paired.interval[0] > 0 and np.subtract(*paired.interval[::-1]) < unpaired_width


def test_pairs_must_match() -> None:
    with pytest.raises(MtnlpError, match="E501"):
        paired_bootstrap(counts(3), counts(4))

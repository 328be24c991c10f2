import pytest

from mtnlp.experiments.comparison_tables import Spread, spread


def test_by_hand() -> None:
    """Mean 0.72; squared deviations 0.0004 + 0 + 0.0004, halved and rooted: 0.02. Student's t with
    two degrees of freedom leaves 2.5% above 4.3027."""
    found = spread([0.70, 0.72, 0.74])
    assert (found.n, found.mean, found.sd) == (3, pytest.approx(0.72), pytest.approx(0.02))
    assert found.half_width == pytest.approx(4.3027 * 0.02 / 3**0.5, rel=1e-4)


def test_two_runs() -> None:
    """Their half width is 12.7062 times half of their difference over root 2 times root 2."""
    found = spread([1.0, 2.0])
    assert found.sd == pytest.approx(0.5**0.5)
    assert found.half_width == pytest.approx(12.7062 / 2, rel=1e-4)


def test_one_run_has_no_spread() -> None:
    assert spread([0.5]) == Spread(1, 0.5, None, None)


def test_equal_runs() -> None:
    assert spread([0.3, 0.3, 0.3]).half_width == 0.0

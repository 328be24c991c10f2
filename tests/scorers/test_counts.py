from hypothesis import given
from hypothesis import strategies as st

from mtnlp.scorers.counts import Counts, mean, total

NUMBERS = st.integers(min_value=0, max_value=10**6)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_ratios_are_bounded_and_f_lies_between(tp: int, fp: int, fn: int) -> None:
    counts = Counts(tp, fp, fn)
    p, r, f = counts.precision, counts.recall, counts.fscore
    assert all(0.0 <= value <= 1.0 for value in (p, r, f))
    if tp + fp and tp + fn:
        assert min(p, r) <= f <= max(p, r)
    else:
        assert f == 0.0


def test_counts_of_sets() -> None:
    counts = Counts()
    counts.add({1, 2, 3}, {2, 3, 4, 5})
    counts.add(set(), {6})
    assert counts == Counts(tp=2, fp=3, fn=1)
    assert counts.to_dict() == {"p": 0.4, "r": 2 / 3, "f": 0.5}
    assert total([counts, Counts(1, 1, 1)]) == Counts(3, 4, 2)
    assert total([]) == Counts()


def test_mean_of_nothing() -> None:
    assert mean([]) == 0.0
    assert mean([0.25, 0.75]) == 0.5

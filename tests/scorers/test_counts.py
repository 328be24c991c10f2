from typing import List, Set, Tuple

from hypothesis import given
from hypothesis import strategies as st

from mtnlp.scorers.counts import (
    Counts,
    averages,
    count_per_label,
    mean,
    total,
    with_support,
)

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
    pairs: List[Tuple[Set[int], Set[int]]] = [({1, 2, 3}, {2, 3, 4, 5}), (set(), {6})]
    counts = count_per_label(pairs, label=lambda item: "all")["all"]
    assert counts == Counts(tp=2, fp=3, fn=1) and counts.support == 3
    assert counts.to_dict() == {"p": 0.4, "r": 2 / 3, "f": 0.5}
    assert total([counts, Counts(1, 1, 1)]) == Counts(3, 4, 2)
    assert total([]) == Counts()


def test_counts_of_labels() -> None:
    pairs = [({"b1", "a1"}, {"b1", "b2"}), (set(), set()), ({"a2"}, {"a2", "c1"})]
    counts = count_per_label(pairs, label=lambda item: item[0])
    assert list(counts.items()) == [
        ("a", Counts(tp=1, fp=0, fn=1)),
        ("b", Counts(tp=1, fp=1, fn=0)),
        ("c", Counts(tp=0, fp=1, fn=0)),
    ]
    assert averages(counts) == {
        "micro": {"p": 0.5, "r": 2 / 3, "f": 4 / 7},
        "macro": {"p": 0.5, "r": 0.5, "f": 4 / 9},
    }
    assert with_support(counts)["a"] == {"p": 1.0, "r": 0.5, "f": 2 / 3, "support": 2}
    nothing = {"p": 0.0, "r": 0.0, "f": 0.0}
    assert averages({}) == {"micro": nothing, "macro": nothing}


def test_mean_of_nothing() -> None:
    assert mean([]) == 0.0
    assert mean([0.25, 0.75]) == 0.5

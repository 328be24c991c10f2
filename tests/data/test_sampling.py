"""How many documents of each corpus an epoch has, and in what order."""

from collections import Counter
from itertools import permutations
from typing import List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtnlp.data.sampling import (
    apportion,
    count_epoch,
    draw_order,
    round_robin,
    seeded,
    shuffle_in_buffer,
    split_rounds,
)

SIZES = [900, 90, 10]


def count(sampling: str, weights: List[float], alpha: float = 0.5) -> List[int]:
    return count_epoch(sampling, SIZES, weights, alpha)


def test_an_epoch_in_proportion():
    assert count("proportional", [1.0, 1.0, 1.0]) == SIZES
    assert count("proportional", [0.5, 2.0, 0.001]) == [450, 180, 1]


def test_uniform_shares_follow_the_weights_alone():
    assert count("uniform", [1.0, 1.0, 1.0]) == [334, 333, 333]
    # 1,000 documents in proportion would be 900 + 90 + 20.
    assert count("uniform", [1.0, 1.0, 2.0]) == [253, 252, 505]


def test_a_temperature_lies_between_uniform_and_proportional():
    # sqrt: 30 + 9.487 + 3.162 = 42.649, of 1,000: 703.41, 222.44, 74.15
    assert count("power", [1.0, 1.0, 1.0], 0.5) == [703, 223, 74]
    assert count("power", [1.0, 1.0, 1.0], 0.0) == count("uniform", [1.0, 1.0, 1.0])
    assert count("power", [1.0, 1.0, 1.0], 1.0) == SIZES
    # A weight multiplies in: 30 + 9.487 + 6.325 = 45.811, of 1,010: 661.41, 209.15, 139.44
    assert count("power", [1.0, 1.0, 2.0], 0.5) == [661, 209, 140]


def test_turns_end_with_the_corpus_that_needs_most():
    assert count("round_robin", [1.0, 1.0, 1.0]) == [900, 900, 900]
    assert count("round_robin", [20.0, 1.0, 2.0]) == [1800, 90, 180]


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=6), st.integers(6, 5000))
def test_apportioned_counts_are_near_their_shares_and_add_up(shares: List[float], total: int):
    counts = apportion(total, shares)
    assert sum(counts) == total
    for number, share in zip(counts, shares, strict=True):
        assert number >= 1
        assert number < total * share / sum(shares) + 1 + 1e-6 or number == 1


@pytest.mark.parametrize("start, stop", [(0, 0), (0, 7), (5, 9), (3, 30), (14, 21)])
def test_rounds_are_split_where_they_end(start: int, stop: int):
    places = [
        number * 7 + place
        for number, first, last in split_rounds(start, stop, 7)
        for place in range(first, last)
    ]
    assert places == list(range(start, stop))
    assert all(0 <= a < b <= 7 for _, a, b in split_rounds(start, stop, 7))


def test_every_order_is_drawn_equally_often():
    generator = seeded(0, "test")
    drawn = Counter(tuple(draw_order([2, 1, 1], generator)) for _ in range(6000))
    assert set(drawn) == set(permutations([0, 0, 1, 2]))
    # 12 orders, 500 each; the chi-square of 11 degrees of freedom is above 31.3 once in 1,000.
    assert sum((n - 500) ** 2 / 500 for n in drawn.values()) < 31.3


def test_turns():
    assert list(round_robin([3, 3], [1.0, 1.0])) == [0, 1, 0, 1, 0, 1]
    assert list(round_robin([2, 4, 2], [1, 2, 1])) == [0, 1, 1, 2, 0, 1, 1, 2]


def test_a_buffer_shuffles_as_far_as_it_reaches():
    items = list(range(1000))
    out = list(shuffle_in_buffer(items, 50, seeded(1)))
    assert sorted(out) == items
    assert out == list(shuffle_in_buffer(items, 50, seeded(1)))
    assert out != list(shuffle_in_buffer(items, 50, seeded(2)))
    # Nothing comes earlier than the buffer lets it; what goes out stays 50 steps on average.
    assert all(item - place <= 50 for place, item in enumerate(out))
    waits = [place + 50 - item for place, item in enumerate(out[:900])]
    assert 40 < sum(waits) / len(waits) < 60
    assert list(shuffle_in_buffer(items, 1, seeded(1))) == items
    everything = list(shuffle_in_buffer(items, 2000, seeded(1)))
    assert sorted(everything) == items and everything[:100] != items[:100]

"""Neighbours against brute force."""

from typing import Any, Optional

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtnlp.analysis.neighbours import agreement, nearest, similarities


def cosine(one: Any, other: Any) -> float:
    norms = np.linalg.norm(one) * np.linalg.norm(other)
    return float(one @ other / norms) if norms else 0.0


@given(
    count=st.integers(1, 12),
    asked=st.none() | st.integers(1, 4),
    wanted=st.integers(0, 15),
    cells=st.integers(1, 40),
    seed=st.integers(0, 1000),
)
def test_nearest(count: int, asked: Optional[int], wanted: int, cells: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(count, 3)).astype("float32")
    queries = None if asked is None else random.normal(size=(asked, 3)).astype("float32")
    index, found = nearest(vectors, wanted, queries, cells=cells)
    for row, query in enumerate(vectors if queries is None else queries):
        others = [i for i in range(count) if queries is not None or i != row]
        expected = sorted((-cosine(query, vectors[i]), i) for i in others)[:wanted]
        assert found[row] == pytest.approx([-value for value, _ in expected], abs=1e-5)
        assert len(set(index[row].tolist())) == len(expected)
        alone = [cosine(query, vectors[i]) for i in index[row]]
        assert found[row] == pytest.approx(alone, abs=1e-5)


def test_ties_and_vectors_of_zeros() -> None:
    vectors = np.array([[1, 0], [0, 0], [2, 0], [0, 1], [1, 0]], dtype="float32")
    index, cosines = nearest(vectors, 4)
    assert index[0].tolist() == [2, 4, 1, 3] and cosines[0].tolist() == [1, 1, 0, 0]
    assert cosines[1].tolist() == [0, 0, 0, 0] and index[1].tolist() == [0, 2, 3, 4]


def test_similarities() -> None:
    vectors = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    expected = [[cosine(one, other) for other in vectors] for one in vectors]
    assert similarities(vectors) == pytest.approx(np.array(expected), abs=1e-6)


def test_agreement() -> None:
    labels = ["a", "a", "b", None]
    shares, chance = agreement(labels, np.array([[1, 2], [0, 3], [3, 3], [0, 1]]))
    assert shares[:2].tolist() == [0.5, 1.0] and np.isnan(shares[2:]).all()
    assert chance == pytest.approx(2 / 6)
    shares, chance = agreement([None, "a"], np.array([[1], [0]]))
    assert np.isnan(shares).all() and np.isnan(chance)

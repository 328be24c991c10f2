"""Projections against scikit-learn's, and their bounds."""

import sys
from typing import Any

import numpy as np
import pytest

from mtnlp.analysis.projection import METHODS, principal_components, project
from mtnlp.errors import MtnlpError


def clouds(count: int = 60, width: int = 8) -> Any:
    """Three groups far apart."""
    random = np.random.default_rng(0)
    centres = 6 * random.normal(size=(3, width))
    return (centres[np.arange(count) % 3] + random.normal(size=(count, width))).astype("float32")


@pytest.mark.parametrize("shape", [(50, 8), (6, 20), (200, 3)])
def test_pca_is_scikit_learns(shape: Any) -> None:
    decomposition = pytest.importorskip("sklearn.decomposition")
    vectors = np.random.default_rng(1).normal(size=shape) * np.arange(1, shape[1] + 1)
    expected = decomposition.PCA(2, svd_solver="full")
    points = expected.fit_transform(vectors)
    found = principal_components(vectors, 2)
    # The direction of an axis is a matter of convention: ours follows its largest weight.
    signs = np.sign((points * found.points).sum(0))
    assert found.points == pytest.approx(points * signs, abs=1e-8)
    assert found.explained == pytest.approx(expected.explained_variance_ratio_.tolist())


def test_axes_point_where_their_largest_weight_is_positive() -> None:
    vectors = np.zeros((5, 3))
    vectors[:, 1] = [-4, -1, 0, 2, 3]
    vectors[:, 2] = [1, -1, 0, -1, 1]
    points = principal_components(vectors, 2).points
    assert points[:, 0] == pytest.approx([-4, -1, 0, 2, 3], abs=0.5)
    flipped = principal_components(-vectors, 2).points
    assert flipped == pytest.approx(-points)


@pytest.mark.parametrize("shape", [(1, 4), (4, 1), (2, 2)])
def test_few_vectors_and_few_numbers_in_them(shape: Any) -> None:
    found = project(np.ones(shape, dtype="float32"))
    assert found.points.shape == (shape[0], 2) and not found.points.any()
    assert found.explained == [0.0, 0.0]


@pytest.mark.parametrize("method", ["tsne", "umap"])
@pytest.mark.parametrize("count", [1, 4, 60])
def test_other_methods_keep_groups_together(method: str, count: int) -> None:
    pytest.importorskip({"tsne": "sklearn", "umap": "umap"}[method])
    vectors = clouds(count)
    found = project(vectors, method, seed=3)
    assert found.points.shape == (count, 2) and np.isfinite(found.points).all()
    assert found.explained is None
    assert (project(vectors, method, seed=3).points == found.points).all()
    if count == 60:
        far = np.linalg.norm(found.points[:, None] - found.points[None], axis=2)
        np.fill_diagonal(far, np.inf)
        assert ((far.argmin(1) - np.arange(count)) % 3 == 0).mean() > 0.95


@pytest.mark.parametrize(
    ("method", "module", "package"),
    [("tsne", "sklearn.manifold", "scikit-learn"), ("umap", "umap", "umap-learn")],
)
def test_a_missing_library_is_named(
    method: str, module: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MtnlpError, match=f"E716.*pip install {package}"):
        project(clouds(), method)
    assert set(METHODS) == {"pca", "tsne", "umap"}

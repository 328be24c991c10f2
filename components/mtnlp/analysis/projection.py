"""Vectors in two dimensions, for a map.

PCA is linear and always there: distances on its map are those in the two directions in which the
vectors differ most. t-SNE (van der Maaten and Hinton 2008) and UMAP (McInnes et al. 2018) keep
neighbourhoods, and tear far distances apart: the gaps between their clusters say little.
"""

import warnings
from importlib import import_module
from typing import Any, Callable, Dict, List, NamedTuple, Optional

import numpy as np

from ..errors import Errors, MtnlpError
from ..types import Doubles, Floats

# t-SNE gets that many principal components: the rest is mostly noise, and costs time.
COMPONENTS = 50
PERPLEXITY, NEIGHBOURS = 30.0, 15


class Projection(NamedTuple):
    """points: `[n, 2]`. explained: the shares of the variance along both axes; None where the axes
    have no meaning of their own."""

    points: Doubles
    explained: Optional[List[float]]


def project(vectors: Floats, method: str = "pca", seed: int = 0) -> Projection:
    """Vectors as points of a map.

    vectors: `[n, width]`, n > 0. method: "pca", "tsne" or "umap". seed: of the last two.
    Raises: MtnlpError E716 where the library of a method is not installed.
    """
    return METHODS[method](np.asarray(vectors, dtype=np.float64), seed)


def principal_components(vectors: Doubles, count: int) -> Projection:
    """The first principal components (Pearson 1901), by the eigenvectors of the covariance.

    Each axis points where its largest weight is positive, so that the map does not flip.

    vectors: `[n, width]`. Returns: points `[n, count]`, with zeros in axes that do not exist, and
        the shares of the variance.
    """
    centred = vectors - vectors.mean(axis=0)
    values, axes = np.linalg.eigh(centred.T @ centred)
    values, axes = np.clip(values[::-1][:count], 0, None), axes[:, ::-1][:, :count]
    largest = np.abs(axes).argmax(axis=0)
    axes = axes * np.where(axes[largest, np.arange(axes.shape[1])] < 0, -1.0, 1.0)
    total = float((centred**2).sum())
    missing = count - axes.shape[1]
    points = np.pad(centred @ axes, ((0, 0), (0, missing)))
    shares = np.pad(values / total if total else values * 0.0, (0, missing))
    return Projection(points, shares.tolist())


def _pca(vectors: Doubles, seed: int) -> Projection:
    return principal_components(vectors, 2)


def _tsne(vectors: Doubles, seed: int) -> Projection:
    manifold = _library("sklearn.manifold", "scikit-learn", "t-SNE")
    # Its perplexity must lie below the number of points, its start needs two axes.
    if len(vectors) < 4:
        return _pca(vectors, seed)._replace(explained=None)
    reduced = principal_components(vectors, min(COMPONENTS, vectors.shape[1])).points
    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    model = manifold.TSNE(perplexity=perplexity, init=_start(reduced), random_state=seed)
    return Projection(np.asarray(model.fit_transform(reduced), dtype=np.float64), None)


def _umap(vectors: Doubles, seed: int) -> Projection:
    umap = _library("umap", "umap-learn", "UMAP")
    # Its spectral start needs more points than that.
    if len(vectors) < 5:
        return _pca(vectors, seed)._replace(explained=None)
    neighbours = min(NEIGHBOURS, len(vectors) - 1)
    settings = {"metric": "cosine", "init": _start(vectors), "random_state": seed, "n_jobs": 1}
    with warnings.catch_warnings():
        # It says that a seed keeps it to one thread, which is meant.
        warnings.simplefilter("ignore")
        model = umap.UMAP(n_neighbors=neighbours, **settings)
        points = model.fit_transform(vectors.astype(np.float32))
    return Projection(np.asarray(points, dtype=np.float64), None)


METHODS: Dict[str, Callable[[Doubles, int], Projection]] = {
    "pca": _pca,
    "tsne": _tsne,
    "umap": _umap,
}


def _start(vectors: Doubles) -> Any:
    """Where the points are moved from: PCA's map, small, as both methods want it (Kobak and
    Linderman 2021)."""
    points = principal_components(vectors, 2).points
    return (points / max(float(points[:, 0].std()), 1e-12) * 1e-4).astype(np.float32)


def _library(module: str, package: str, method: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        message = Errors.E716.format(method=method, package=package, reason=error)
        raise MtnlpError(message) from error

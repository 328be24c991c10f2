"""Which vectors lie near each other, by their cosine."""

from typing import Optional, Sequence, Tuple

import numpy as np

from ..types import Floats, Ints

# Cosines held at once: 64 MB of float32.
CELLS = 16_000_000


def unit_length(vectors: Floats) -> Floats:
    """`[n, width]`: the vectors divided by their L2 norms; zeros stay zeros."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)


def nearest(
    vectors: Floats, count: int, queries: Optional[Floats] = None, cells: int = CELLS
) -> Tuple[Ints, Floats]:
    """The nearest neighbours by cosine, found exactly: every pair is compared.

    vectors: `[n, width]`. queries: `[m, width]`; None asks for the neighbours of the vectors
        themselves, of which none is its own. count: how many neighbours; there are fewer where
        there are not so many vectors. cells: how many cosines are held at once.
    Returns: indices into `vectors` and cosines, both `[m, count]`, the nearest first; of equally
        near ones the earlier first. A vector of zeros has the cosine 0 to all.
    """
    known = unit_length(vectors)
    asked = known if queries is None else unit_length(queries)
    count = max(0, min(count, len(known) - (queries is None)))
    indices = np.zeros((len(asked), count), dtype=np.int64)
    cosines = np.zeros((len(asked), count), dtype=np.float32)
    if count == 0:
        return indices, cosines
    block = max(1, cells // len(known))
    for first in range(0, len(asked), block):
        scores = asked[first : first + block] @ known.T
        rows = np.arange(len(scores))
        if queries is None:
            scores[rows, first + rows] = -np.inf
        found = np.argpartition(scores, -count, axis=1)[:, -count:]
        values = np.take_along_axis(scores, found, axis=1)
        order = np.lexsort((found, -values), axis=1)
        indices[first : first + block] = np.take_along_axis(found, order, axis=1)
        cosines[first : first + block] = np.take_along_axis(values, order, axis=1)
    return indices, np.clip(cosines, -1.0, 1.0)


def similarities(vectors: Floats) -> Floats:
    """`[n, n]`: the cosine of every pair."""
    units = unit_length(vectors)
    return np.clip(units @ units.T, -1.0, 1.0)


def agreement(labels: Sequence[Optional[str]], indices: Ints) -> Tuple[Floats, float]:
    """How often neighbours share a label.

    labels: of the vectors; None where there is none. indices: `[n, count]`, as `nearest` has them.
    Returns: `[n]`, of each vector the share of its neighbours that have its label, among those
        that have one, NaN where that says nothing; and the share that neighbours drawn by chance
        would have, NaN where fewer than two vectors have a label.
    """
    _, codes = np.unique([label or "" for label in labels], return_inverse=True)
    known = np.array([label is not None for label in labels], dtype=bool)
    counted = known[indices]
    same = (codes[indices] == codes[:, None]) & counted
    total = counted.sum(1)
    shares = np.full(len(known), np.nan, dtype=np.float32)
    has = known & (total > 0)
    shares[has] = same.sum(1)[has] / total[has]
    sizes = np.bincount(codes[known]).astype(float)
    pairs = sizes.sum() * (sizes.sum() - 1)
    chance = float((sizes * (sizes - 1)).sum() / pairs) if pairs else float("nan")
    return shares, chance

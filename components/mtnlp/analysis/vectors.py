"""The vectors of documents, sentences or entities, collected as documents come by, and the numbers
of their map."""

from collections import Counter
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from spacy.training import Example
from thinc.util import to_numpy

from ..errors import Errors, MtnlpError
from ..evaluation.alignment import RIGHT
from ..types import Floats
from .neighbours import agreement, nearest, unit_length
from .points import Part, Point, PointSource
from .projection import project

# Neighbours that are listed of each point.
NEIGHBOURS = 10
# Digits of coordinates, cosines and scores.
DIGITS = 4


class Query(NamedTuple):
    """A text whose neighbours are asked for. mark: the words meant, None for all of it."""

    text: str
    mark: Optional[Tuple[int, int]]
    vector: Floats


class VectorCollector:
    """Takes up chunk after chunk of predicted documents and keeps no document.

    Where there are more points than `limit`, a sample of them is kept in which every one is as
    likely as every other (Vitter 1985, algorithm R). It follows from `seed` and the order of the
    documents.

    documents: how many were taken up. found: how many points had a vector. empty: how many had
    none.
    annotated_only: leave out documents without gold of what the points are coloured by.
    """

    def __init__(
        self, source: PointSource, limit: int, seed: int = 0, annotated_only: bool = False
    ) -> None:
        self.source = source
        self.limit = limit
        self.annotated_only = annotated_only
        self.documents = 0
        self.found = 0
        self.empty = 0
        self.points: List[Point] = []
        self._vectors: List[Floats] = []
        self._random = np.random.default_rng(seed)

    def __len__(self) -> int:
        """How many are kept."""
        return len(self.points)

    @property
    def vectors(self) -> Floats:
        """`[points, width]`"""
        return np.stack(self._vectors) if self._vectors else np.zeros((0, 0), dtype=np.float32)

    def add(self, examples: Iterable[Example]) -> None:
        """Take up a chunk."""
        for example in examples:
            if self.annotated_only and not self.source.is_annotated(example.reference):
                continue
            self.documents += 1
            for part, point in self.source.points(example):
                self._take(part, point)

    def _take(self, part: Part, point: Point) -> None:
        vector = vector_of(part)
        if vector is None:
            self.empty += 1
            return
        self.found += 1
        if len(self.points) < self.limit:
            self.points.append(point)
            self._vectors.append(vector)
            return
        place = int(self._random.integers(self.found))
        if place < self.limit:
            self.points[place], self._vectors[place] = point, vector


def vector_of(part: Part) -> Optional[Floats]:
    """`[width]`, a copy; None for a part that has no vector, or zeros alone."""
    vector = np.array(to_numpy(part.vector), dtype=np.float32)
    return vector if vector.size and vector.any() else None


def map_numbers(
    collected: VectorCollector,
    *,
    method: str = "pca",
    seed: int = 0,
    neighbours: int = NEIGHBOURS,
    queries: Sequence[Query] = (),
    corpus_documents: Optional[int] = None,
) -> Dict[str, Any]:
    """The numbers of a map.

    All vectors are scaled to length one: near means a high cosine. A query is a point of the map,
    too, but no neighbour of any.

    corpus_documents: how many there are, where not all of them were taken up.
    Returns: {"of": kind of the points, "task", "method", "seed", "corpus_documents", "documents":
        those taken up, "found": points with a vector in them, "empty": points without,
        "explained": shares of the variance along the axes or None, "labels", "errors": names, the
        most frequent first, "points": {"x", "y", "label", "predicted": places in "labels" or None,
        "score", "error": place in "errors" or None, "text", "mark"}, "neighbours": {"index",
        "cosine"}: of each point, the nearest first, "queries": [{"text", "mark", "x", "y",
        "index", "cosine"}], "agreement", "agreement_chance": the share of a point's neighbours
        with its label, "per_label": [{"label", "points", "right", "wrong", "score",
        "agreement"}]}.
    Raises: MtnlpError E715 where no point has a vector, E716 where a library is missing.
    """
    points = collected.points
    if not points:
        raise MtnlpError(_nothing(collected))
    vectors = unit_length(collected.vectors)
    asked = unit_length(np.stack([query.vector for query in queries])) if queries else vectors[:0]
    projection = project(np.concatenate([vectors, asked]), method, seed)
    places = projection.points.round(DIGITS).tolist()
    index, cosine = nearest(vectors, neighbours)
    nearest_to_query = nearest(vectors, neighbours, asked)
    labels = _frequent(label for point in points for label in (point.label, point.predicted))
    errors = _frequent(point.error for point in points)
    shares, chance = agreement([point.label for point in points], index)
    return {
        "of": collected.source.what,
        "task": collected.source.name,
        "method": method,
        "seed": seed,
        "corpus_documents": corpus_documents,
        "documents": collected.documents,
        "found": collected.found,
        "empty": collected.empty,
        "explained": projection.explained,
        "labels": labels,
        "errors": errors,
        "points": {
            "x": [x for x, _ in places[: len(points)]],
            "y": [y for _, y in places[: len(points)]],
            "label": [_place(labels, point.label) for point in points],
            "predicted": [_place(labels, point.predicted) for point in points],
            "score": [_rounded(point.score) for point in points],
            "error": [_place(errors, point.error) for point in points],
            "text": [point.text for point in points],
            "mark": [point.mark and list(point.mark) for point in points],
        },
        "neighbours": {"index": index.tolist(), "cosine": _lists(cosine)},
        "queries": [
            {
                "text": query.text,
                "mark": query.mark and list(query.mark),
                **{"x": places[len(points) + i][0], "y": places[len(points) + i][1]},
                "index": nearest_to_query[0][i].tolist(),
                "cosine": _lists(nearest_to_query[1])[i],
            }
            for i, query in enumerate(queries)
        ],
        "agreement": _mean(shares),
        "agreement_chance": None if np.isnan(chance) else round(chance, DIGITS),
        "per_label": _per_label(points, labels, shares),
    }


def _nothing(collected: VectorCollector) -> str:
    kind = collected.source.what
    if collected.empty:
        return Errors.E715.format(kind=kind, count=collected.empty)
    return Errors.E717.format(kind=kind)


def _per_label(points: Sequence[Point], labels: List[str], shares: Floats) -> List[Dict[str, Any]]:
    """Of each label, by frequency: how many points have it, how many of them are right and wrong,
    their mean score, and how often their neighbours have it, too."""
    rows = []
    for label in labels:
        places = [i for i, point in enumerate(points) if point.label == label]
        found = [points[i] for i in places]
        scores = [point.score for point in found if point.score is not None]
        right = sum(point.error == RIGHT for point in found)
        wrong = sum(point.error not in (None, RIGHT) for point in found)
        mean = round(sum(scores) / len(scores), DIGITS) if scores else None
        numbers = {"points": len(found), "right": right, "wrong": wrong, "score": mean}
        rows.append({"label": label, **numbers, "agreement": _mean(shares[places])})
    return rows


def _frequent(names: Iterable[Optional[str]]) -> List[str]:
    counts = Counter(name for name in names if name is not None)
    return sorted(counts, key=lambda name: (-counts[name], name))


def _place(names: List[str], name: Optional[str]) -> Optional[int]:
    return None if name is None else names.index(name)


def _rounded(value: Optional[float]) -> Optional[float]:
    return None if value is None else round(value, DIGITS)


def _lists(values: Floats) -> List[List[float]]:
    return [[round(value, DIGITS) for value in row] for row in values.tolist()]


def _mean(shares: Floats) -> Optional[float]:
    known = shares[~np.isnan(shares)]
    return round(float(known.mean()), DIGITS) if len(known) else None

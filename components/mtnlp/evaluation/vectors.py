"""Evaluation of vectors against gold similarities, collected pair by pair."""

from typing import Any, Dict, List, Optional

import numpy as np
from numpy.typing import NDArray
from spacy.training import Example

from ..scorers.vectors import gold_and_cosines, pearson, spearman
from .intervals import bootstrap_statistic


class VectorEvaluation:
    """Collects the gold similarity and the predicted cosine of each pair; keeps no document."""

    def __init__(self) -> None:
        self._gold: List[float] = []
        self._predicted: List[float] = []

    def add(self, examples: List[Example]) -> None:
        """Take up the pairs of one chunk (see `scorers.vectors` for what a pair is)."""
        gold, predicted = gold_and_cosines(examples)
        self._gold.extend(gold)
        self._predicted.extend(predicted)

    @property
    def pairs(self) -> int:
        return len(self._gold)

    def correlation(self, drawn: Optional[NDArray[np.int64]] = None) -> float:
        """Spearman's correlation of some pairs, of all by default. drawn: their numbers."""
        x, y = np.asarray(self._gold), np.asarray(self._predicted)
        return spearman(x, y) if drawn is None else spearman(x[drawn], y[drawn])

    def result(self, samples: int, seed: int) -> Dict[str, Any]:
        """Returns: {"kind": "vectors", "pairs", "spearman", "spearman_interval", "pearson"}."""
        x, y = np.asarray(self._gold), np.asarray(self._predicted)
        interval = bootstrap_statistic(self.correlation, len(x), samples=samples, seed=seed)
        return {
            "kind": "vectors",
            "pairs": len(x),
            "spearman": self.correlation(),
            "spearman_interval": list(interval) if len(x) else [-1.0, 1.0],
            "pearson": pearson(x, y),
        }

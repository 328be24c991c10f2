"""The cosine of a pair is its gold similarity."""

from typing import Any, Optional, Sequence

import torch
from spacy.tokens import Doc

from ...annotation.pairs import similarity_of
from .base import WEIGHT, PairObjective, cosines, numbers

NAME = "mtnlp.PairRegression.v1"


class PairRegression(PairObjective):
    """(cosine - similarity)² of each pair (Reimers and Gurevych, 2019)."""

    name = NAME
    needs = "a pair of texts with its similarity"

    def read(self, reference: Doc, component: str) -> Optional[float]:
        """The similarity, from 0 to 1."""
        return similarity_of(reference)

    def loss(self, first: torch.Tensor, second: torch.Tensor, gold: Sequence[Any]) -> torch.Tensor:
        return (cosines(first, second) - numbers(gold, first)).square().sum()


def create_pair_regression_v1(weight: float = WEIGHT) -> PairRegression:
    """An objective of `sentence_vectors`: the squared difference between the cosine of a pair's
    vectors and its gold similarity (Reimers and Gurevych, 2019).

    weight: λ, how much it counts beside the component's other objectives.
    Raises: MtnlpError E330 for a weight below 0.
    """
    return PairRegression(weight)

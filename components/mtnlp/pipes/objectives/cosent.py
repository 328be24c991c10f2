"""The more similar pair has the higher cosine."""

from typing import Any, Optional, Sequence

import torch
from spacy.tokens import Doc

from ...annotation.pairs import similarity_of
from ...ranges import POSITIVE, require
from .base import WEIGHT, PairObjective, cosines, numbers

NAME = "mtnlp.CoSENT.v1"


class CoSENT(PairObjective):
    """The ranking loss of Su (2022). With c the cosines and s the similarities of a batch,

        log(1 + sum over i, j with s_i > s_j of exp(scale (c_j - c_i)))

    for each pair of the batch, so that the mean over pairs is what is written here.
    """

    name = NAME
    needs = "a pair of texts with its similarity"
    in_batch = True

    def __init__(self, scale: float, weight: float):
        super().__init__(weight)
        require(NAME, POSITIVE, scale=scale)
        self.scale = scale

    def read(self, reference: Doc, component: str) -> Optional[float]:
        """The similarity, from 0 to 1."""
        return similarity_of(reference)

    def loss(self, first: torch.Tensor, second: torch.Tensor, gold: Sequence[Any]) -> torch.Tensor:
        scaled, similarity = self.scale * cosines(first, second), numbers(gold, first)
        higher = similarity.unsqueeze(1) > similarity
        wrong = (scaled - scaled.unsqueeze(1))[higher]  # [i, j]: how far j is above i
        # The 1 in the logarithm.
        return len(gold) * torch.cat([wrong, (scaled * 0).sum(0, keepdim=True)]).logsumexp(0)


def create_cosent_v1(scale: float = 20.0, weight: float = WEIGHT) -> CoSENT:
    """An objective of `sentence_vectors`: of any two pairs of a batch, the more similar one has the
    higher cosine (CoSENT: Su, 2022). It trains what Spearman's correlation measures.

    Pairs are compared within their batch: `accumulate_gradient` above 1 makes the batch smaller.

    scale: what differences of cosines are multiplied by. Higher ones look at the worst alone.
    weight: λ, how much it counts beside the component's other objectives.
    Raises: MtnlpError E330 for a scale that is not above 0 and for a weight below 0.
    """
    return CoSENT(scale, weight)

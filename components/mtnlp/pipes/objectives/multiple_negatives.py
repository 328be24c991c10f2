"""Texts that belong together find each other among those of the batch."""

from typing import Any, NamedTuple, Optional, Sequence

import torch
from spacy.tokens import Doc

from ...annotation.pairs import PAIR_KEY, is_pair, similarity_of
from ...nn.projection import l2_normalize
from ...ranges import POSITIVE, PROBABILITY, require
from .base import WEIGHT, PairObjective

NAME = "mtnlp.MultipleNegatives.v1"


class Texts(NamedTuple):
    """The two texts of a pair."""

    first: str
    second: str


class MultipleNegatives(PairObjective):
    """The cross-entropy of the second text of each pair among the second texts of the batch, by
    their cosines with the first one (multiple negatives ranking: Henderson et al., 2017).

    What another pair of the same first text has, or the same second text again, is no negative.
    """

    name = NAME
    needs = "a pair of texts that belong together"
    in_batch = True

    def __init__(self, scale: float, min_similarity: float, weight: float):
        super().__init__(weight)
        require(NAME, POSITIVE, scale=scale)
        require(NAME, PROBABILITY, min_similarity=min_similarity)
        self.scale = scale
        self.min_similarity = min_similarity

    def read(self, reference: Doc, component: str) -> Optional[Texts]:
        """The texts of a pair whose similarity is high enough, or not said."""
        similarity = similarity_of(reference)
        if not is_pair(reference) or (similarity is not None and similarity < self.min_similarity):
            return None
        return Texts(*(span.text for span in reference.spans[PAIR_KEY]))

    def loss(self, first: torch.Tensor, second: torch.Tensor, gold: Sequence[Any]) -> torch.Tensor:
        same = [
            [
                i != j and (one.first == other.first or one.second == other.second)
                for j, other in enumerate(gold)
            ]
            for i, one in enumerate(gold)
        ]
        logits = self.scale * l2_normalize(first) @ l2_normalize(second).T
        logits = logits.masked_fill(torch.tensor(same, device=logits.device), -torch.inf)
        return -logits.log_softmax(dim=1).diagonal().sum()


def create_multiple_negatives_v1(
    scale: float = 20.0, min_similarity: float = 0.8, weight: float = WEIGHT
) -> MultipleNegatives:
    """An objective of `sentence_vectors` for pairs of texts that belong together, such as a
    question and its answer: each first text finds its second one among those of the batch
    (multiple negatives ranking: Henderson et al., 2017).

    The other pairs of the batch are what it is told from: give it large batches, and leave
    `accumulate_gradient` at 1.

    scale: what cosines are multiplied by.
    min_similarity: pairs with a gold similarity below it are left out; those without any count.
    weight: λ, how much it counts beside the component's other objectives.
    Raises: MtnlpError E330 for a scale that is not above 0, a similarity that is not from 0 to 1
    and a weight below 0.
    """
    return MultipleNegatives(scale, min_similarity, weight)

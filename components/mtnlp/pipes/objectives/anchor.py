"""Vectors stay near those of a teacher."""

from typing import Any, Optional, Sequence

import numpy as np
import torch
from spacy.tokens import Doc

from ...errors import Errors, MtnlpError
from ...gold.opinions import VectorOpinion, opinions_of
from ...nn.projection import l2_normalize
from .base import WEIGHT, DocObjective

NAME = "mtnlp.AnchorObjective.v1"


class AnchorObjective(DocObjective):
    """1 - cosine of a Doc's vector and its teacher's; the mean over teachers where there are
    several. On prefixes the teacher's vector is cut, too."""

    name = NAME
    needs = "the opinion of a teacher about its vector"

    def read(self, reference: Doc, component: str) -> Optional[Any]:
        """`[teachers, width]`, float32: those that found something to read."""
        found = [
            opinion.vector
            for opinion in opinions_of(reference, component)
            if isinstance(opinion, VectorOpinion) and np.any(opinion.vector)
        ]
        return np.stack(found).astype(np.float32) if found else None

    def check(self, width: int, gold: Sequence[Any]) -> None:
        """Raises: MtnlpError E757 for a teacher whose vectors have another width."""
        for teachers in gold:
            if teachers.shape[1] != width:
                raise MtnlpError(Errors.E757.format(teacher=teachers.shape[1], width=width))

    def loss(self, vectors: torch.Tensor, gold: Sequence[Any]) -> torch.Tensor:
        width = vectors.shape[1]
        counts = [len(teachers) for teachers in gold]
        joined = np.concatenate([teachers[:, :width] for teachers in gold])
        teacher = torch.from_numpy(joined).to(vectors.device, vectors.dtype)
        owner = np.repeat(np.arange(len(gold)), counts)
        share = torch.from_numpy(1 / np.repeat(counts, counts)).to(vectors.device, vectors.dtype)
        own = l2_normalize(vectors)[torch.from_numpy(owner).to(vectors.device)]
        return (share * (1 - (own * l2_normalize(teacher)).sum(-1))).sum()


def create_anchor_objective_v1(weight: float = WEIGHT) -> AnchorObjective:
    """An objective of `sentence_vectors`: the vectors of a teacher, 1 - cosine to each document's.
    With it, training other components beside does not destroy the vectors of the encoder.

    It learns from every document that carries a teacher's opinion, annotated or not.

    weight: λ, how much it counts beside the component's other objectives.
    Raises: MtnlpError E330 for a weight below 0.
    """
    return AnchorObjective(weight)

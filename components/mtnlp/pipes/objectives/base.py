"""What every objective of `sentence_vectors` is.

Another one is a subclass of `DocObjective` or `PairObjective`, in a file of its own, and its
registration in the group `spacy_misc`.
"""

from typing import Any, Optional, Sequence

import torch
from spacy.tokens import Doc

from ...nn.projection import l2_normalize
from ...ranges import NOT_NEGATIVE, require

WEIGHT = 1.0


class Objective:
    """A loss of the vectors of some Docs, and the gold that it compares them with.

    weight: λ, how much its loss counts beside those of the other objectives of the component.
    needs: what a document must have to train it, in words.
    in_batch: whether a unit is compared with others of its batch. The losses of sub-batches then do
        not add up to that of the batch.

    It has neither parameters nor state. Raises: MtnlpError E330 for a weight below 0.
    """

    name = ""
    needs = ""
    in_batch = False

    def __init__(self, weight: float = WEIGHT):
        require(self.name, NOT_NEGATIVE, weight=weight)
        self.weight = weight

    def read(self, reference: Doc, component: str) -> Optional[Any]:
        """What a reference says of its vector; None where it says nothing. component: its name in
        the pipeline."""
        raise NotImplementedError

    def check(self, width: int, gold: Sequence[Any]) -> None:
        """Raises: MtnlpError for gold that does not go with vectors of this width. The losses of
        prefixes are not asked."""


class DocObjective(Objective):
    """Of whole Docs: of one with several sides, the vector is the mean of theirs."""

    def loss(self, vectors: torch.Tensor, gold: Sequence[Any]) -> torch.Tensor:
        """The sum over some Docs, at least one; a scalar with a gradient function.

        vectors: `[docs, width]`, of any length. gold: of each, as `read` gives it.
        """
        raise NotImplementedError


class PairObjective(Objective):
    """Of Docs that hold a pair of texts."""

    def loss(self, first: torch.Tensor, second: torch.Tensor, gold: Sequence[Any]) -> torch.Tensor:
        """The sum over some pairs, at least one; a scalar with a gradient function.

        first, second: `[pairs, width]`, of any length. gold: of each, as `read` gives it.
        """
        raise NotImplementedError


def cosines(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """`[n]`: of the rows of two `[n, width]`; 0 where one of them is zero."""
    return (l2_normalize(first) * l2_normalize(second)).sum(-1)


def numbers(values: Sequence[float], like: torch.Tensor) -> torch.Tensor:
    """A tensor of the kind and on the device of another."""
    return torch.as_tensor(values, dtype=like.dtype, device=like.device)

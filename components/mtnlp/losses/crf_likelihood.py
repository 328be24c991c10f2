"""The likelihood of a conditional random field, as a loss among others."""

import torch

from ..errors import Errors, MtnlpError
from ..types import LossBatch
from .base import LossModule


class CRFLikelihood(LossModule):
    """The head's own negative log-likelihood of the gold tag sequences, summed.

    Only for heads that have one (the decoder "crf"): others refuse it with MtnlpError E219.
    """

    needs_likelihood = True

    def forward(self, batch: LossBatch) -> torch.Tensor:
        """The sum, a scalar; exactly 0.0 where nothing is annotated."""
        if batch.likelihood is None:
            raise MtnlpError(Errors.E219)
        return batch.likelihood()


def build_crf_likelihood_v1() -> CRFLikelihood:
    """`mtnlp.CRFLikelihood.v1` of the `losses` registry."""
    return CRFLikelihood()

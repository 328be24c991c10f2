"""The head's own likelihood as a loss."""

import pytest
import torch

from mtnlp.errors import MtnlpError
from mtnlp.losses.crf_likelihood import build_crf_likelihood_v1
from mtnlp.types import LossBatch


def test_it_is_the_heads_own() -> None:
    logits = torch.zeros(1, 2, 3, requires_grad=True)
    none = torch.zeros(1, 2, dtype=torch.long)
    batch = LossBatch(logits, None, none, none.bool(), likelihood=lambda: logits.sum() + 3.0)
    value = build_crf_likelihood_v1()(batch)
    value.backward()
    assert value.item() == 3.0 and logits.grad is not None and logits.grad.all()


def test_heads_without_one() -> None:
    none = torch.zeros(1, 2, dtype=torch.long)
    with pytest.raises(MtnlpError, match=r"E219.*CRFLikelihood"):
        build_crf_likelihood_v1()(LossBatch(torch.zeros(1, 2, 3), None, none, none.bool()))

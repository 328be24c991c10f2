"""Label smoothing by learnt label vectors."""

import math
from typing import List

import pytest
import torch

from mtnlp.errors import MtnlpError
from mtnlp.losses.cross_entropy import build_cross_entropy_v1
from mtnlp.losses.embedding_label_smoothing import (
    EmbeddingLabelSmoothing,
    build_embedding_label_smoothing_v1,
)
from mtnlp.types import LossBatch


def with_vectors(vectors: List[List[float]], alpha: float) -> EmbeddingLabelSmoothing:
    loss = build_embedding_label_smoothing_v1(len(vectors[0]), alpha)
    loss.bind(["A", "B", "C"][: len(vectors)], 4)
    with torch.no_grad():
        loss.vectors.copy_(torch.tensor(vectors))
    return loss


def make_batch(logits: torch.Tensor, target: List[int]) -> LossBatch:
    return LossBatch(logits, None, torch.tensor(target), torch.ones(len(target)).bool())


def test_by_hand() -> None:
    """Cosines 1 and 0 with alpha ln 3: targets 3/4 and 1/4; softmax(ln 1, ln 3) = 1/4, 3/4."""
    loss = with_vectors([[2.0, 0.0], [0.0, 0.5]], math.log(3))
    torch.testing.assert_close(loss.log_targets().exp(), torch.tensor([[0.75, 0.25], [0.25, 0.75]]))
    value = loss(make_batch(torch.tensor([[1.0, 3.0]]).log(), [0]))
    assert value.item() == pytest.approx(0.75 * math.log(4) + 0.25 * math.log(4 / 3))


def test_like_labels_share() -> None:
    loss = with_vectors([[1.0, 0.0], [1.0, 0.1], [-1.0, 0.0]], 10.0)
    share = loss.log_targets().exp()
    assert share[0, 1] > 0.45 and share[0, 2] < 1e-6
    assert (share.diagonal() == share.amax(1)).all()


def test_a_low_temperature_is_cross_entropy() -> None:
    torch.manual_seed(0)
    loss = build_embedding_label_smoothing_v1(smoothing_alpha=1e4)
    loss.bind(["A", "B", "C"], 4)
    batch = make_batch(torch.randn(4, 3), [0, 2, 1, 1])
    torch.testing.assert_close(loss(batch), build_cross_entropy_v1()(batch))


def test_gradient_of_the_vectors() -> None:
    """That of the cross-entropy of half gold, half prediction against the soft targets."""
    torch.manual_seed(0)
    loss = build_embedding_label_smoothing_v1(8).double()
    loss.bind(["A", "B", "C"], 4)
    loss.double()
    batch = make_batch(torch.randn(4, 3, dtype=torch.float64), [0, 2, 1, 1])
    loss(batch).backward()
    assert loss.vectors is not None
    analytic = loss.vectors.grad

    teacher = torch.nn.functional.one_hot(batch.target, 3) + batch.logits.softmax(-1)
    vectors = loss.vectors.detach().clone().requires_grad_()
    cosine = torch.nn.functional.cosine_similarity(vectors[:, None], vectors[None], dim=-1)
    log_soft = (10.0 * cosine).log_softmax(-1)[batch.target]
    (-(teacher / 2 * log_soft).sum()).backward()
    torch.testing.assert_close(analytic, vectors.grad)


def test_the_vectors_do_not_collapse() -> None:
    """A model that calls everything O: rare labels keep the larger half of their targets."""
    torch.manual_seed(0)
    loss = build_embedding_label_smoothing_v1()
    loss.bind(["O", "B-X", "I-X"], 4)
    optimizer = torch.optim.Adam(loss.parameters(), lr=0.05)
    batch = make_batch(torch.tensor([[9.0, 0.0, 0.0]] * 10), [0] * 8 + [1, 2])
    for _ in range(200):
        optimizer.zero_grad()
        loss(batch).backward()
        optimizer.step()
    share = loss.log_targets().exp()
    assert share.diagonal().min() > 0.5
    assert share[1, 0] > 0.05, "it follows the confusion"
    # The model learns, and the targets harden.
    batch.logits = 9.0 * torch.nn.functional.one_hot(batch.target, 3).float()
    for _ in range(200):
        optimizer.zero_grad()
        loss(batch).backward()
        optimizer.step()
    assert loss.log_targets().exp().diagonal().min() > 0.95


def test_settings_that_cannot_be() -> None:
    with pytest.raises(MtnlpError, match=r"E221.*smoothing_alpha"):
        build_embedding_label_smoothing_v1(smoothing_alpha=0.0)
    with pytest.raises(MtnlpError, match=r"E221.*label_emb_dim"):
        build_embedding_label_smoothing_v1(label_emb_dim=0)
    with pytest.raises(MtnlpError, match="E215"):
        build_embedding_label_smoothing_v1()(make_batch(torch.zeros(1, 2), [0]))

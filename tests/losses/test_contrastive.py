"""Margin contrastive loss."""

import math
from typing import Optional

import pytest
import torch

from mtnlp.errors import MtnlpError
from mtnlp.losses.contrastive import ContrastiveLoss, build_contrastive_loss_v1
from mtnlp.types import LossBatch

TAGS = ["O", "B-X", "I-X", "B-Y", "I-Y"]
# O, an X of two tokens, a Y; in the second document an X, and padding.
TARGET = torch.tensor([[0, 1, 2, 3], [1, 0, 0, 0]])
MASK = torch.tensor([[True] * 4, [True] * 2 + [False] * 2])


def made(margin: float = 4.0, normalize: bool = False) -> ContrastiveLoss:
    loss = build_contrastive_loss_v1(margin, normalize)
    loss.bind(TAGS, 2)
    return loss


def make_batch(features: Optional[torch.Tensor]) -> LossBatch:
    return LossBatch(torch.zeros(2, 4, 5, requires_grad=True), features, TARGET, MASK)


def make_features() -> torch.Tensor:
    features = torch.full((2, 4, 2), 99.0)
    # The first X is (0, 0), their mean; Y is (3, 0); the second X is (0, 2).
    features[0, 1:] = torch.tensor([[1.0, -1.0], [-1.0, 1.0], [3.0, 0.0]])
    features[1, 0] = torch.tensor([0.0, 2.0])
    return features


def test_by_hand() -> None:
    """X X: 2; X Y: 4 - 3; X' Y: 4 - sqrt(13). Every entity counts half of each of its two pairs."""
    expected = 2 + (4 - 3) + (4 - math.sqrt(13))
    assert made()(make_batch(make_features())).item() == pytest.approx(expected)


def test_beyond_the_margin() -> None:
    assert made(margin=2.0)(make_batch(make_features())).item() == pytest.approx(2.0)


def test_directions_by_hand() -> None:
    features = make_features()
    features[0, 1:3] = torch.tensor([[5.0, 0.0], [1.0, 0.0]])
    # X and Y are (1, 0), the second X is (0, 1).
    expected = math.sqrt(2) + 1.5 + (1.5 - math.sqrt(2))
    assert made(1.5, True)(make_batch(features)).item() == pytest.approx(expected)


def test_gradient() -> None:
    torch.manual_seed(0)
    features = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    for normalize in (False, True):
        loss = made(2.5, normalize)
        assert torch.autograd.gradcheck(lambda x, loss=loss: loss(make_batch(x)), features)


@pytest.mark.parametrize("garbage", [math.nan, math.inf, 1e30])
def test_masked_places_change_nothing(garbage: float) -> None:
    results = []
    for value in (0.0, garbage):
        features = make_features().masked_fill(~MASK.unsqueeze(-1), value).requires_grad_()
        batch = make_batch(features)
        logits = torch.full((2, 4, 5), value, requires_grad=True)
        batch.logits = logits
        batch.target = TARGET.masked_fill(~MASK, -100)
        result = made()(batch)
        result.backward()
        assert features.grad is not None and logits.grad is not None
        assert not logits.grad.any()
        results.append((result.detach(), features.grad))
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])
    assert not results[1][1][~MASK].any() and results[1][1][0, 1:].any(-1).all()


@pytest.mark.parametrize("shape", [(2, 4), (0, 4), (2, 0)])
@pytest.mark.parametrize("normalize", [False, True])
def test_nothing_annotated(shape: tuple, normalize: bool) -> None:
    logits = torch.full((*shape, 5), math.nan, requires_grad=True)
    features = torch.full((*shape, 2), math.nan, requires_grad=True)
    none = torch.zeros(shape, dtype=torch.bool)
    result = made(normalize=normalize)(LossBatch(logits, features, none.long(), none))
    result.backward()
    assert result.item() == 0.0 and result.grad_fn is not None
    assert torch.equal(logits.grad, torch.zeros_like(logits))
    assert torch.equal(features.grad, torch.zeros_like(features))


def test_one_entity_has_no_pairs() -> None:
    batch = make_batch(make_features().requires_grad_())
    batch.mask = MASK & (TARGET == 3)
    assert made()(batch).item() == 0.0


def test_the_same_vector_twice_has_a_gradient() -> None:
    features = make_features()
    features[1, 0] = 0.0
    features.requires_grad_()
    made()(make_batch(features)).backward()
    assert features.grad is not None and features.grad.isfinite().all()


@pytest.mark.parametrize("classes", [["A", "B"], ["O", "A", "B"]])
def test_units_by_themselves(classes: list) -> None:
    """Documents or spans; what is of no type has no pairs."""
    loss = build_contrastive_loss_v1(4.0, False)
    loss.bind(classes, 1)
    features = torch.tensor([[0.0], [3.0], [1.0], [math.nan]])
    target = torch.tensor([0, 1, 0, 1]) + len(classes) - 2
    logits = torch.zeros(4, len(classes))
    mask = torch.tensor([True, True, True, False])
    # A: 0 and 1, B: 3. Pairs: 1, 4 - 3, 4 - 2.
    assert loss(LossBatch(logits, features, target, mask)).item() == pytest.approx(1 + 1 + 2)
    if "O" in classes:
        target[0] = 0
        assert loss(LossBatch(logits, features, target, mask)).item() == pytest.approx(2 * 2)


def test_what_cannot_be() -> None:
    with pytest.raises(MtnlpError, match="E222"):
        made()(make_batch(None))
    with pytest.raises(MtnlpError, match="E215"):
        build_contrastive_loss_v1()(make_batch(make_features()))
    with pytest.raises(MtnlpError, match=r"E221.*margin = 0"):
        build_contrastive_loss_v1(0.0)
    loss = build_contrastive_loss_v1()
    loss.bind(["A", "B"], 1)
    indicators = LossBatch(
        torch.zeros(3, 2), torch.zeros(3, 1), torch.zeros(3, 2), torch.ones(3, 2).bool()
    )
    with pytest.raises(MtnlpError, match="E213"):
        loss(indicators)

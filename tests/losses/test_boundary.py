"""Boundary-aware loss."""

from typing import List, Sequence

import pytest
import torch

from mtnlp.errors import MtnlpError
from mtnlp.losses.boundary import BoundaryLoss, build_boundary_loss_v1
from mtnlp.structured.schemes import get_scheme
from mtnlp.types import LossBatch

TAGS = get_scheme("bio").tags(["X", "Y"])  # O B-X I-X B-Y I-Y


def made(classes: Sequence[str] = TAGS, reach: int = 8) -> BoundaryLoss:
    loss = build_boundary_loss_v1(reach)
    loss.bind(classes, 4)
    return loss


def index(tags: str, classes: Sequence[str] = TAGS) -> torch.Tensor:
    return torch.tensor([[classes.index(tag) for tag in tags.split()]])


def certain(tags: str, classes: Sequence[str] = TAGS) -> torch.Tensor:
    return 100.0 * torch.nn.functional.one_hot(index(tags, classes), len(classes)).float()


def cost(gold: str, said: str, classes: Sequence[str] = TAGS, reach: int = 8) -> float:
    target = index(gold, classes)
    mask = torch.ones_like(target, dtype=torch.bool)
    batch = LossBatch(certain(said, classes), None, target, mask)
    return made(classes, reach)(batch).item()


@pytest.mark.parametrize(
    "gold, said, expected",
    [
        ("O B-X I-X O", "O B-X I-X O", 0.0),
        ("O B-X I-X O", "O B-X O O", 1 - 1 / 2),
        ("O B-X O O", "O B-X I-X I-X", 1 - 1 / 3),
        ("O O B-X I-X", "B-X I-X I-X I-X", 1 - 2 / 4),
        ("O O B-X I-X", "B-X O B-X I-X", 1.0),
        ("O B-X O B-X", "B-X I-X I-X I-X", 1 - 1 / 4 + 1 - 1 / 4),
        ("B-X I-X O", "B-Y I-Y O", 1.0),
        ("B-X I-X O", "O O O", 1.0),
        ("O O O", "O B-X I-X", 1.0),
        ("B-X B-X", "B-X I-X", 1 - 1 / 2 + 1 - 1 / 2),
        ("B-X I-X", "B-X B-X", 1 - 1 / 2),
        ("O O", "O O", 0.0),
    ],
)
def test_certain_answers(gold: str, said: str, expected: float) -> None:
    assert cost(gold, said) == pytest.approx(expected, abs=1e-5)


def test_biluo() -> None:
    tags = get_scheme("biluo").tags(["X"])
    assert cost("O B-X L-X U-X", "O B-X L-X U-X", tags) == pytest.approx(0.0, abs=1e-5)
    assert cost("O B-X L-X O", "O U-X O O", tags) == pytest.approx(1 - 1 / 2)
    assert cost("O U-X O O", "O B-X I-X L-X", tags) == pytest.approx(1 - 1 / 3)


def test_no_further_than_its_reach() -> None:
    said = "B-X" + " I-X" * 9
    gold = "B-X" + " O" * 9
    assert cost(gold, said, reach=3) == pytest.approx(1 - 1 / 4)


def test_soft_answers_by_hand() -> None:
    """O B-X O with tags O, B-X, I-X."""
    p = torch.tensor([[[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.5, 0.1, 0.4]]], dtype=torch.float64)
    target = torch.tensor([[0, 1, 0]])
    batch = LossBatch(p.log(), None, target, torch.ones_like(target, dtype=torch.bool))
    overlap = 0.8 / (1 + 0.4 + 0.3 * 0.4)
    begins = 0.4 * (1 - 0.3) + (0.1 + 0.4 * (1 - 0.8))
    expected = 1 - overlap + begins
    assert made(TAGS[:3])(batch).item() == pytest.approx(expected)


@pytest.mark.parametrize("garbage", [0.0, torch.nan, torch.inf, 1e30])
def test_a_token_without_annotation_takes_no_part(garbage: float) -> None:
    """An entity may go on from it, and is not followed into it."""
    target = index("O O O B-X O")
    mask = torch.tensor([[True, False, True, True, False]])
    logits = certain("O B-X I-X B-X I-X").masked_fill(~mask.unsqueeze(-1), garbage)
    logits.requires_grad_()
    value = made()(LossBatch(logits, None, target.masked_fill(~mask, -100), mask))
    value.backward()
    assert value.item() == pytest.approx(0.0, abs=1e-5)
    assert logits.grad is not None and not logits.grad[~mask].any()


def test_documents_add_up() -> None:
    torch.manual_seed(0)
    logits = torch.randn(3, 6, 5, dtype=torch.float64)
    target = torch.cat(
        [index("O B-X I-X O B-Y O"), index("O O O O O O"), index("B-X B-X I-X O O O")]
    )
    mask = torch.arange(6) < torch.tensor([6, 4, 3]).unsqueeze(1)
    whole = made()(LossBatch(logits, None, target, mask))
    rows: List[torch.Tensor] = [
        made()(LossBatch(logits[i : i + 1], None, target[i : i + 1], mask[i : i + 1]))
        for i in range(3)
    ]
    torch.testing.assert_close(whole, torch.stack(rows).sum())


def test_gradient() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 6, 5, dtype=torch.float64, requires_grad=True)
    target = torch.cat([index("O B-X I-X O B-Y O"), index("B-X B-X I-X O O O")])
    mask = torch.arange(6) < torch.tensor([6, 4]).unsqueeze(1)
    assert torch.autograd.gradcheck(
        lambda x: made(reach=3)(LossBatch(x, None, target, mask)), logits
    )


def test_it_can_be_trained_on_alone() -> None:
    torch.manual_seed(0)
    target = index("O B-X I-X O B-Y O O B-X")
    mask = torch.ones_like(target, dtype=torch.bool)
    logits = torch.zeros(1, 8, 5, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.3)
    for _ in range(80):
        optimizer.zero_grad()
        made()(LossBatch(logits, None, target, mask)).backward()
        optimizer.step()
    scheme = get_scheme("bio")
    assert torch.equal(scheme.spans(logits.argmax(-1), mask), scheme.spans(target, mask))


def test_token_heads_only() -> None:
    with pytest.raises(MtnlpError, match=r"E216.*BoundaryLoss.*negative, positive"):
        made(["negative", "positive"])
    with pytest.raises(MtnlpError, match="E213"):
        made()(LossBatch(torch.zeros(2, 5), None, torch.zeros(2).long(), torch.ones(2).bool()))
    with pytest.raises(MtnlpError, match="E215"):
        build_boundary_loss_v1()(
            LossBatch(torch.zeros(1, 2, 5), None, index("O O"), torch.ones(1, 2).bool())
        )
    with pytest.raises(MtnlpError, match=r"E221.*reach = 0"):
        build_boundary_loss_v1(0)

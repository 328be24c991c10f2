"""What every loss promises, and the hand-worked numbers of the plain ones."""

import math
from typing import Callable

import pytest
import torch

from mtnlp.errors import MtnlpError
from mtnlp.losses.asymmetric import build_asymmetric_loss_v1
from mtnlp.losses.base import LossModule
from mtnlp.losses.binary_cross_entropy import build_binary_cross_entropy_v1
from mtnlp.losses.boundary import build_boundary_loss_v1
from mtnlp.losses.compound import build_compound_loss_v1
from mtnlp.losses.cross_entropy import build_cross_entropy_v1
from mtnlp.losses.dice import build_dice_loss_v1
from mtnlp.losses.embedding_label_smoothing import build_embedding_label_smoothing_v1
from mtnlp.losses.focal import build_focal_loss_v1
from mtnlp.losses.label_smoothing import build_label_smoothing_v1
from mtnlp.losses.weighted_binary_cross_entropy import build_weighted_binary_cross_entropy_v1
from mtnlp.losses.weighted_cross_entropy import build_weighted_cross_entropy_v1
from mtnlp.types import LossBatch

GARBAGE = [math.nan, math.inf, -math.inf, 1e30]


def class_batch(logits: torch.Tensor) -> LossBatch:
    """Three units of three classes, the last one masked and out of range."""
    target = torch.tensor([[0, 2, -100]])
    return LossBatch(logits, None, target, torch.tensor([[True, True, False]]))


def label_batch(logits: torch.Tensor) -> LossBatch:
    """Three units of three labels: one complete, one in part, one not annotated."""
    target = torch.tensor([[[1.0, 0.0, 1.0], [0.0, math.nan, 1.0], [math.inf, -9.0, math.nan]]])
    mask = torch.tensor([[[1, 1, 1], [1, 0, 1], [0, 0, 0]]]).bool()
    return LossBatch(logits, None, target.to(logits.dtype), mask)


def compound() -> LossModule:
    parts = {"dice": build_dice_loss_v1(), "ce": build_cross_entropy_v1()}
    return build_compound_loss_v1(parts, {"dice": 0.5})


def bound(loss: LossModule) -> LossModule:
    torch.manual_seed(0)
    loss.bind(["O", "B-X", "I-X"], 4)
    loss.set_counts(torch.tensor([80, 15, 5]), torch.tensor([20, 85, 95]))
    return loss


OF_CLASSES = {
    "cross_entropy": build_cross_entropy_v1(),
    "inverse_frequency": build_weighted_cross_entropy_v1(),
    "effective_number": build_weighted_cross_entropy_v1("effective_number", 0.9),
    "given_weights": build_weighted_cross_entropy_v1({"X": 3.0}),
    "focal": build_focal_loss_v1(),
    "focal_root": build_focal_loss_v1(gamma=0.5, alpha=0.25),
    "focal_weights": build_focal_loss_v1(alpha="inverse_frequency"),
    "dice": build_dice_loss_v1(),
    "self_adjusting_dice": build_dice_loss_v1(alpha=0.01),
    "label_smoothing": build_label_smoothing_v1(),
    "embedding_label_smoothing": build_embedding_label_smoothing_v1(),
    "boundary": build_boundary_loss_v1(),
    "compound": compound(),
}
OF_LABELS = {
    "binary_cross_entropy": build_binary_cross_entropy_v1(),
    "inverse_frequency": build_weighted_binary_cross_entropy_v1(),
    "given_weights": build_weighted_binary_cross_entropy_v1({"B-X": 3.0}),
    "focal": build_focal_loss_v1(),
    "focal_root": build_focal_loss_v1(gamma=0.5, alpha=0.25),
    "focal_weights": build_focal_loss_v1(alpha="effective_number"),
    "dice": build_dice_loss_v1(),
    "self_adjusting_dice": build_dice_loss_v1(alpha=0.01),
    "label_smoothing": build_label_smoothing_v1(),
    "asymmetric": build_asymmetric_loss_v1(),
    "asymmetric_root": build_asymmetric_loss_v1(gamma_pos=0.5, gamma_neg=0.5, clip=0.0),
    "compound": build_compound_loss_v1(
        {"bce": build_binary_cross_entropy_v1(), "dice": build_dice_loss_v1()}, {"dice": 0.5}
    ),
}
CASES = [
    *(
        pytest.param(bound(loss), class_batch, id=f"{name}-class")
        for name, loss in OF_CLASSES.items()
    ),
    *(
        pytest.param(bound(loss), label_batch, id=f"{name}-label")
        for name, loss in OF_LABELS.items()
    ),
]
# An entity may not be cut.
OF_UNITS = [case for case in CASES if case.id != "boundary-class"]
MakeBatch = Callable[[torch.Tensor], LossBatch]


def full_mask(batch: LossBatch) -> torch.Tensor:
    """The mask over logits."""
    if batch.mask.shape == batch.logits.shape:
        return batch.mask
    return batch.mask.unsqueeze(-1).expand_as(batch.logits)


def test_cross_entropy_by_hand() -> None:
    # softmax(ln 1, ln 2, ln 5) = 1/8, 2/8, 5/8; the gold classes are 0 and 2.
    logits = torch.tensor([[[1.0, 2.0, 5.0]] * 3]).log()
    loss = build_cross_entropy_v1()(class_batch(logits))
    assert loss.item() == pytest.approx(math.log(8) + math.log(8 / 5))


def test_binary_cross_entropy_by_hand() -> None:
    # sigmoid(ln 3) = 3/4: four positive labels counted would cost ln(4/3), negatives ln 4.
    logits = torch.full((1, 3, 3), math.log(3))
    loss = build_binary_cross_entropy_v1()(label_batch(logits))
    assert loss.item() == pytest.approx(3 * math.log(4 / 3) + 2 * math.log(4))


def test_binary_cross_entropy_with_a_mask_of_units() -> None:
    logits = torch.full((2, 2), math.log(3))
    target = torch.tensor([[1, 0], [1, 1]])
    batch = LossBatch(logits, None, target, torch.tensor([True, False]))
    expected = math.log(4 / 3) + math.log(4)
    assert build_binary_cross_entropy_v1()(batch).item() == pytest.approx(expected)


@pytest.mark.parametrize("loss,make_batch", CASES)
def test_gradcheck(loss: torch.nn.Module, make_batch: MakeBatch) -> None:
    torch.manual_seed(0)
    logits = torch.randn(1, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: loss(make_batch(x)), logits)


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("loss,make_batch", CASES)
def test_masked_places_change_nothing(
    loss: torch.nn.Module, make_batch: MakeBatch, garbage: float
) -> None:
    torch.manual_seed(0)
    clean = torch.randn(1, 3, 3)
    mask = full_mask(make_batch(clean))
    results = []
    for value in (0.0, garbage):
        logits = clean.masked_fill(~mask, value).requires_grad_()
        result = loss(make_batch(logits))
        result.backward()
        results.append((result.detach(), logits.grad))
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])
    assert not results[1][1][~mask].any() and results[1][1][mask].all()


@pytest.mark.parametrize("shape", [(1, 3, 3), (0, 3, 3), (2, 0, 3)])
@pytest.mark.parametrize("loss,make_batch", CASES)
def test_nothing_annotated(loss: torch.nn.Module, make_batch: MakeBatch, shape: tuple) -> None:
    template = make_batch(torch.zeros(1, 3, 3))
    logits = torch.full(shape, math.nan, requires_grad=True)
    keep = logits.shape if template.mask.dim() == 3 else logits.shape[:-1]
    mask = torch.zeros(keep, dtype=torch.bool)
    loss.zero_grad()
    result = loss(LossBatch(logits, None, torch.zeros(keep, dtype=template.target.dtype), mask))
    result.backward()
    assert result.item() == 0.0 and result.grad_fn is not None
    assert logits.grad is not None and torch.equal(logits.grad, torch.zeros(shape))
    assert not any(part.grad.any() for part in loss.parameters() if part.grad is not None)


@pytest.mark.parametrize("loss,make_batch", OF_UNITS)
def test_sub_batches_add_up(loss: torch.nn.Module, make_batch: MakeBatch) -> None:
    torch.manual_seed(0)
    whole = make_batch(torch.randn(1, 3, 3, dtype=torch.float64))
    parts = [
        LossBatch(whole.logits[:, i], None, whole.target[:, i], whole.mask[:, i]) for i in range(3)
    ]
    torch.testing.assert_close(loss(whole), sum(loss(part) for part in parts))


@pytest.mark.parametrize("loss,make_batch", CASES)
def test_extreme_logits_and_half_precision(loss: torch.nn.Module, make_batch: MakeBatch) -> None:
    torch.manual_seed(0)
    for logits in (torch.randn(1, 3, 3) * 1e6, torch.randn(1, 3, 3).bfloat16()):
        result = loss(make_batch(logits.requires_grad_()))
        result.backward()
        assert result.isfinite() and result.dtype == torch.float32
        assert logits.grad is not None and logits.grad.isfinite().all()


@pytest.mark.parametrize("loss,make_batch", CASES)
def test_shapes_that_do_not_fit(loss: torch.nn.Module, make_batch: MakeBatch) -> None:
    batch = make_batch(torch.zeros(1, 3, 3))
    batch.target = batch.target[:, :2]
    with pytest.raises(MtnlpError, match=r"E213.*\[1, 3, 3\]"):
        loss(batch)

"""Weighted sums of losses."""

import math

import pytest
import torch

from mtnlp.errors import MtnlpError
from mtnlp.losses.base import reads_features
from mtnlp.losses.compound import build_compound_loss_v1
from mtnlp.losses.contrastive import build_contrastive_loss_v1
from mtnlp.losses.crf_likelihood import build_crf_likelihood_v1
from mtnlp.losses.cross_entropy import build_cross_entropy_v1
from mtnlp.losses.dice import build_dice_loss_v1
from mtnlp.losses.weighted_cross_entropy import build_weighted_cross_entropy_v1
from mtnlp.types import LossBatch


def make_batch() -> LossBatch:
    # softmax(ln 1, ln 3) = 1/4, 3/4.
    logits = torch.tensor([[1.0, 3.0]]).log().requires_grad_()
    return LossBatch(logits, None, torch.tensor([0]), torch.ones(1, dtype=torch.bool))


def test_by_hand() -> None:
    parts = {
        "ce": build_cross_entropy_v1(),
        "dice": build_dice_loss_v1(),
        "crf": build_crf_likelihood_v1(),
    }
    batch = make_batch()
    batch.likelihood = lambda: torch.tensor(7.0)
    loss = build_compound_loss_v1(parts, {"ce": 2.0, "dice": 0.5})
    dice = (1 - 1.5 / (1 / 16 + 2)) + (1 - 1 / (9 / 16 + 1))
    assert loss(batch).item() == pytest.approx(2 * math.log(4) + 0.5 * dice + 7)


def test_parts_are_bound_and_get_their_counts() -> None:
    loss = build_compound_loss_v1(
        {"inner": build_compound_loss_v1({"ce": build_weighted_cross_entropy_v1()})}
    )
    loss.bind(["A", "B"], 3)
    loss.set_counts(torch.tensor([1, 3]), torch.tensor([3, 1]))
    assert loss(make_batch()).item() == pytest.approx(2 * math.log(4))
    assert {name.rpartition(".")[2] for name in loss.state_dict()} == {"_by_class", "_by_answer"}


def test_scores_that_one_part_reads_and_features_that_another() -> None:
    parts = {"ce": build_cross_entropy_v1(), "near": build_contrastive_loss_v1()}
    loss = build_compound_loss_v1(parts)
    loss.bind(["A", "B"], 3)
    torch.manual_seed(0)
    logits = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)
    features = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    target, mask = torch.tensor([0, 1, 0, 1]), torch.arange(4) < 3
    assert torch.autograd.gradcheck(
        lambda x, f: loss(LossBatch(x, f, target, mask)), (logits, features)
    )


def test_features_are_for_a_loss_that_reads_them() -> None:
    ce, near = build_cross_entropy_v1(), build_contrastive_loss_v1()
    silent = torch.nn.Identity()  # it may read anything
    assert [reads_features(loss) for loss in (ce, near, silent)] == [False, True, True]
    for parts, reads in (({"ce": ce}, False), ({"ce": ce, "near": near}, True)):
        inner = build_compound_loss_v1(parts)
        outer = build_compound_loss_v1({"inner": inner, "ce": ce})
        assert reads_features(inner) is reads_features(outer) is reads
    assert reads_features(build_compound_loss_v1({"silent": silent}))


def test_what_cannot_be() -> None:
    ce = build_cross_entropy_v1()
    with pytest.raises(MtnlpError, match=r"E220.*no losses"):
        build_compound_loss_v1({})
    with pytest.raises(MtnlpError, match=r"E220.*no loss is called dice"):
        build_compound_loss_v1({"ce": ce}, {"dice": 1.0})
    with pytest.raises(MtnlpError, match=r"E220.*\."):
        build_compound_loss_v1({"c.e": ce})
    with pytest.raises(MtnlpError, match=r"E221.*the weight of ce = -1"):
        build_compound_loss_v1({"ce": ce}, {"ce": -1.0})

"""Heads own the losses they are given."""

from typing import Any, Type, Union

import pytest
import torch

from mtnlp.errors import MtnlpError
from mtnlp.losses.boundary import build_boundary_loss_v1
from mtnlp.losses.compound import build_compound_loss_v1
from mtnlp.losses.contrastive import build_contrastive_loss_v1
from mtnlp.losses.crf_likelihood import build_crf_likelihood_v1
from mtnlp.losses.embedding_label_smoothing import build_embedding_label_smoothing_v1
from mtnlp.losses.focal import build_focal_loss_v1
from mtnlp.losses.weighted_binary_cross_entropy import build_weighted_binary_cross_entropy_v1
from mtnlp.losses.weighted_cross_entropy import build_weighted_cross_entropy_v1
from mtnlp.nn.classifier import Classifier
from mtnlp.nn.taggers import CRFTagger, SoftmaxTagger
from mtnlp.types import LossBatch

Tagger = Union[CRFTagger, SoftmaxTagger]
HEADS = pytest.mark.parametrize("head_type", [CRFTagger, SoftmaxTagger])
TASKS = {
    "sentiment": {"labels": ["negative", "positive"], "exclusive": True},
    "mood": {"labels": ["bad", "fair", "good"], "exclusive": True},
    "event": {"labels": ["A", "B", "C"], "exclusive": False},
}
# O B-X I-X, and one token whose tag is not known; the second sentence is shorter.
TAGS = torch.tensor([[0, 1, 2, 0], [1, 0, 0, 0]])
MASK = torch.tensor([[True] * 4, [True] * 2 + [False] * 2])
MISSING = torch.tensor([[False] * 3 + [True], [False] * 4])


def make_batch(head: Tagger) -> LossBatch:
    torch.manual_seed(0)
    target = head.scheme.refine(TAGS, MISSING, ["X"])
    scores = torch.randn(2, 4, 3, requires_grad=True)
    features = torch.randn(2, 4, 8, requires_grad=True)
    return LossBatch(scores, features, target, MASK)


@HEADS
def test_a_tagger_counts_its_known_tokens(head_type: Type[Tagger]) -> None:
    head = head_type(8, ["X"])
    batch = make_batch(head)
    counts = head.count(batch.target, batch.mask)
    assert counts.tolist() == [[2, 2, 1], [3, 3, 4]]


@HEADS
def test_counts_reach_the_loss_and_the_disk(head_type: Type[Tagger]) -> None:
    given = build_weighted_cross_entropy_v1()
    head, other = (head_type(8, ["X"], loss=given) for _ in range(2))
    head.set_counts(torch.tensor([[8, 1, 1], [2, 9, 9]]))
    batch = make_batch(head)
    weights = torch.tensor([10 / 24, 10 / 3, 10 / 3])
    known = torch.tensor([0, 1, 2, 4, 5])
    expected = torch.nn.functional.cross_entropy(
        batch.logits.reshape(-1, 3)[known], TAGS.reshape(-1)[known], weights, reduction="sum"
    )
    torch.testing.assert_close(head.loss(batch), expected)
    assert not torch.isclose(other.loss(batch), expected)
    other.load_state_dict(head.state_dict())
    torch.testing.assert_close(other.loss(batch), expected)


@HEADS
def test_parameters_of_a_loss_are_the_heads(head_type: Type[Tagger]) -> None:
    head = head_type(8, ["X"], loss=build_embedding_label_smoothing_v1(5))
    (vectors,) = [value for name, value in head.named_parameters() if name.endswith("vectors")]
    assert vectors.shape == (3, 5)
    head.loss(make_batch(head)).backward()
    assert vectors.grad is not None and vectors.grad.any()


def test_the_crf_and_others_on_its_emissions() -> None:
    parts: Any = {
        "crf": build_crf_likelihood_v1(),
        "focal": build_focal_loss_v1(),
        "near": build_contrastive_loss_v1(),
        "span": build_boundary_loss_v1(),
    }
    weights = {"crf": 1.0, "focal": 0.5, "near": 0.2, "span": 0.1}
    head = CRFTagger(8, ["X"], loss=build_compound_loss_v1(parts, weights))
    torch.nn.init.normal_(head.crf.transitions)
    batch = make_batch(head)
    terms = dict.fromkeys(parts, 0.0)
    for name, part in parts.items():
        alone = CRFTagger(8, ["X"], loss=part)
        alone.crf.load_state_dict(head.crf.state_dict())
        terms[name] = alone.loss(batch).item()
    assert all(terms.values())
    assert terms["crf"] == pytest.approx(CRFTagger.loss(head_with_default(head), batch).item())
    value = head.loss(batch)
    assert value.item() == pytest.approx(sum(weights[name] * terms[name] for name in parts))
    value.backward()
    assert head.crf.transitions.grad is not None and head.crf.transitions.grad.any()
    assert batch.logits.grad is not None and not batch.logits.grad[~MASK].any()
    assert batch.features is not None and batch.features.grad is not None
    assert batch.features.grad.any() and not batch.features.grad[TAGS == 0].any()


def head_with_default(head: CRFTagger) -> CRFTagger:
    default = CRFTagger(8, ["X"])
    default.crf.load_state_dict(head.crf.state_dict())
    return default


def test_only_a_crf_has_a_likelihood() -> None:
    loss = build_crf_likelihood_v1()
    compound = build_compound_loss_v1({"likelihood": loss})
    for given in (loss, compound):
        with pytest.raises(MtnlpError, match="E219"):
            SoftmaxTagger(8, ["X"], loss=given)
        with pytest.raises(MtnlpError, match="E219"):
            Classifier(4, TASKS, loss_exclusive=given)
        assert isinstance(CRFTagger(8, ["X"], loss=given).criterion, type(given))


def test_a_classifier_counts_what_is_annotated() -> None:
    head = Classifier(4, TASKS)
    target = torch.tensor([[0.0, 1, 0, 0, 1, 1, 0, 1], [1, 0, 0, 0, 0, 0, 0, torch.nan]])
    mask = torch.tensor([[True] * 8, [True] * 2 + [False] * 3 + [True] * 2 + [False]])
    counts = head.count(target, mask)
    assert counts[0].tolist() == [1, 1, 0, 0, 1, 1, 0, 1]
    assert counts[1].tolist() == [1, 1, 1, 1, 0, 1, 2, 0]


def test_every_task_has_its_own_loss() -> None:
    head = Classifier(
        4,
        TASKS,
        loss_exclusive=build_weighted_cross_entropy_v1(),
        loss_multilabel=build_weighted_binary_cross_entropy_v1(),
    )
    positive = torch.tensor([6, 2, 1, 1, 2, 6, 1, 4])
    head.set_counts(torch.stack([positive, 8 - positive]))
    state = head.state_dict()
    found = [state[f"losses.{i}.weights._by_class"] for i in range(2)]
    torch.testing.assert_close(found[0], torch.tensor([8 / 12, 8 / 4]))
    torch.testing.assert_close(found[1], torch.tensor([4 / 3, 4 / 3, 4 / 6]))
    expected = torch.tensor([[8 / 4, 8 / 14, 8 / 8], [8 / 12, 8 / 2, 8 / 8]])
    torch.testing.assert_close(state["losses.2.weights._by_answer"], expected)


def test_contrastive_over_documents() -> None:
    parts = {"near": build_contrastive_loss_v1()}
    tasks = {"mood": TASKS["mood"]}
    head = Classifier(4, tasks, loss_exclusive=build_compound_loss_v1(parts))
    features = torch.tensor([[1.0, 0], [0, 1], [1, 0]], requires_grad=True)
    target = torch.tensor([[1.0, 0, 0], [1, 0, 0], [0, 0, 1]])
    batch = LossBatch(torch.zeros(3, 3), features, target, torch.ones(3, 3).bool())
    # Alike but apart by the root of 2; different and in one place; different and far enough.
    assert head.loss(batch).item() == pytest.approx(2**0.5 + 1 + 0)


def test_the_boundary_loss_needs_tags() -> None:
    with pytest.raises(MtnlpError, match=r"E216.*negative, positive"):
        Classifier(4, TASKS, loss_exclusive=build_boundary_loss_v1())


def test_one_block_weighs_the_labels_of_several_tasks() -> None:
    tasks = {
        **TASKS,
        "topic": {"labels": ["C", "D"], "exclusive": False},
    }
    given = build_weighted_binary_cross_entropy_v1({"B": 3.0, "C": 2.0})
    part = build_weighted_cross_entropy_v1({"good": 5.0})
    of_classes = build_compound_loss_v1({"ce": part}, {})
    head: Any = Classifier(8, tasks, loss_exclusive=of_classes, loss_multilabel=given)
    weights = [loss.losses["ce"].weights.by_class.tolist() for loss in head.losses[:2]]
    assert weights == [[1.0, 1.0], [1.0, 1.0, 5.0]]
    weights = [loss.weights.by_answer[1].tolist() for loss in head.losses[2:]]
    assert weights == [[1.0, 3.0, 2.0], [2.0, 1.0]]
    assert given.weights.weights == {"B": 3.0, "C": 2.0}
    with pytest.raises(MtnlpError, match=r"E218.*good"):
        Classifier(8, tasks, loss_multilabel=build_weighted_binary_cross_entropy_v1({"good": 1.0}))

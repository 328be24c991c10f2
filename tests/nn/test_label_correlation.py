"""Labels that go together: counts by hand, what they begin with, what is learnt."""

import itertools
import math
from typing import Callable, Dict, Tuple

import pytest
import torch

from mtnlp.errors import MtnlpError
from mtnlp.nn.classifier import Classifier
from mtnlp.nn.label_correlation import LabelCorrelation, initial_weight, label_counts, pair_counts
from mtnlp.types import LossBatch

TASKS = {
    "sentiment": {"labels": ["negative", "positive"], "exclusive": True},
    "event": {"labels": ["A", "B", "C"], "exclusive": False},
}
bce = torch.nn.functional.binary_cross_entropy_with_logits


def gold(docs: int = 60, labels: int = 4) -> Tuple[torch.Tensor, torch.Tensor]:
    """Labels that depend on each other, a third of them missing and spoilt."""
    torch.manual_seed(0)
    common = torch.rand(docs, 1)
    target = (0.7 * common + 0.6 * torch.rand(docs, labels) > 0.6).float()
    mask = torch.rand(docs, labels) < 0.67
    return target.masked_fill(~mask, math.nan), mask


def count_by_hand(target: torch.Tensor, mask: torch.Tensor, i: int, j: int) -> Dict:
    counts = dict.fromkeys(itertools.product((0, 1), repeat=2), 0)
    for row, known in zip(target.tolist(), mask.tolist(), strict=True):
        if known[i] and known[j]:
            counts[int(row[i]), int(row[j])] += 1
    return counts


def test_pairs_against_a_count_by_hand() -> None:
    target, mask = gold()
    pairs = pair_counts(target, mask)
    for i, j in itertools.product(range(4), repeat=2):
        for (a, b), count in count_by_hand(target, mask, i, j).items():
            assert pairs[a, b, i, j] == count
    yes = target.masked_fill(~mask, 0.0).sum(0)
    torch.testing.assert_close(label_counts(pairs), torch.stack([yes, mask.sum(0) - yes]))


def test_initial_weight_against_a_count_by_hand() -> None:
    target, mask = gold()
    odds = [[0.0] * 4 for _ in range(4)]
    for i, j in itertools.permutations(range(4), 2):
        counts = count_by_hand(target, mask, i, j)
        total = sum(counts.values())
        for (a, b), count in counts.items():
            expected = (counts[a, 0] + counts[a, 1]) * (counts[0, b] + counts[1, b]) / total
            sign = 1 if a == b else -1
            odds[i][j] += sign * math.log((count + 1) / (expected + 1))
    by_hand = torch.tensor([[v / max(1, sum(map(abs, row))) for v in row] for row in odds])
    made = initial_weight(pair_counts(target, mask))
    torch.testing.assert_close(made, by_hand)
    assert made.abs().sum(1).max() <= 1 + 1e-6 and not made.diagonal().any()


def test_without_smoothing_it_is_the_log_odds_ratio() -> None:
    # 10 documents with both labels, 20 with the first alone, 30 with the second alone, 40 without.
    rows = [[1.0, 1.0]] * 10 + [[1.0, 0.0]] * 20 + [[0.0, 1.0]] * 30 + [[0.0, 0.0]] * 40
    target = torch.tensor(rows)
    made = initial_weight(pair_counts(target, torch.ones(100, 2).bool()), smoothing=1e-9)
    expected = math.log(10 * 40 / (20 * 30))
    assert made[0, 1].item() == made[1, 0].item() == pytest.approx(expected, abs=1e-6)


def test_what_was_seldom_seen_begins_near_zero() -> None:
    """Two rare labels that never met, a pair never annotated together, and no data at all."""
    target = torch.zeros(1000, 3)
    target[:5, 0] = target[5:10, 1] = 1.0
    target[10:500, 2] = 1.0
    mask = torch.ones(1000, 3).bool()
    made = initial_weight(pair_counts(target, mask))
    assert abs(made[0, 1]) < 0.05
    mask[:500, 0] = mask[500:, 2] = False
    assert initial_weight(pair_counts(target, mask))[0, 2] == 0
    assert not initial_weight(torch.zeros(2, 2, 3, 3)).any()


def test_missing_documents_count_for_nothing() -> None:
    target, mask = gold()
    spoilt = torch.cat([target, torch.full((20, 4), math.inf)])
    more = torch.cat([mask, torch.zeros(20, 4).bool()])
    assert torch.equal(pair_counts(spoilt, more), pair_counts(target, mask))


def test_forward_by_hand() -> None:
    layer = LabelCorrelation(2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[9.0, 2.0], [-1.0, 9.0]]))
        layer.prior.copy_(torch.tensor([0.25, 0.5]))
    logits = torch.tensor([[0.0, math.log(3)]])  # sigmoid: 1/2, 3/4
    made = layer(logits)
    expected = [0.0 + 2 * (3 / 4 - 1 / 2), math.log(3) - 1 * (1 / 2 - 1 / 4)]
    assert made[0].tolist() == pytest.approx(expected)
    assert torch.equal(LabelCorrelation(2)(logits), logits)
    assert layer(logits[:0]).shape == (0, 2)


def test_gradcheck() -> None:
    torch.manual_seed(0)
    layer = LabelCorrelation(3).double()
    logits = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(3, 3, dtype=torch.float64, requires_grad=True)

    def run(logits: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, {"weight": weight}, (logits,))

    assert torch.autograd.gradcheck(run, (logits, weight))
    layer(logits).square().sum().backward()
    assert layer.weight.grad is not None and not layer.weight.grad.diagonal().any()
    assert layer.weight.grad.count_nonzero() == 6


def recalibrated(
    logits: torch.Tensor, target: torch.Tensor
) -> Callable[[torch.Tensor], torch.Tensor]:
    """The best straight line for each label's own logits."""
    line = torch.nn.Linear(1, 2)

    def lines(x: torch.Tensor) -> torch.Tensor:
        return x * line.weight.T + line.bias

    fit(lambda: bce(lines(logits), target), line)
    return lines


def fit(loss: Callable[[], torch.Tensor], module: torch.nn.Module) -> None:
    optimizer = torch.optim.LBFGS(module.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)


def test_planted_label_correlation() -> None:
    """B holds where A holds, and has noisy evidence of its own: with the layer the loss on other
    documents falls, at the start and further when it has learnt, below what any reading of each
    label's own evidence can reach."""
    torch.manual_seed(0)
    a = (torch.rand(4000, 1) < 0.3).float()
    target = torch.cat([a, a], dim=1)
    noise = torch.tensor([1.0, 6.0]) * torch.randn(4000, 2)
    evidence = 3 * (2 * target - 1) + noise
    train, test = slice(0, 2000), slice(2000, 4000)
    lines = recalibrated(evidence[train], target[train])
    with torch.no_grad():
        logits = lines(evidence)
    layer = LabelCorrelation(2)
    layer.set_counts(pair_counts(target[train], torch.ones(2000, 2).bool()))
    without = bce(logits[test], target[test]).item()
    begins = bce(layer(logits[test]), target[test]).item()
    fit(lambda: bce(layer(logits[train]), target[train]), layer)
    learnt = bce(layer(logits[test]), target[test]).item()
    assert learnt < 0.7 * without
    assert learnt < begins < without


def test_a_label_annotated_seldom_learns_from_one_annotated_often() -> None:
    """A classifier, trained alike with and without the layer: B is A, and B is annotated in 20
    documents of 1,000."""
    losses = {}
    for label_correlation in (False, True):
        torch.manual_seed(0)
        x = torch.randn(2000, 60)
        target = (x[:, :10].sum(1, keepdim=True) > 0).float().repeat(1, 2)
        mask = torch.ones(1000, 2).bool()
        mask[20:, 1] = False
        task = {"topic": {"labels": ["A", "B"], "exclusive": False}}
        head = Classifier(60, task, label_correlation=label_correlation)
        head.set_counts(head.count(target[:1000], mask))
        optimizer = torch.optim.Adam(head.parameters(), lr=0.02)
        for _ in range(150):
            optimizer.zero_grad()
            output = head(x[:1000])
            batch = LossBatch(output.scores, output.features, target[:1000], mask)
            (head.loss(batch) / 1000).backward()
            optimizer.step()
        losses[label_correlation] = bce(head(x[1000:]).scores[:, 1], target[1000:, 1]).item()
    assert losses[True] < 0.5 * losses[False]


def test_classifier_has_one_layer_a_multilabel_task() -> None:
    torch.manual_seed(0)
    head = Classifier(4, TASKS, label_correlation=True)
    target, mask = gold(60, 5)
    target[:, :2] = torch.nn.functional.one_hot(torch.arange(60) % 2, 2).float()
    mask[:, :2] = True
    counts = head.count(target[:30], mask[:30]) + head.count(target[30:], mask[30:])
    head.set_counts(counts)
    exclusive, layer = head.graphs
    assert not list(exclusive.parameters()) and isinstance(layer, LabelCorrelation)
    torch.testing.assert_close(
        layer.weight.detach(), initial_weight(pair_counts(target[:, 2:], mask[:, 2:]))
    )
    plain = Classifier(4, TASKS)
    plain.set_counts(plain.count(target, mask))
    for one, other in zip(head.outputs, plain.outputs, strict=True):
        torch.testing.assert_close(one.bias, other.bias)


def test_a_document_without_evidence_keeps_the_shares() -> None:
    head = Classifier(4, TASKS, label_correlation=True)
    target, mask = gold(60, 5)
    head.set_counts(head.count(target, mask))
    with_layer = head(torch.zeros(1, 4)).scores
    without = torch.cat([output(torch.zeros(1, 4)) for output in head.outputs], dim=1)
    torch.testing.assert_close(with_layer, without)


def test_state_goes_round() -> None:
    head = Classifier(4, TASKS, label_correlation=True)
    head.set_counts(head.count(*gold(60, 5)))
    other = Classifier(4, TASKS, label_correlation=True)
    other.load_state_dict(head.state_dict())
    assert torch.equal(other.graphs[1].weight, head.graphs[1].weight)
    assert torch.equal(other.graphs[1].prior, head.graphs[1].prior)
    # Without the layer nothing is added to what was saved before there was one.
    assert not any(name.startswith("graphs") for name in Classifier(4, TASKS).state_dict())


def test_exclusive_tasks_alone_have_no_label_correlation() -> None:
    with pytest.raises(MtnlpError, match=r"E244.*sentiment"):
        Classifier(4, {"sentiment": TASKS["sentiment"]}, label_correlation=True)

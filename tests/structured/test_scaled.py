"""Probability space and log space agree, and each gets the scores it is made for."""

from typing import List, Tuple

import pytest
import torch

from mtnlp.structured import crf, partition
from mtnlp.structured.packing import pack
from mtnlp.structured.scaled import scaled_lattice
from mtnlp.structured.schemes import get_scheme
from tests.structured.problems import constrained_log_partition, make_problem, marginals

Scores = Tuple[torch.Tensor, ...]


def make_scores(tags: int, lengths: List[int], size: float = 1.0) -> Scores:
    """Emissions, transitions, start, end (float64) and mask."""
    *parts, mask = make_problem(tags, lengths)
    return *(size * part for part in parts), mask


def is_scaled(scores: Scores) -> bool:
    return scaled_lattice(*scores[:4], pack(scores[4])) is not None


def forbid(scores: Scores, value: float) -> Scores:
    """Illegal transitions and starts of BIO get `value`."""
    scheme, labels = get_scheme("bio"), ["X", "Y"]
    emissions, transitions, start, end, mask = scores
    transitions = transitions.masked_fill(~scheme.allowed_transitions(labels), value)
    return (
        emissions,
        transitions,
        start.masked_fill(~scheme.allowed_start(labels), value),
        end,
        mask,
    )


def outcomes(scores: Scores, allowed: torch.Tensor) -> List[torch.Tensor]:
    """Loss, its gradients, marginals and span posteriors."""
    parts = [score.clone().requires_grad_() for score in scores[:4]]
    loss = crf.nll(*parts, scores[4], allowed)
    (loss * torch.arange(1, 1 + len(loss))).sum().backward()
    spans = torch.tensor([[0, 0, 1, 0], [0, 2, 5, 1], [1, 1, 3, 0], [1, 2, 3, 1]])
    found = crf.span_log_probability(*scores, spans, get_scheme("bio"))
    gradients = [part.grad for part in parts if part.grad is not None]
    assert len(gradients) == 4
    return [loss.detach(), *gradients, marginals(*scores), found.exp()]


@pytest.mark.parametrize("illegal", [0.0, -1e4, -torch.inf])
@pytest.mark.parametrize("annotated", [0.0, 0.5, 1.0])
def test_both_routes_agree(
    illegal: float, annotated: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = make_scores(5, [40, 3, 0, 17], 3.0)
    if illegal:
        scores = forbid(scores, illegal)
    assert is_scaled(scores)
    gold = torch.nn.functional.one_hot(crf.viterbi(*scores)[0], 5).bool()
    generator = torch.Generator().manual_seed(0)
    allowed = gold | (torch.rand(gold.shape[:2], generator=generator) >= annotated).unsqueeze(-1)
    allowed[0, 7] |= torch.tensor([True, True, False, False, False])
    fast = outcomes(scores, allowed)
    monkeypatch.setattr(partition, "scaled_lattice", lambda *_: None)
    for ours, other in zip(fast, outcomes(scores, allowed), strict=True):
        torch.testing.assert_close(ours, other, atol=1e-9, rtol=1e-9)


def test_gold_path_equals_the_constrained_recursion() -> None:
    scores = make_scores(6, [12, 5, 0, 1])
    generator = torch.Generator().manual_seed(0)
    gold = torch.nn.functional.one_hot(
        torch.randint(6, scores[4].shape, generator=generator), 6
    ).bool()
    results = []
    for direct in (True, False):
        parts = [score.clone().requires_grad_() for score in scores[:4]]
        if direct:
            loss = crf.nll(*parts, scores[4], gold)
        else:
            loss = crf.log_partition(*parts, scores[4])
            loss = loss - constrained_log_partition(*parts, scores[4], gold)
        loss.sum().backward()
        results.append([loss.detach(), *(part.grad for part in parts)])
    for ours, other in zip(*results, strict=True):
        torch.testing.assert_close(ours, other)


def test_impossible_gold_has_infinite_loss_and_the_gradient_of_the_partition_alone() -> None:
    emissions, transitions, start, end, mask = make_scores(2, [2])
    transitions[0, 1] = -torch.inf
    gold = torch.tensor([[[True, False], [False, True]]])
    results = []
    for gold_given in (True, False):
        leaf = emissions.clone().requires_grad_()
        scores = (leaf, transitions, start, end, mask)
        value = crf.nll(*scores, gold) if gold_given else crf.log_partition(*scores)
        value.sum().backward()
        results.append((value.item(), leaf.grad))
    assert results[0][0] == torch.inf
    torch.testing.assert_close(results[0][1], results[1][1])


# Each would lose something in probability space: (emissions of tag 0 and 1 per token, transitions).
HARD = {
    "evidence that turns round": ([[0.0, -900.0], [-900.0, 0.0]], [[0.0, -900.0], [-900.0, 0.0]]),
    "two ways that stay apart": (
        [[0.0, -160.0]] * 6 + [[-160.0, 0.0]] * 7,
        [[0.0, -torch.inf], [-torch.inf, 0.0]],
    ),
    "a penalty that must be paid": ([[0.0, -5e3], [-5e3, 0.0]], [[0.0, -1e4], [-1e4, 0.0]]),
    "only forbidden ways": ([[0.0, 0.0]] * 2, [[-torch.inf, -torch.inf], [-torch.inf, -torch.inf]]),
}


@pytest.mark.parametrize("name", HARD)
def test_hard_scores_equal_enumeration(name: str) -> None:
    rows, pairs = HARD[name]
    emissions, transitions = torch.tensor([rows]).double(), torch.tensor(pairs).double()
    ends = torch.zeros(2, dtype=torch.float64)
    mask = torch.ones(emissions.shape[:2], dtype=torch.bool)
    paths = torch.cartesian_prod(*[torch.arange(2)] * len(rows))
    totals = emissions[0].gather(1, paths.t()).sum(0)
    totals = totals + transitions[paths[:, :-1], paths[:, 1:]].sum(1)
    leaf = emissions.clone().requires_grad_()
    value = crf.log_partition(leaf, transitions, ends, ends, mask)
    value.sum().backward()
    torch.testing.assert_close(value.detach(), totals.logsumexp(0, keepdim=True))
    expected = torch.zeros_like(emissions[0])
    if totals.logsumexp(0).isfinite():
        weights = totals.softmax(0)
        for tag in range(2):
            expected[:, tag] = ((paths == tag) * weights.unsqueeze(1)).sum(0)
    torch.testing.assert_close(leaf.grad, expected.unsqueeze(0))


@pytest.mark.parametrize("size,scaled", [(1.0, True), (10.0, True), (100.0, False)])
def test_route_follows_the_scores(size: float, scaled: bool) -> None:
    assert is_scaled(forbid(make_scores(5, [300, 20], size), -1e4)) is scaled


def test_contradiction_of_the_scheme_is_priced_in_log_space() -> None:
    scores = forbid(make_scores(5, [3]), -1e4)
    partial = torch.ones(1, 3, 5, dtype=torch.bool)
    partial[0, 0] = torch.tensor([True, False, False, False, False])  # O
    partial[0, 1] = torch.tensor([False, False, True, False, False])  # I-X
    assert crf.nll(*scores, partial).item() == pytest.approx(1e4, rel=0.01)


def test_long_text_takes_the_fast_route() -> None:
    scores = make_scores(9, [5000, 1200])
    assert is_scaled(scores)
    assert crf.log_partition(*scores).isfinite().all()
    torch.testing.assert_close(marginals(*scores).sum(-1), scores[4].double())

"""The CRF against the enumeration of all sequences, and against pytorch-crf."""

import itertools
from functools import cache
from typing import Dict, List, Tuple

import pytest
import torch

from mtnlp.structured import crf
from mtnlp.structured.schemes import TagScheme, get_scheme
from tests.structured.problems import (
    LENGTHS,
    Problem,
    constrained_log_partition,
    encode,
    make_problem,
    marginals,
)


def enumerate_row(problem: Problem, row: int) -> Dict[Tuple[int, ...], float]:
    """The score of every tag sequence of one row."""
    length = int(problem.mask[row].sum())
    scores = {}
    for path in itertools.product(range(len(problem.start)), repeat=length):
        score = sum(problem.emissions[row, t, tag].item() for t, tag in enumerate(path))
        score += sum(problem.transitions[a, b].item() for a, b in itertools.pairwise(path))
        if path:
            score += problem.start[path[0]].item() + problem.end[path[-1]].item()
        scores[path] = score
    return scores


def log_sum(scores: List[float]) -> float:
    return torch.tensor(scores, dtype=torch.float64).logsumexp(0).item()


def random_allowed(problem: Problem) -> torch.Tensor:
    generator = torch.Generator().manual_seed(7)
    allowed = torch.rand(problem.emissions.shape, generator=generator) < 0.5
    allowed[..., 0] |= ~allowed.any(-1)
    allowed[0, 1] = True
    return allowed


def test_partitions_equal_enumeration() -> None:
    problem = make_problem(4, LENGTHS)
    allowed = random_allowed(problem)
    free = crf.log_partition(*problem)
    held = constrained_log_partition(*problem, allowed)
    loss = crf.nll(*problem, allowed)
    for row in range(len(LENGTHS)):
        scores = enumerate_row(problem, row)
        kept = [
            score
            for path, score in scores.items()
            if all(allowed[row, t, tag] for t, tag in enumerate(path))
        ]
        assert free[row].item() == pytest.approx(log_sum(list(scores.values())))
        assert held[row].item() == pytest.approx(log_sum(kept))
        assert loss[row].item() == pytest.approx(free[row].item() - held[row].item())
    assert free[2] == held[2] == loss[2] == 0.0


def test_nothing_annotated_costs_nothing() -> None:
    problem = make_problem(5, [6, 3], torch.float32)
    emissions = problem.emissions.requires_grad_()
    allowed = torch.ones_like(problem.emissions, dtype=torch.bool)
    loss = crf.nll(*problem, allowed)
    loss.sum().backward()
    assert loss.tolist() == [0.0, 0.0]
    assert emissions.grad is not None and not emissions.grad.any()
    assert crf.nll(*problem, torch.zeros_like(allowed)).tolist() == [0.0, 0.0]


def test_viterbi_and_marginals_equal_enumeration() -> None:
    problem = make_problem(4, LENGTHS)
    paths, best = crf.viterbi(*problem)
    posterior = marginals(*problem)
    for row, length in enumerate(LENGTHS):
        scores = enumerate_row(problem, row)
        winner = max(scores, key=lambda path: scores[path])
        assert tuple(paths[row, :length].tolist()) == winner
        assert not paths[row, length:].any()
        assert best[row].item() == pytest.approx(scores[winner])
        expected = torch.zeros_like(posterior[row])
        total = log_sum(list(scores.values()))
        for path, score in scores.items():
            for t, tag in enumerate(path):
                expected[t, tag] += torch.tensor(score - total, dtype=torch.float64).exp()
        torch.testing.assert_close(posterior[row], expected)


@cache
def spelled(scheme: TagScheme, length: int, label: int) -> Tuple[int, ...]:
    """The tags of an entity, as numbers."""
    tags = scheme.tags(["X", "Y"])
    names = encode(scheme, [(0, length, ["X", "Y"][label])], length)
    return tuple(tags.index(name) for name in names)


def contains(scheme: TagScheme, path: Tuple[int, ...], start: int, end: int, label: int) -> bool:
    """Whether the tags spell this entity and the next tag does not go on with it."""
    if path[start:end] != spelled(scheme, end - start, label):
        return False
    after = scheme.tags(["X", "Y"])[path[end]] if end < len(path) else "O"
    return not (scheme.name == "bio" and after == f"I-{['X', 'Y'][label]}")


@pytest.mark.parametrize("legal", [False, True], ids=["any-sequence", "legal-only"])
@pytest.mark.parametrize("name,lengths", [("bio", [5, 2, 0, 1]), ("biluo", [4, 2, 0, 1])])
def test_span_probabilities_equal_enumeration(name: str, lengths: List[int], legal: bool) -> None:
    scheme, labels = get_scheme(name), ["X", "Y"]
    problem = make_problem(len(scheme.tags(labels)), lengths)
    if legal:
        problem = problem._replace(
            transitions=problem.transitions.masked_fill(
                ~scheme.allowed_transitions(labels), -torch.inf
            ),
            start=problem.start.masked_fill(~scheme.allowed_start(labels), -torch.inf),
            end=problem.end.masked_fill(~scheme.allowed_end(labels), -torch.inf),
        )
    spans = [
        (row, start, end, label)
        for row, length in enumerate(lengths)
        for start in range(length)
        for end in range(start + 1, length + 1)
        for label in range(2)
    ]
    found = crf.span_log_probability(*problem, torch.tensor(spans), scheme).exp()
    rows = []
    for row in range(len(lengths)):
        keys, scores = zip(*enumerate_row(problem, row).items(), strict=True)
        tags = torch.tensor(keys, dtype=torch.long)
        decoded = scheme.spans(tags, torch.ones_like(tags, dtype=torch.bool)).tolist()
        weights = torch.tensor(scores, dtype=torch.float64).softmax(0).tolist()
        rows.append((keys, weights, decoded))
    for value, (row, start, end, label) in zip(found.tolist(), spans, strict=True):
        keys, weights, decoded = rows[row]
        if legal:
            # The definition a user sees: the decoded sequence holds the entity.
            holders = {doc for doc, *span in decoded if span == [start, end, label]}
            expected = sum(weights[doc] for doc in holders)
        else:
            expected = sum(
                weight
                for path, weight in zip(keys, weights, strict=True)
                if contains(scheme, path, start, end, label)
            )
        assert value == pytest.approx(expected, abs=1e-12)


def test_many_spans_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, scheme = make_problem(5, [7, 4]), get_scheme("bio")
    spans = torch.tensor([(0, i, j, i % 2) for i in range(7) for j in range(i + 1, 8)])
    found = [crf.span_log_probability(*problem, spans, scheme)]
    for numbers in (1, 40):
        monkeypatch.setattr(crf, "CHUNK", numbers)
        found.append(crf.span_log_probability(*problem, spans, scheme))
    torch.testing.assert_close(found[1:], found[:1] * 2)


def test_no_spans() -> None:
    problem = make_problem(3, [2])
    none = torch.zeros(0, 4, dtype=torch.int64)
    assert crf.span_log_probability(*problem, none, get_scheme("bio")).shape == (0,)


def test_gradcheck() -> None:
    emissions, transitions, start, end, mask = make_problem(3, LENGTHS)
    allowed = random_allowed(make_problem(3, LENGTHS))
    inputs = [x.requires_grad_() for x in (emissions, transitions, start, end)]
    assert torch.autograd.gradcheck(lambda *x: crf.log_partition(*x, mask), inputs)
    assert torch.autograd.gradcheck(lambda *x: crf.nll(*x, mask, allowed), inputs)


def test_gradient_with_impossible_transitions() -> None:
    """-inf in the scores: finite values, and the gradient autograd finds with -1e4 instead."""
    scheme, labels = get_scheme("biluo"), ["X", "Y"]
    problem = make_problem(9, [5, 3])
    illegal = ~scheme.allowed_transitions(labels)
    gradients = []
    for value in (-torch.inf, -1e4):
        emissions = problem.emissions.clone().requires_grad_()
        start = problem.start.masked_fill(~scheme.allowed_start(labels), value)
        end = problem.end.masked_fill(~scheme.allowed_end(labels), value)
        transitions = problem.transitions.masked_fill(illegal, value)
        crf.log_partition(emissions, transitions, start, end, problem.mask).sum().backward()
        gradients.append(emissions.grad)
    torch.testing.assert_close(*gradients)


def test_contradiction_is_infinite_with_zero_gradient() -> None:
    problem = make_problem(2, [2])
    emissions = problem.emissions.requires_grad_()
    transitions = torch.tensor([[0.0, -torch.inf], [0.0, 0.0]], dtype=torch.float64)
    allowed = torch.tensor([[[True, False], [False, True]]])
    arguments = (emissions, transitions, problem.start, problem.end, problem.mask, allowed)
    value = constrained_log_partition(*arguments)
    value.sum().backward()
    assert value.item() == -torch.inf
    assert emissions.grad is not None and not emissions.grad.any()


def test_padding_may_hold_anything() -> None:
    problem = make_problem(4, [3, 1], torch.float32)
    allowed = random_allowed(problem)
    results = []
    for filler in (0.0, torch.nan, torch.inf):
        filled = problem.emissions.masked_fill(~problem.mask.unsqueeze(-1), filler)
        filled = filled.requires_grad_()
        again = problem._replace(emissions=filled)
        loss = crf.nll(*again, allowed)
        loss.sum().backward()
        values = [loss.detach(), filled.grad, *crf.viterbi(*again), marginals(*again)]
        results.append(values)
    for values in results[1:]:
        for ours, first in zip(values, results[0], strict=True):
            assert torch.equal(ours, first)


def test_padding_changes_nothing() -> None:
    problem = make_problem(4, [5, 3])
    alone = problem._replace(emissions=problem.emissions[1:, :3], mask=problem.mask[1:, :3])
    torch.testing.assert_close(crf.log_partition(*problem)[1:], crf.log_partition(*alone))
    torch.testing.assert_close(marginals(*problem)[1:, :3], marginals(*alone))


def test_empty_shapes() -> None:
    problem = make_problem(3, [2, 1], torch.float32)
    for part in (slice(0, 0), slice(0, 2)):
        seq = slice(0, 2) if part.stop == 0 else slice(0, 0)
        small = problem._replace(
            emissions=problem.emissions[part, seq].requires_grad_(), mask=problem.mask[part, seq]
        )
        allowed = torch.ones_like(small.emissions, dtype=torch.bool)
        loss = crf.nll(*small, allowed).sum() + crf.log_partition(*small).sum()
        loss.backward()
        assert loss.item() == 0.0
        assert crf.viterbi(*small)[0].shape == small.mask.shape


def test_equals_pytorch_crf() -> None:
    torchcrf = pytest.importorskip("torchcrf")
    problem = make_problem(33, [40, 17, 1, 28], torch.float32)
    reference = torchcrf.CRF(33, batch_first=True)
    with torch.no_grad():
        reference.transitions.copy_(problem.transitions)
        reference.start_transitions.copy_(problem.start)
        reference.end_transitions.copy_(problem.end)
    gold = torch.randint(0, 33, problem.mask.shape, generator=torch.Generator().manual_seed(1))
    theirs = problem.emissions.clone().requires_grad_()
    expected = -reference(theirs, gold, mask=problem.mask, reduction="none")
    expected.sum().backward()

    ours = Problem(*(x.clone().requires_grad_() for x in problem[:4]), problem.mask)
    loss = crf.nll(*ours, torch.nn.functional.one_hot(gold, 33).bool())
    loss.sum().backward()
    torch.testing.assert_close(loss, expected, atol=1e-4, rtol=1e-5)
    for mine, other in (
        (ours.emissions, theirs),
        (ours.transitions, reference.transitions),
        (ours.start, reference.start_transitions),
        (ours.end, reference.end_transitions),
    ):
        torch.testing.assert_close(mine.grad, other.grad, atol=1e-4, rtol=1e-4)
    paths = crf.viterbi(*problem)[0]
    for row, path in enumerate(reference.decode(problem.emissions, mask=problem.mask)):
        assert paths[row, : len(path)].tolist() == path

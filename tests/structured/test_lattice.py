"""Long texts and extreme scores."""

from typing import List, Tuple

import pytest
import torch

from mtnlp.structured import crf
from mtnlp.structured.schemes import get_scheme
from tests.structured.problems import Problem, make_problem, marginals


@pytest.mark.parametrize("size", [1.0, 1e3, 1e6])
def test_long_and_extreme_scores_stay_finite(size: float) -> None:
    scheme, labels = get_scheme("bio"), ["X", "Y"]
    problem = make_problem(5, [5000 if size == 1.0 else 300, 10], torch.float32)
    parts = [(x * size).requires_grad_() for x in problem[:4]]
    gold = torch.zeros_like(problem.mask, dtype=torch.int64)
    loss = crf.nll(*parts, problem.mask, torch.nn.functional.one_hot(gold, 5).bool())
    loss.sum().backward()
    assert loss.isfinite().all() and (loss >= 0).all()
    assert all(part.grad is not None and part.grad.isfinite().all() for part in parts)

    arguments = [part.detach() for part in parts]
    arguments[1] = arguments[1].masked_fill(~scheme.allowed_transitions(labels), -torch.inf)
    arguments[2] = arguments[2].masked_fill(~scheme.allowed_start(labels), -torch.inf)
    tags, score = crf.viterbi(*arguments, problem.mask)
    assert score.isfinite().all()
    spans = scheme.spans(tags, problem.mask)
    probability = crf.span_log_probability(*arguments, problem.mask, spans, scheme).exp()
    assert ((probability >= 0) & (probability <= 1)).all()
    totals = marginals(*arguments, problem.mask).sum(-1)
    torch.testing.assert_close(totals, problem.mask.float())


def test_long_text_is_as_precise_as_float64() -> None:
    exact = make_problem(5, [5000])
    rough = Problem(*(x.float() for x in exact[:4]), exact.mask)
    allowed = torch.nn.functional.one_hot(exact.emissions.argmax(-1), 5).bool()
    exact = Problem(*(x.double() for x in rough[:4]), exact.mask)
    torch.testing.assert_close(
        crf.nll(*rough, allowed).double(), crf.nll(*exact, allowed), rtol=1e-6, atol=0
    )
    torch.testing.assert_close(marginals(*rough).double(), marginals(*exact), rtol=0, atol=1e-5)
    spans = torch.tensor([[0, 10, 12, 1], [0, 4000, 4003, 0], [0, 4999, 5000, 0]])
    scheme = get_scheme("bio")
    torch.testing.assert_close(
        crf.span_log_probability(*rough, spans, scheme).double(),
        crf.span_log_probability(*exact, spans, scheme),
        rtol=0,
        atol=1e-3,
    )


def test_half_precision_is_computed_in_float32() -> None:
    problem = make_problem(4, [6], torch.float32)
    half = problem._replace(emissions=problem.emissions.bfloat16())
    full = problem._replace(emissions=half.emissions.float())
    assert torch.equal(crf.log_partition(*half), crf.log_partition(*full))


def reference(
    emissions: torch.Tensor, transitions: torch.Tensor, start: torch.Tensor, end: torch.Tensor
) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor, List[int]]:
    """log Z, the marginals of tags and of pairs, and the best path of one text, step by step."""
    alpha, best, before = [start + emissions[0]], start + emissions[0], []
    for step in emissions[1:]:
        alpha.append((alpha[-1].unsqueeze(1) + transitions).logsumexp(0) + step)
        best, previous = (best.unsqueeze(1) + transitions).max(0)
        best = best + step
        before.append(previous)
    total = (alpha[-1] + end).logsumexp(0)
    path = [int((best + end).argmax())]
    for previous in before[::-1]:
        path.append(int(previous[path[-1]]))
    beta, tags, pairs = end, [(alpha[-1] + end - total).exp()], torch.zeros_like(transitions)
    for step, forward in zip(emissions[1:].flip(0), alpha[-2::-1], strict=True):
        joint = forward.unsqueeze(1) + transitions + step + beta - total
        pairs += joint.exp()
        tags.append(joint.exp().sum(1))
        beta = (transitions + step + beta).logsumexp(1)
    return total, torch.stack(tags[::-1]), pairs, path[::-1]


@pytest.mark.parametrize("size", [1.0, 1e4, 1e6])
def test_a_long_text_with_extreme_scores_equals_a_loop_in_float64(size: float) -> None:
    """5,000 tokens: log Z is up to 1e10, and the loss of the best tags next to nothing."""
    problem = make_problem(5, [5000], torch.float32)
    scores = [x * size for x in problem[:4]]
    emissions, transitions, start, end = (x.double() for x in scores)
    total, tags, pairs, path = reference(emissions[0], transitions, start, end)
    found, score = crf.viterbi(*scores, problem.mask)
    best = found[0]
    assert best.tolist() == path

    for gold in (torch.randint(5, (5000,), generator=torch.Generator().manual_seed(0)), best):
        value = emissions[0].gather(1, gold.unsqueeze(1)).sum() + start[gold[0]] + end[gold[-1]]
        value = value + transitions[gold[:-1], gold[1:]].sum()
        if gold is best:
            assert score.item() == pytest.approx(value.item(), rel=1e-7)

        parts = [x.clone().requires_grad_() for x in scores]
        allowed = torch.nn.functional.one_hot(gold, 5)
        loss = crf.nll(*parts, problem.mask, allowed.bool().unsqueeze(0))
        loss.sum().backward()
        assert loss.item() == pytest.approx((total - value).item(), rel=1e-6, abs=1e-2)
        counts = torch.zeros(5, 5).index_put_(
            (gold[:-1], gold[1:]), torch.ones(len(gold) - 1), accumulate=True
        )
        expected = [tags - allowed, pairs - counts, tags[0] - allowed[0], tags[-1] - allowed[-1]]
        for part, grad in zip(parts, expected, strict=True):
            assert part.grad is not None and part.grad.isfinite().all()
            mine = part.grad.reshape(grad.shape).double()
            torch.testing.assert_close(mine, grad, rtol=1e-5, atol=2e-3)

"""Token marginals, and their cross-entropy with a teacher's, against all taggings."""

from itertools import product
from typing import Any, List, Tuple

import pytest
import torch

from mtnlp.structured.marginals import marginal_cross_entropy, token_marginals
from tests.structured.problems import Problem, make_problem

GROUPS = torch.tensor([0, 1, 1, 0])
FAR = 1e5


def enumerate_marginals(problem: Problem, row: int) -> torch.Tensor:
    """`[seq, tags]` of the real tokens of a row, of every tagging one by one; with gradients."""
    length, tags = int(problem.mask[row].sum()), len(problem.start)
    scores, paths = [], list(product(range(tags), repeat=length))
    for path in paths:
        score = problem.start[path[0]] + problem.end[path[-1]]
        for t, tag in enumerate(path):
            score = score + problem.emissions[row, t, tag]
            if t:
                score = score + problem.transitions[path[t - 1], tag]
        scores.append(score)
    weights = torch.stack(scores).softmax(0)
    has = torch.nn.functional.one_hot(torch.tensor(paths), tags).to(weights)
    return torch.einsum("p,pts->ts", weights, has)


def enumerate_loss(
    problem: Problem, teacher: torch.Tensor, groups: torch.Tensor, temperature: float
) -> torch.Tensor:
    """`[batch]`, differentiable by autograd alone."""
    losses = []
    for row, length in enumerate(problem.mask.sum(1).tolist()):
        loss = torch.zeros((), dtype=torch.float64)
        if length:
            found = enumerate_marginals(problem, row)
            member = torch.nn.functional.one_hot(groups).to(found)
            for t, q in enumerate(found @ member):
                has = q > 0
                share = (q[has].log() / temperature).log_softmax(0)
                loss = loss - temperature**2 * (teacher[row, t][has] * share).sum()
        losses.append(loss)
    return torch.stack(losses)


def make_teacher(problem: Problem, groups: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(7)
    shape = (*problem.mask.shape, groups)
    teacher = torch.rand(shape, generator=generator, dtype=torch.float64)
    teacher = teacher.masked_fill(teacher < 0.3, 0.0)
    return teacher / teacher.sum(-1, keepdim=True).clamp(min=1e-9)


def with_gradients(problem: Problem) -> Tuple[Problem, List[torch.Tensor]]:
    leaves = [scores.clone().requires_grad_() for scores in problem[:4]]
    return Problem(*leaves, problem.mask), leaves


def forbid(problem: Problem) -> Problem:
    """Transitions, first tags, last tags and emissions that no sequence may have."""
    transitions, start, end = (part.clone() for part in problem[1:4])
    transitions[0, 2] = transitions[3, 3] = start[2] = end[1] = -torch.inf
    emissions = problem.emissions.clone()
    emissions[0, 1, 3] = -torch.inf
    return Problem(emissions, transitions, start, end, problem.mask)


def log_space(problem: Problem) -> Problem:
    """The same marginals, by scores that are too far apart for probability space: those of one row
    go to either side of the transitions, and come back in the emissions."""
    transitions = problem.transitions.clone()
    transitions[0] += FAR
    emissions = problem.emissions.clone()
    lengths = problem.mask.sum(1)
    for row, length in enumerate(lengths.tolist()):
        emissions[row, : max(length - 1, 0), 0] -= FAR
    return Problem(emissions, transitions, *problem[2:])


PROBLEMS = {
    "plain": make_problem(4),
    "forbidden": forbid(make_problem(4)),
    "log space": log_space(make_problem(4)),
    "log space, forbidden": log_space(forbid(make_problem(4))),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_marginals_are_those_of_all_taggings(name: str) -> None:
    problem = PROBLEMS[name]
    found = token_marginals(*problem)
    for row, length in enumerate(problem.mask.sum(1).tolist()):
        if length:
            expected = enumerate_marginals(problem, row)
            torch.testing.assert_close(found[row, :length], expected, rtol=0, atol=1e-9)
        assert not found[row, length:].any()


@pytest.mark.parametrize("temperature", [1.0, 2.5])
@pytest.mark.parametrize("groups", [torch.arange(4), GROUPS], ids=["tags", "groups"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_loss_and_gradient_are_those_of_all_taggings(
    name: str, groups: torch.Tensor, temperature: float
) -> None:
    problem, teacher = PROBLEMS[name], make_teacher(PROBLEMS[name], int(groups.max()) + 1)
    weight = torch.tensor([1.0, -0.5, 2.0, 0.7], dtype=torch.float64)
    living, leaves = with_gradients(problem)
    found = marginal_cross_entropy(*living, teacher, groups, temperature)
    (found * weight).sum().backward()
    counted, expected_leaves = with_gradients(problem)
    expected = enumerate_loss(counted, teacher, groups, temperature)
    (expected * weight).sum().backward()
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    for leaf, other in zip(leaves, expected_leaves, strict=True):
        # A path with -inf has the weight 0 and no gradient, but in the -inf itself.
        finite = other.detach().isfinite()
        assert leaf.grad is not None and other.grad is not None and leaf.grad[finite].any()
        torch.testing.assert_close(leaf.grad[finite], other.grad[finite], rtol=0, atol=1e-8)
        assert leaf.grad.isfinite().all()


@pytest.mark.parametrize("temperature, name", [(1.0, "plain"), (3.0, "plain"), (3.0, "log space")])
def test_gradcheck(temperature: float, name: str) -> None:
    problem = PROBLEMS[name]
    teacher = make_teacher(problem, 2)
    # Scores of 1e5 leave finite differences few digits: those of the plain problem are moved there.
    base = PROBLEMS["plain"]

    def loss(*scores: torch.Tensor) -> torch.Tensor:
        moved = Problem(*scores, base.mask)
        moved = log_space(moved) if name == "log space" else moved
        return marginal_cross_entropy(*moved, teacher, GROUPS, temperature)

    leaves = [scores.clone().requires_grad_() for scores in base[:4]]
    assert torch.autograd.gradcheck(loss, leaves, atol=2e-4 if name == "log space" else 1e-6)


@pytest.mark.parametrize("name", ["plain", "log space"])
def test_padding_may_hold_anything(name: str) -> None:
    problem = PROBLEMS[name]
    teacher = make_teacher(problem, 4)
    groups = torch.arange(4)
    padding = ~problem.mask.unsqueeze(-1)
    dirty = problem._replace(emissions=problem.emissions.masked_fill(padding, torch.nan))
    living, leaves = with_gradients(dirty)
    found = marginal_cross_entropy(*living, teacher.masked_fill(padding, torch.nan), groups)
    found.sum().backward()
    clean, others = with_gradients(problem)
    expected = marginal_cross_entropy(*clean, teacher, groups)
    expected.sum().backward()
    assert torch.equal(found, expected) and found[2] == 0.0
    for leaf, other in zip(leaves, others, strict=True):
        assert leaf.grad is not None and other.grad is not None
        assert torch.equal(leaf.grad, other.grad)
    assert not leaves[0].grad[padding.expand_as(dirty.emissions)].any()  # type: ignore[index]


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_least_where_the_student_is_the_teacher(temperature: float) -> None:
    problem = PROBLEMS["plain"]
    own = token_marginals(*problem) ** (1 / temperature)
    own = own / own.sum(-1, keepdim=True).clamp(min=1e-9)
    living, leaves = with_gradients(problem)
    marginal_cross_entropy(*living, own, torch.arange(4), temperature).sum().backward()
    for leaf in leaves:
        torch.testing.assert_close(leaf.grad, torch.zeros_like(leaf), rtol=0, atol=1e-12)


def test_a_weight_counts_a_token_more() -> None:
    problem = PROBLEMS["plain"]
    teacher, groups = make_teacher(problem, 4), torch.arange(4)
    once = marginal_cross_entropy(*problem, teacher, groups)
    thrice = marginal_cross_entropy(*problem, teacher * 3, groups)
    torch.testing.assert_close(thrice, once * 3)
    none = marginal_cross_entropy(*problem, teacher * 0, groups)
    assert not none.any()


def test_one_tag_alone_and_softmax() -> None:
    """Without transitions it is the cross-entropy of every token by itself."""
    problem = make_problem(5, [6, 3])
    flat = Problem(
        problem.emissions, *(torch.zeros_like(part) for part in problem[1:4]), problem[4]
    )
    teacher = make_teacher(problem, 5)
    living, leaves = with_gradients(flat)
    found = marginal_cross_entropy(*living, teacher, torch.arange(5), 2.0)
    logits = problem.emissions.clone().requires_grad_()
    each = -4 * (teacher * (logits / 2).log_softmax(-1)).sum(-1)
    expected = (each * problem.mask).sum(1)
    torch.testing.assert_close(found, expected)
    found.sum().backward()
    expected.sum().backward()
    torch.testing.assert_close(leaves[0].grad, logits.grad)


@pytest.mark.parametrize("far", [0.0, FAR])
def test_long_sequences(far: float) -> None:
    """Thousands of tokens: the gradient is still the difference of what a copy would have; halves
    that nothing links have the gradients of either alone."""
    generator = torch.Generator().manual_seed(0)
    seq = 2_000 if not far else 300
    emissions = torch.randn(1, seq, 3, generator=generator, dtype=torch.float64)
    teacher = emissions.roll(1, 1).softmax(-1)
    transitions = torch.randn(3, 3, generator=generator, dtype=torch.float64)
    # Tag 0 in the middle, for certain: it cuts the chain in two.
    emissions[0, seq // 2, 1:] -= 1e4 + far
    mask = torch.ones(1, seq, dtype=torch.bool)
    free = torch.zeros(3, dtype=torch.float64)
    groups = torch.arange(3)

    def gradient(part: slice, start: torch.Tensor, end: torch.Tensor) -> Any:
        own = emissions[:, part].clone().requires_grad_()
        scores = own, transitions, start, end, mask[:, part]
        loss = marginal_cross_entropy(*scores, teacher[:, part], groups)
        loss.sum().backward()
        return own.grad

    whole = gradient(slice(0, seq), free, free)
    half = gradient(slice(0, seq // 2), free, transitions[:, 0].contiguous())
    torch.testing.assert_close(whole[:, : seq // 2], half, rtol=0, atol=1e-7)
    assert whole.isfinite().all() and half.any()


def test_nothing_possible_and_no_tokens() -> None:
    problem = make_problem(3, [2, 2])
    emissions = problem.emissions.clone()
    emissions[0, 1] = -torch.inf
    living, leaves = with_gradients(problem._replace(emissions=emissions))
    teacher, groups = make_teacher(problem, 3), torch.arange(3)
    found = marginal_cross_entropy(*living, teacher, groups)
    found.sum().backward()
    alone = marginal_cross_entropy(*problem, teacher, groups)[1]
    assert found[0] == 0.0 and torch.allclose(found[1], alone)
    assert all(leaf.grad is not None and leaf.grad.isfinite().all() for leaf in leaves)
    assert not leaves[0].grad[0].any()  # type: ignore[index]
    empty = torch.zeros(2, 0, 3)
    nothing = Problem(empty, *(part.float() for part in problem[1:4]), torch.zeros(2, 0).bool())
    assert marginal_cross_entropy(*nothing, empty, groups).tolist() == [0.0, 0.0]
    assert token_marginals(*nothing).shape == (2, 0, 3)


def test_what_the_student_all_but_rules_out() -> None:
    """A marginal of exp(-1500) still has its loss and its full gradient."""
    problem = make_problem(2, [3])
    emissions = torch.zeros_like(problem.emissions)
    emissions[0, 1, 1] = -1500.0
    flat = [torch.zeros_like(part) for part in problem[1:4]]
    teacher = torch.tensor([[[0.5, 0.5], [0.0, 1.0], [0.5, 0.5]]], dtype=torch.float64)
    living, leaves = with_gradients(Problem(emissions, *flat, problem.mask))
    loss = marginal_cross_entropy(*living, teacher, torch.arange(2))
    loss.sum().backward()
    assert loss.item() == pytest.approx(1500.0 + 2 * 0.6931471805599453)
    torch.testing.assert_close(
        leaves[0].grad[0, 1],
        torch.tensor([1.0, -1.0], dtype=torch.float64),  # type: ignore[index]
    )


def test_half_precision_is_computed_in_float32() -> None:
    problem = make_problem(4, dtype=torch.float32)
    teacher, groups = make_teacher(problem, 4).float(), torch.arange(4)
    half = problem._replace(emissions=problem.emissions.bfloat16())
    found = marginal_cross_entropy(*half, teacher, groups)
    assert found.dtype == torch.float32
    torch.testing.assert_close(
        found, marginal_cross_entropy(*problem, teacher, groups), rtol=0.02, atol=0.02
    )
    assert token_marginals(*half).dtype == torch.float32

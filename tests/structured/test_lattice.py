"""Long texts and extreme scores."""

from typing import List, NamedTuple

import pytest
import torch

from mtnlp.structured import crf
from mtnlp.structured.schemes import get_scheme


class Problem(NamedTuple):
    emissions: torch.Tensor
    transitions: torch.Tensor
    start: torch.Tensor
    end: torch.Tensor
    mask: torch.Tensor


def make_problem(tags: int, lengths: List[int], dtype: torch.dtype = torch.float64) -> Problem:
    generator = torch.Generator().manual_seed(tags)
    seq = max(lengths)
    shapes = [(len(lengths), seq, tags), (tags, tags), (tags,), (tags,)]
    scores = [torch.randn(shape, generator=generator, dtype=dtype) for shape in shapes]
    mask = torch.arange(seq) < torch.tensor(lengths).unsqueeze(1)
    return Problem(*scores, mask)


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
    totals = crf.marginals(*arguments, problem.mask).sum(-1)
    torch.testing.assert_close(totals, problem.mask.float())


def test_long_text_is_as_precise_as_float64() -> None:
    exact = make_problem(5, [5000])
    rough = Problem(*(x.float() for x in exact[:4]), exact.mask)
    allowed = torch.nn.functional.one_hot(exact.emissions.argmax(-1), 5).bool()
    exact = Problem(*(x.double() for x in rough[:4]), exact.mask)
    torch.testing.assert_close(
        crf.nll(*rough, allowed).double(), crf.nll(*exact, allowed), rtol=1e-6, atol=0
    )
    torch.testing.assert_close(
        crf.marginals(*rough).double(), crf.marginals(*exact), rtol=0, atol=1e-5
    )
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

"""Scorers of spans, against their formulas for one span at a time."""

import pickle
from typing import Any

import pytest
import torch

from mtnlp.nn.span_scorers import (
    BiaffineScorer,
    MarkerScorer,
    build_biaffine_scorer_v1,
    build_marker_scorer_v1,
)

WIDTH, MAX_WIDTH, OUTPUTS = 6, 3, 4
SCORERS = [MarkerScorer, BiaffineScorer]


def make(kind: Any, **settings: Any) -> Any:
    torch.manual_seed(0)
    scorer = kind(WIDTH, MAX_WIDTH, OUTPUTS, **settings)
    for parameter in scorer.parameters():
        torch.nn.init.normal_(parameter)
    return scorer.eval()


def test_marker_formula() -> None:
    scorer = make(MarkerScorer, hidden=5)
    tokens = torch.randn(7, WIDTH)
    scores = scorer(tokens)
    assert scores.shape == (5, MAX_WIDTH, OUTPUTS)
    # One linear layer over [start; end; width].
    tokens = scorer.norm(tokens)
    weight = torch.cat([scorer.starts.weight, scorer.ends.weight, scorer.widths.T], dim=1)
    for i in range(5):
        for w in range(MAX_WIDTH):
            one_hot = torch.nn.functional.one_hot(torch.tensor(w), MAX_WIDTH).float()
            inputs = torch.cat([tokens[i], tokens[i + w], one_hot])
            hidden = torch.nn.functional.gelu(weight @ inputs + scorer.starts.bias)
            torch.testing.assert_close(scores[i, w], scorer.output.weight @ hidden)


def test_biaffine_formula() -> None:
    """Yu et al. (2020): sᵀ U e + W [s; e] + b."""
    scorer = make(BiaffineScorer, hidden=5)
    tokens = torch.randn(7, WIDTH)
    scores = scorer(tokens)
    assert scores.shape == (5, MAX_WIDTH, OUTPUTS)
    tokens = scorer.norm(tokens)
    starts, ends = scorer.starts(tokens), scorer.ends(tokens)
    for i in range(5):
        for w in range(MAX_WIDTH):
            for c in range(OUTPUTS):
                form = scorer.form[:, c]
                s, e = starts[i], ends[i + w]
                linear = form[:-1, -1] @ s + form[-1, :-1] @ e + form[-1, -1]
                expected = s @ form[:-1, :-1] @ e + linear
                torch.testing.assert_close(scores[i, w, c], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", SCORERS)
def test_a_span_depends_on_its_ends_alone(kind: Any) -> None:
    scorer = make(kind)
    tokens = torch.randn(8, WIDTH)
    before = scorer(tokens)
    tokens[4] += 1.0
    moved = (scorer(tokens) != before).any(-1)
    expected = [[i == 4 or i + w == 4 for w in range(MAX_WIDTH)] for i in range(6)]
    assert moved.tolist() == expected


@pytest.mark.parametrize("kind", SCORERS)
def test_gradients(kind: Any) -> None:
    scorer = make(kind, hidden=3, dropout=0.0).double()
    tokens = torch.randn(5, WIDTH, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(scorer, (tokens,))
    scorer(tokens).sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in scorer.parameters())


@pytest.mark.parametrize("build", [build_marker_scorer_v1, build_biaffine_scorer_v1])
def test_constructors_wait_for_their_sizes(build: Any) -> None:
    made = pickle.loads(pickle.dumps(build(hidden=7, dropout=0.5)))
    scorer = made(WIDTH, 2, OUTPUTS)
    assert scorer(torch.randn(4, WIDTH)).shape == (3, 2, OUTPUTS)
    assert any(isinstance(m, torch.nn.Dropout) and m.p == 0.5 for m in scorer.modules())
    assert made(WIDTH, 2, OUTPUTS) is not scorer

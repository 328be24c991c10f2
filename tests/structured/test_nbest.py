"""The k best sequences against the enumeration of all."""

import itertools
from functools import partial
from typing import Dict, List, Tuple

import pytest
import torch

from mtnlp.errors import MtnlpError
from mtnlp.structured import crf
from mtnlp.structured.nbest import nbest
from mtnlp.structured.schemes import SCHEMES, get_scheme
from tests.structured.problems import LENGTHS, Problem, make_problem

LABELS = ["X", "Y"]
make_float32 = partial(make_problem, dtype=torch.float32)


def make_legal(scheme_name: str, labels: List[str]) -> Problem:
    scheme = get_scheme(scheme_name)
    problem = make_float32(len(scheme.tags(labels)))
    illegal = ~scheme.allowed_transitions(labels)
    return problem._replace(
        transitions=problem.transitions.masked_fill(illegal, -torch.inf),
        start=problem.start.masked_fill(~scheme.allowed_start(labels), -torch.inf),
        end=problem.end.masked_fill(~scheme.allowed_end(labels), -torch.inf),
    )


def enumerate_row(problem: Problem, row: int) -> Dict[Tuple[int, ...], float]:
    """The log probability of every possible tag sequence of one row."""
    scores = {}
    for path in itertools.product(range(len(problem.start)), repeat=int(problem.mask[row].sum())):
        score = sum(problem.emissions[row, t, tag].double().item() for t, tag in enumerate(path))
        score += sum(problem.transitions[a, b].item() for a, b in itertools.pairwise(path))
        if path:
            score += problem.start[path[0]].item() + problem.end[path[-1]].item()
        scores[path] = score
    total = torch.tensor(list(scores.values()), dtype=torch.float64).logsumexp(0).item()
    return {path: score - total for path, score in scores.items() if score > float("-inf")}


@pytest.mark.parametrize("k", [1, 3, 20])
@pytest.mark.parametrize("name", [*SCHEMES, "any sequence"])
def test_equals_enumeration(name: str, k: int) -> None:
    """Twenty are more than the legal sequences of one token and, of BILUO, of two."""
    problem = make_legal(name, LABELS) if name in SCHEMES else make_float32(4)
    tags, scores = nbest(*problem, k)
    assert tags.shape == (4, k, 4) and scores.shape == (4, k) and scores.dtype == torch.float64
    for row, length in enumerate(LENGTHS):
        expected = sorted(enumerate_row(problem, row).items(), key=lambda item: -item[1])[:k]
        found = [score for score in scores[row].tolist() if score > float("-inf")]
        assert found == pytest.approx([score for _, score in expected], abs=1e-9)
        assert scores[row, len(expected) :].tolist() == [float("-inf")] * (k - len(expected))
        paths = [tuple(path) for path in tags[row, : len(expected), :length].tolist()]
        assert paths == [path for path, _ in expected]
        assert not tags[row, : len(expected), length:].any()


@pytest.mark.parametrize("name", SCHEMES)
def test_all_sequences_together_are_certain(name: str) -> None:
    problem = make_legal(name, ["X"])
    scores = nbest(*problem, 200)[1]
    assert scores.exp().sum(1).tolist() == pytest.approx([1.0] * 4)
    assert [int((row > -torch.inf).sum()) for row in scores] == [
        len(enumerate_row(problem, row)) for row in range(4)
    ]


def test_the_first_is_viterbis() -> None:
    problem = make_float32(9, [40, 17, 1, 28])
    tags, scores = nbest(*problem, 5)
    path, best = crf.viterbi(*problem)
    assert torch.equal(tags[:, 0], path)
    expected = best.double() - crf.log_partition(*problem)
    torch.testing.assert_close(scores[:, 0], expected, atol=1e-4, rtol=1e-5)
    assert (scores.diff(dim=1) <= 0).all()


def test_ties_are_different_sequences() -> None:
    """All scores alike: 27 sequences with the same probability, each of them once."""
    zeros = Problem(
        *(torch.zeros(shape) for shape in [(1, 3, 3), (3, 3), (3,), (3,)]),
        torch.ones(1, 3, dtype=torch.bool),
    )
    for k in (5, 27, 30):
        tags, scores = nbest(*zeros, k)
        kept = scores[0] > -torch.inf
        assert int(kept.sum()) == min(k, 27)
        assert len({tuple(path) for path in tags[0, kept].tolist()}) == min(k, 27)
        assert scores[0, kept].exp().tolist() == pytest.approx([1 / 27] * min(k, 27))


def test_padding_may_hold_anything() -> None:
    problem = make_float32(4)
    for filler in (torch.nan, torch.inf):
        filled = problem.emissions.masked_fill(~problem.mask.unsqueeze(-1), filler)
        for ours, other in zip(
            nbest(*problem, 3), nbest(*problem._replace(emissions=filled), 3), strict=True
        ):
            assert torch.equal(ours, other)


def test_long_texts_and_large_scores() -> None:
    """3,000 tokens of scores in the thousands: the differences are still exact."""
    problem = make_float32(5, [3000])
    scores = nbest(*problem._replace(emissions=problem.emissions * 1000), 2)[1]
    tags, again = nbest(*problem, 4)
    assert torch.isfinite(scores).all() and (scores <= 0).all()
    path = problem._replace(mask=problem.mask.expand(4, -1))
    one_hot = torch.nn.functional.one_hot(tags[0], 5).bool()
    emissions = problem.emissions.double().expand(4, -1, -1)
    loss = crf.nll(emissions, *path[1:], one_hot)
    torch.testing.assert_close(again[0], -loss, atol=1e-6, rtol=1e-9)


def test_where_nothing_is_possible() -> None:
    problem = make_float32(2, [2, 1])
    shut = problem._replace(transitions=torch.full((2, 2), -torch.inf))
    scores = nbest(*shut, 3)[1]
    assert scores[0].tolist() == [float("-inf")] * 3
    assert (scores[1] > -torch.inf).tolist() == [True, True, False]


@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (0, 0), (2, 3)])
def test_no_tokens(shape: Tuple[int, int]) -> None:
    mask = torch.zeros(shape, dtype=torch.bool)
    tags, scores = nbest(
        torch.zeros(*shape, 3), torch.zeros(3, 3), torch.zeros(3), torch.zeros(3), mask, 2
    )
    assert tags.shape == (shape[0], 2, shape[1])
    assert scores.tolist() == [[0.0, float("-inf")]] * shape[0]


def test_at_least_one() -> None:
    with pytest.raises(MtnlpError, match="E234"):
        nbest(*make_float32(3), 0)

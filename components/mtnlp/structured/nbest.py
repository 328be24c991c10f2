"""The k best tag sequences of a linear-chain CRF, with their probabilities.

The parallel list Viterbi algorithm (Seshadri and Sundberg 1994): the recursion of Viterbi's, with
the k best ways to each tag instead of the best one. All rows of a batch go together.
"""

from typing import List, Tuple

import torch

from ..errors import Errors, MtnlpError
from .packing import Packing, pack
from .partition import LogPartition


@torch.no_grad()
def nbest(
    emissions: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
    k: int,
) -> Tuple[torch.Tensor, torch.Tensor]:
    """The k most probable tag sequences of each row, all different, the best first.

    Arguments as in `crf.py`. k: at least 1, else MtnlpError (E234). Of equally good sequences any
    may come first, and, at the end of the list, any may be left out.
    Returns: tags int64 `[batch, k, seq]`, 0 on padding, and their log probabilities
        `[batch, k]`, float64: computed in float32, sums over long texts would lose the differences.
        Where a row has fewer than k possible sequences the rest has -inf, and its tags mean
        nothing. An empty row has one sequence, the empty one, which is certain.
    """
    if k < 1:
        raise MtnlpError(Errors.E234.format(found=k))
    batch, seq = mask.shape
    found = torch.zeros(batch, k, seq, dtype=torch.int64, device=mask.device)
    scores = torch.full((batch, k), -torch.inf, dtype=torch.float64, device=mask.device)
    scores[~mask.any(1), 0] = 0.0
    packing = pack(mask)
    if not packing.sizes:
        return found, scores
    tokens = packing.pack(emissions).double()
    pairs, first, final = transitions.double(), start.double(), end.double()
    ways, best = _best_ways(tokens, pairs, first, packing, k)
    ends = (best[packing.last] + final.unsqueeze(1)).flatten(1)
    rows = packing.row[: packing.sizes[0]]
    scores[rows], last = ends.topk(k, dim=1)
    states = _follow(ways, last, packing)
    found = packing.unpack(states.div(k, rounding_mode="floor")).transpose(1, 2).contiguous()
    total = LogPartition.apply(emissions.double(), pairs, first, final, mask)
    # A row in which nothing is possible has a total of -inf, and -inf - -inf would be NaN.
    scores = scores - total.masked_fill(total.isinf(), 0.0).unsqueeze(1)
    # Rounding may lift a certain sequence a little above 1.
    return found, scores.clamp(max=0.0)


def _best_ways(
    tokens: torch.Tensor, pairs: torch.Tensor, start: torch.Tensor, packing: Packing, k: int
) -> Tuple[List[torch.Tensor], torch.Tensor]:
    """The k best ways to each tag of each token.

    tokens: `[N, tags]`. A state is a tag and a rank among the ways to it, `tag * k + rank`.
    Returns: for each step after the first, the state before each way, int64 `[rows, tags, k]`, and
        the scores of all ways, `[N, tags, k]`, best first; -inf where there are fewer than k.
    """
    best = tokens.new_full((*tokens.shape, k), -torch.inf)
    steps = best.split(packing.sizes)
    emitted = tokens.split(packing.sizes)
    steps[0][..., 0] = emitted[0] + start
    into = pairs.t().unsqueeze(-1)
    ways = []
    for before, here, emission in zip(steps[:-1], steps[1:], emitted[1:], strict=True):
        # [rows, tags, tags before * k]
        candidates = (before[: len(here)].unsqueeze(1) + into).flatten(2)
        values, states = candidates.topk(k, dim=2)
        torch.add(values, emission.unsqueeze(-1), out=here)
        ways.append(states)
    return ways, best


def _follow(ways: List[torch.Tensor], last: torch.Tensor, packing: Packing) -> torch.Tensor:
    """The states int64 `[N, k]` of the ways that end in `last`, `[rows, k]`."""
    states = last.new_zeros(len(packing.source), last.shape[1])
    states[packing.last] = last
    steps = states.split(packing.sizes)
    for t in range(len(ways) - 1, -1, -1):
        steps[t][: len(ways[t])] = ways[t].flatten(1).gather(1, steps[t + 1])
    return states

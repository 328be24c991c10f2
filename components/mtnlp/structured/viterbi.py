"""The best tag sequence of a linear-chain CRF (Viterbi 1967)."""

import torch

from .packing import Packing, pack


def best_path(
    emissions: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
) -> torch.Tensor:
    """int64 `[batch, seq]`: the best tags, 0 on padding. Arguments as in `crf.py`.

    The recursion keeps the best scores alone, and going back takes the argmax along the best
    path: a maximum over all pairs of tags costs much less without its index.
    """
    packing = pack(mask)
    tokens = packing.pack(emissions)
    if not packing.sizes:
        return torch.zeros_like(mask, dtype=torch.int64)
    tokens[: packing.sizes[0]] += start
    into = transitions.t().contiguous()
    _best_scores(tokens, into, packing)
    tags = torch.empty_like(packing.index)
    tags[packing.last] = (tokens[packing.last] + end).argmax(-1)
    scores, found = tokens.split(packing.sizes), tags.split(packing.sizes)
    for t in range(len(scores) - 1, 0, -1):
        reached = len(scores[t])
        onward = into.index_select(0, found[t]).add_(scores[t - 1][:reached])
        torch.argmax(onward, -1, out=found[t - 1][:reached])
    return packing.unpack(tags)


def _best_scores(tokens: torch.Tensor, into: torch.Tensor, packing: Packing) -> None:
    """Adds to each token's score `[N, tags]`, in place, the best score of what precedes it.

    The maximum is taken out at every step, so that precision does not fall with the length.
    """
    smallest = torch.finfo(tokens.dtype).min
    before, *rest = tokens.split(packing.sizes)
    for current in rest:
        # Where nothing is possible the maximum is -inf, and -inf - -inf would be NaN.
        before.sub_(before.amax(-1, keepdim=True).clamp_(min=smallest))
        current.add_((before[: len(current)].unsqueeze(1) + into).amax(-1))
        before = current

"""The best tag sequence of a linear-chain CRF (Viterbi 1967)."""

from typing import List

import torch

from .packing import Packing, pack

STRIDE = 4  # steps between two normalisations


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
    tags = torch.empty_like(packing.source)
    tags[packing.last] = (tokens[packing.last] + end).argmax(-1)
    scores, found = _continued(tokens, packing), _continued(tags, packing)
    following = tags.split(packing.sizes)[1:]
    for score, tag, after in zip(scores[::-1], found[::-1], following[::-1], strict=True):
        torch.argmax(into.index_select(0, after).add_(score), -1, out=tag)
    return packing.unpack(tags)


def _continued(values: torch.Tensor, packing: Packing) -> List[torch.Tensor]:
    """Views of all steps of `[N, ...]` but the last, without the rows that end there."""
    steps = values.split(packing.sizes)
    return [step[:size] for step, size in zip(steps[:-1], packing.sizes[1:], strict=True)]


def _best_scores(tokens: torch.Tensor, into: torch.Tensor, packing: Packing) -> None:
    """Adds to each token's score `[N, tags]`, in place, the best score of what precedes it.

    The maximum is taken out every few steps, so that precision does not fall with the length.
    """
    smallest = torch.finfo(tokens.dtype).min
    steps = tokens.split(packing.sizes)
    for t, before in enumerate(_continued(tokens, packing)):
        if t % STRIDE == 0:
            # The whole step, for its last rows are read when going back. Where nothing is
            # possible the maximum is -inf, and -inf - -inf would be NaN.
            steps[t].sub_(steps[t].amax(-1, keepdim=True).clamp_(min=smallest))
        steps[t + 1].add_((before.unsqueeze(1) + into).amax(-1))

"""Linear-chain conditional random fields as functions of tensors (Lafferty et al. 2001).

Shapes, everywhere: emissions `[batch, seq, tags]`, float; transitions `[tags, tags]`, the score of
`second after first`; start and end `[tags]`; mask bool `[batch, seq]`, a prefix of each row
(padding on the right). An empty row contributes 0. Padding may hold anything, NaN included.
Transitions, start and end may hold -inf, and so may emissions, as from `constrain`, where a
sequence is left. Half-precision emissions are computed in float32.
"""

from typing import Tuple

import torch

from .partition import LogPartition, Posteriors, posteriors
from .paths import PathScore, path_score
from .schemes import TagScheme
from .viterbi import best_path

# Numbers in the largest tensor of `span_log_probability`, besides those over the batch: 32 MB.
CHUNK = 2**22


def _promote(emissions: torch.Tensor) -> torch.Tensor:
    """At least float32."""
    return emissions.to(torch.promote_types(emissions.dtype, torch.float32))


def constrain(emissions: torch.Tensor, allowed: torch.Tensor) -> torch.Tensor:
    """-inf for the tags that are not allowed; a token that allows none counts as missing. What is
    computed from them is given that the tags are among those allowed: bool
    `[batch, seq, tags]`."""
    allowed = allowed | ~allowed.any(-1, keepdim=True)
    return emissions.masked_fill(~allowed, -torch.inf)


def log_partition(
    emissions: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
) -> torch.Tensor:
    """log Z `[batch]`: the log of the summed exponentiated scores of all tag sequences."""
    emissions = _promote(emissions)
    if emissions.shape[1] == 0:
        return emissions.sum((1, 2))
    result = LogPartition.apply(emissions, transitions, start, end, mask)
    return result.to(emissions.dtype)


def nll(
    emissions: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
    allowed: torch.Tensor,
) -> torch.Tensor:
    """`[batch]`: -log P(the tags are among those allowed), exactly 0 where nothing is annotated.

    Only rows that are annotated in part need a second recursion: where every token is annotated
    with one tag, the numerator is the score of that path.
    """
    emissions = _promote(emissions)
    if emissions.shape[1] == 0:
        return emissions.sum((1, 2))
    count = allowed.sum(-1)
    missing = (count == 0) | (count == allowed.shape[-1])
    known = ~(missing | ~mask).all(1)
    full = known & ((count == 1) | ~mask).all(1)
    part = known & ~full
    scores = (transitions, start, end)
    # A row that is left out of the mask costs no time, contributes 0 and gets no gradient.
    loss = LogPartition.apply(emissions, *scores, mask & known.unsqueeze(1))
    if bool(full.any()):
        gold = allowed.to(torch.uint8).argmax(-1)
        loss = loss - PathScore.apply(emissions, *scores, mask & full.unsqueeze(1), gold)
    if bool(part.any()):
        held = constrain(emissions, allowed)
        loss = loss - LogPartition.apply(held, *scores, mask & part.unsqueeze(1))
    # Subtracted in float64: the two are large and close together.
    return loss.to(emissions.dtype)


@torch.no_grad()
def viterbi(
    emissions: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
) -> Tuple[torch.Tensor, torch.Tensor]:
    """The best sequence of each row and its score: int64 `[batch, seq]` (0 on padding), `[batch]`.

    Backpointers are worked out along the best path alone. Of equally good tags the first wins.
    """
    emissions = _promote(emissions)
    if emissions.shape[1] == 0:
        return mask.long(), emissions.sum((1, 2))
    scores = (transitions, start, end)
    tags = best_path(emissions, *scores, mask)
    return tags, path_score(emissions, *scores, mask, tags).to(emissions.dtype)


@torch.no_grad()
def span_log_probability(
    emissions: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
    spans: torch.Tensor,
    scheme: TagScheme,
) -> torch.Tensor:
    """`[n]`: the log posterior probability that exactly these entities are there.

    spans: int64 `[n, 4]`, document, start, end, label index, not empty, within their rows; they
    need not be compatible with one another. An entity is exactly there when its tokens carry the
    tags that spell it and the next token does not go on with it: the forward score up to its
    first tag, the scores along it, and the backward scores of all that may follow. Time grows with
    n times the longest span; memory does up to CHUNK numbers.
    """
    emissions = _promote(emissions)
    if len(spans) == 0:
        return emissions.new_zeros(0)
    chain = posteriors(emissions, transitions, start, end, mask)
    longest = int((spans[:, 2] - spans[:, 1]).max())
    size = max(1, CHUNK // (longest + len(start)))
    found = [_along(chain, transitions, end, mask, part, scheme) for part in spans.split(size)]
    return torch.cat(found).to(emissions.dtype)


def _along(
    chain: Posteriors,
    transitions: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
    spans: torch.Tensor,
    scheme: TagScheme,
) -> torch.Tensor:
    """`span_log_probability` of a chunk, given the passes over the batch."""
    doc, begin, stop, _ = spans.unbind(1)
    first, inside, last = scheme.path(spans)
    length = (stop - begin).unsqueeze(1)

    step = torch.arange(int(length.max()), device=spans.device)
    tag = torch.where(step == length - 1, last.unsqueeze(1), inside.unsqueeze(1))
    tag = torch.where(step == 0, first.unsqueeze(1), tag)
    # Beyond its end a span repeats its last token, which counts for nothing.
    token = chain.token((begin.unsqueeze(1) + step).minimum(stop.unsqueeze(1) - 1), doc[:, None])
    along = chain.emissions[token, tag] - chain.scale[token]
    along = along[:, 1:] + transitions[tag[:, :-1], tag[:, 1:]]
    along = along.masked_fill((step >= length)[:, 1:], 0.0).sum(1)

    at_end = stop == mask.sum(1)[doc]
    behind = chain.token(torch.where(at_end, stop - 1, stop), doc)
    onward = chain.emissions[behind] + chain.log_beta(behind)
    onward = transitions[last] + onward - chain.scale[behind].unsqueeze(1)
    onward = onward.masked_fill(scheme.extending(last, onward.shape[1]), -torch.inf).logsumexp(1)
    onward = torch.where(at_end, end[last] - chain.final_scale[doc], onward)
    # Rounding may lift a certain entity a little above 1.
    found = chain.log_alpha(token[:, 0], first) + along + onward
    return found.clamp(max=0.0)

"""Linear-chain conditional random fields as functions of tensors (Lafferty et al. 2001).

Shapes, everywhere: emissions `[batch, seq, tags]`, float; transitions `[tags, tags]`, the score of
`second after first`; start and end `[tags]`; mask bool `[batch, seq]`, a prefix of each row
(padding on the right). An empty row contributes 0. Padding may hold anything, NaN included.
Transitions, start and end may hold -inf; emissions are finite. Half-precision emissions are
computed in float32.
"""

from typing import Tuple

import torch

from .lattice import LogPartition, backward_scores, forward_scores, posterior
from .schemes import TagScheme


def _clean(emissions: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """At least float32, and zeros on padding."""
    emissions = emissions.to(torch.promote_types(emissions.dtype, torch.float32))
    return emissions.masked_fill(~mask.unsqueeze(-1), 0.0)


def _constrain(emissions: torch.Tensor, allowed: torch.Tensor) -> torch.Tensor:
    """-inf for the tags that are not allowed; a token that allows none counts as missing."""
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
    emissions = _clean(emissions, mask)
    if emissions.shape[1] == 0:
        return emissions.sum((1, 2))
    result = LogPartition.apply(emissions, transitions, start, end, mask)
    return result.to(emissions.dtype)


def constrained_log_partition(
    emissions: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
    allowed: torch.Tensor,
) -> torch.Tensor:
    """`[batch]`: as `log_partition`, over the sequences that keep to `allowed`.

    allowed: bool `[batch, seq, tags]`. All True at a token is a missing tag: it is summed over
    (Tsuboi et al. 2008). A token that allows nothing counts as missing. Where no sequence is
    left (only with -inf in the other scores) the value is -inf and the gradient zero.
    """
    return log_partition(_constrain(emissions, allowed), transitions, start, end, mask)


def nll(
    emissions: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
    allowed: torch.Tensor,
) -> torch.Tensor:
    """`[batch]`: -log P(the tags are among those allowed), exactly 0 where nothing is annotated.

    Both partitions run through one recursion, as one batch of twice the size.
    """
    size, seq = mask.shape
    if seq == 0:
        return emissions.sum((1, 2))
    free = _clean(emissions, mask)
    held = _clean(_constrain(emissions, allowed), mask)
    both = LogPartition.apply(
        torch.cat([free, held]), transitions, start, end, torch.cat([mask, mask])
    )
    # Subtracted in float64: the two are large and close together.
    return (both[:size] - both[size:]).to(free.dtype)


@torch.no_grad()
def viterbi(
    emissions: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
) -> Tuple[torch.Tensor, torch.Tensor]:
    """The best sequence of each row and its score: int64 `[batch, seq]` (0 on padding), `[batch]`.

    Backpointers are worked out along the best path alone.
    """
    emissions = _clean(emissions, mask)
    size, seq, _ = emissions.shape
    if seq == 0:
        return mask.long(), emissions.sum((1, 2))
    steps, real = emissions.transpose(0, 1).contiguous(), mask.t()
    into = transitions.t().contiguous()
    best = [start + steps[0]]
    # The maximum is taken out at every step and summed in float64, as in the forward pass.
    score = torch.zeros(size, dtype=torch.float64, device=emissions.device)
    for t in range(1, seq):
        peak = best[-1].amax(-1, keepdim=True)
        peak = peak.masked_fill(peak.isinf(), 0.0)
        following = (best[-1] - peak).unsqueeze(1) + into
        best.append(torch.where(real[t].unsqueeze(-1), following.amax(-1) + steps[t], best[-1]))
        score += peak.squeeze(-1).masked_fill(~real[t], 0.0)
    score += (best[-1] + end).amax(-1)
    tag = torch.zeros(size, dtype=torch.int64, device=emissions.device)
    path = torch.zeros(seq, size, dtype=torch.int64, device=emissions.device)
    for t in range(seq - 1, -1, -1):
        onward = end.expand_as(best[t])
        if t + 1 < seq:
            onward = torch.where(real[t + 1].unsqueeze(-1), into[tag], onward)
        tag = (best[t] + onward).argmax(-1)
        path[t] = tag.masked_fill(~real[t], 0)
    return path.t().contiguous(), score.masked_fill(~mask[:, 0], 0.0).to(emissions.dtype)


@torch.no_grad()
def marginals(
    emissions: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
) -> torch.Tensor:
    """`[batch, seq, tags]`: the posterior probability of each tag; zeros on padding."""
    emissions = _clean(emissions, mask)
    if emissions.shape[1] == 0:
        return emissions
    lattice = forward_scores(emissions, transitions, start, end, mask)
    log_marginals = lattice.alpha + backward_scores(lattice, transitions, end)
    return posterior(log_marginals).transpose(0, 1) * mask.unsqueeze(-1)


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
    first tag, the scores along it, and the backward scores of all that may follow. Time and
    memory grow with n times the longest span.
    """
    emissions = _clean(emissions, mask)
    if len(spans) == 0:
        return emissions.new_zeros(0)
    lattice = forward_scores(emissions, transitions, start, end, mask)
    beta = backward_scores(lattice, transitions, end)
    doc, begin, stop, _ = spans.unbind(1)
    first, inside, last = scheme.path(spans)
    length = (stop - begin).unsqueeze(1)

    offset = torch.arange(int(length.max()), device=spans.device)
    tag = torch.where(offset == length - 1, last.unsqueeze(1), inside.unsqueeze(1))
    tag = torch.where(offset == 0, first.unsqueeze(1), tag)
    position = (begin.unsqueeze(1) + offset).clamp(max=mask.shape[1] - 1)
    row = doc.unsqueeze(1)
    along = lattice.emissions[position, row, tag] - lattice.scale[position, row]
    along = along[:, 1:] + transitions[tag[:, :-1], tag[:, 1:]]
    along = along.masked_fill((offset >= length)[:, 1:], 0.0).sum(1)

    behind = stop.clamp(max=mask.shape[1] - 1)
    onward = lattice.emissions[behind, doc] + beta[behind, doc]
    onward = transitions[last] + onward - lattice.scale[behind, doc].unsqueeze(1)
    onward = onward.masked_fill(scheme.extending(last, onward.shape[1]), -torch.inf).logsumexp(1)
    at_end = stop == mask.sum(1)[doc]
    onward = torch.where(at_end, end[last] - lattice.final_scale[doc], onward)
    # Rounding may lift a certain entity a little above 1.
    return (lattice.alpha[begin, doc, first] + along + onward).clamp(max=0.0)

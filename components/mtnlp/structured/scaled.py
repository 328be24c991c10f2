"""The forward and backward recursions in probability space, normalised at every step.

One matrix product a step over the rows that reach it (Rabiner 1989, section V.A: the scaled
forward and backward variables), in float64. About ten times faster than log space, but scores
that differ too much underflow. `scaled_lattice` certifies that nothing did; where it cannot, the
caller computes in log space (`lattice.py`).

The certificate. Factors (exponentiated scores, less their maximum) are at least FACTOR, or belong
to scores at least CLOSED below the maximum and count as 0; the forward and backward variables
that are not 0 lie between SMALLEST and 1 / SMALLEST. Then no product of a variable and two factors
leaves the normal range of float64, so nothing vanished but what CLOSED scores lead to. That is
at most exp(-CLOSED) / SMALLEST / 1e-298 of the partition, 1e-400: nothing.
"""

from typing import NamedTuple, Optional, Tuple

import torch

from .packing import Packing

FACTOR = -170.0  # a log; exp of it is 1e-74
CLOSED = 2000.0
SMALLEST = 1e-150


class ScaledLattice(NamedTuple):
    """Float64; the N real tokens packed as `packing` says.

    emissions: `[N, tags]`.
    alpha: `[N, tags]`, P(tag | scores up to the token).
    beta: `[N, tags]`; `alpha * beta` is the marginal.
    onward: `[N, tags]`, exp(emission - scale) * beta: what the token and all after it weigh.
    pairs: `[tags, tags]`, the exponentiated transitions less their maximum;
    `alpha[previous] * pairs * onward` is the pairwise marginal.
    scale: `[N]`, the log normaliser taken out at each token.
    final_scale: `[batch]`, the one taken out after the end scores; 0 for an empty row.
    """

    packing: Packing
    emissions: torch.Tensor
    alpha: torch.Tensor
    beta: torch.Tensor
    onward: torch.Tensor
    pairs: torch.Tensor
    scale: torch.Tensor
    final_scale: torch.Tensor

    def log_partition(self) -> torch.Tensor:
        """`[batch]`."""
        return self.packing.unpack(self.scale).sum(1) + self.final_scale


def _factors(scores: torch.Tensor, rowwise: bool = False) -> Tuple[torch.Tensor, ...]:
    """Exponentiated scores less their maximum, the maximum, and the smallest log factor."""
    scores = scores.double()
    peak = scores.amax(-1, keepdim=True) if rowwise else scores.max()
    logs = scores - peak
    smallest = logs.masked_fill(logs <= -CLOSED, 0.0).amin()
    return logs.exp(), peak, smallest


def scaled_lattice(
    emissions: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    packing: Packing,
) -> Optional[ScaledLattice]:
    """The lattice of `[batch, seq, tags]` emissions; None without the certificate or tokens.

    Anything may be -inf: it is then CLOSED.
    """
    if not packing.sizes:
        return None
    tokens = packing.pack(emissions).double()
    weights, peak, *smallest = _factors(tokens, rowwise=True)
    parts = [_factors(scores) for scores in (transitions, start, end)]
    (pairs, pair_peak, _), (begin, begin_peak, _), (finish, finish_peak, _) = parts
    smallest += [part[2] for part in parts]
    if not bool(torch.stack(smallest).min() >= FACTOR):  # NaN must fail, too
        return None

    alpha, norm = _forward(weights, pairs, begin, packing)
    final = alpha[packing.last] @ finish
    onward = weights.div_(norm)
    beta = torch.empty_like(alpha)
    beta[packing.last] = finish / final.unsqueeze(1)
    _backward(onward, beta, pairs, packing)
    if not _certified(alpha, beta):
        return None

    scale = norm.log_().add_(peak).squeeze(1)
    first = packing.sizes[0]
    scale[:first] += begin_peak
    scale[first:] += pair_peak
    final_scale = scale.new_zeros(packing.shape[0])
    final_scale[packing.row[:first]] = final.log() + finish_peak
    return ScaledLattice(packing, tokens, alpha, beta, onward, pairs, scale, final_scale)


def _forward(
    weights: torch.Tensor, pairs: torch.Tensor, begin: torch.Tensor, packing: Packing
) -> Tuple[torch.Tensor, torch.Tensor]:
    """alpha `[N, tags]` and the normalisers `[N, 1]`."""
    alpha = torch.empty_like(weights)
    norm = weights.new_empty(len(weights), 1)
    steps = zip(
        alpha.split(packing.sizes),
        weights.split(packing.sizes),
        norm.split(packing.sizes),
        strict=True,
    )
    before = None
    for current, weight, total in steps:
        if before is None:
            torch.mul(weight, begin, out=current)
        else:
            torch.mm(before[: len(current)], pairs, out=current)
            current.mul_(weight)
        torch.sum(current, -1, keepdim=True, out=total)
        current.div_(total)
        before = current
    return alpha, norm


def _backward(
    onward: torch.Tensor, beta: torch.Tensor, pairs: torch.Tensor, packing: Packing
) -> None:
    """Fills beta, given at each row's last token, and multiplies it into onward; in place."""
    betas, onwards = beta.split(packing.sizes), onward.split(packing.sizes)
    back = pairs.t().contiguous()
    for t in range(len(betas) - 1, 0, -1):
        onwards[t].mul_(betas[t])
        torch.mm(onwards[t], back, out=betas[t - 1][: len(betas[t])])
    onwards[0].mul_(betas[0])


def _certified(alpha: torch.Tensor, beta: torch.Tensor) -> bool:
    """Whether all that is not 0 lies between SMALLEST and 1 / SMALLEST; NaN does not."""
    # The reciprocal brings the upper limit into one comparison, and one transfer, with the lower.
    lowest = [x.masked_fill(x == 0.0, 1.0).amin() for x in (alpha, beta)]
    return bool(torch.stack([*lowest, beta.amax().reciprocal()]).min() >= SMALLEST)


def scaled_gradient(
    lattice: ScaledLattice, gradient: torch.Tensor, dtype: torch.dtype
) -> Tuple[torch.Tensor, ...]:
    """The gradient of log Z, times `gradient` `[batch]`, in emissions `[batch, seq, tags]`,
    transitions, start and end: the marginals, summed over all steps in one product. dtype: that
    of the emissions."""
    packing, first = lattice.packing, lattice.packing.sizes[0]
    weight = gradient.double()[packing.row].unsqueeze(1)
    unary = lattice.alpha * lattice.beta * weight
    before = lattice.alpha.index_select(0, packing.previous) * weight[first:]
    pairwise = lattice.pairs * (before.t() @ lattice.onward[first:])
    ending = unary.index_select(0, packing.last).sum(0)
    return packing.unpack(unary.to(dtype)), pairwise, unary[:first].sum(0), ending

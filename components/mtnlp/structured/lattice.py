"""Forward and backward recursions of a linear-chain CRF in log space, for any scores.

Scores that differ by millions cannot underflow here; `scaled.py` is much faster where they do
not. The forward scores are normalised at every step and the normalisers kept (Rabiner 1989,
section V.A), so that no rounding error grows with the length of the sequence. All is float64: next
to a score of a million float32 has nothing behind the point. The gradient of
log Z is written out (it is the marginals): half the time and memory of differentiating through
the recursion, and free of NaN where scores are -inf.

Inside this file tensors are time-major: `seq, batch, tags`.
"""

from typing import Iterator, NamedTuple, Optional, Tuple

import torch


class Lattice(NamedTuple):
    """The forward pass over a batch, float64.

    emissions: `[seq, batch, tags]`. mask: bool `[seq, batch]`, a prefix of each sequence.
    alpha: `[seq, batch, tags]`, log P(tag at t | scores up to t).
    scale: `[seq, batch]`, the log normaliser taken out at each step; 0 on padding.
    final_scale: `[batch]`, the one taken out after the end scores; 0 for an empty sequence.
    """

    emissions: torch.Tensor
    mask: torch.Tensor
    alpha: torch.Tensor
    scale: torch.Tensor
    final_scale: torch.Tensor

    def log_partition(self) -> torch.Tensor:
        """`[batch]`."""
        return self.scale.sum(0) + self.final_scale


class BackwardStep(NamedTuple):
    """One step of the backward pass.

    beta: `[batch, tags]`, scaled so that `alpha + beta` is the log marginal.
    following: `[batch, tags, tags]`, exp(score of the rest by next tag, less its maximum), and
    total: `[batch, tags]`, its sum; their ratio is P(next tag | tag). None at the last step.
    """

    position: int
    beta: torch.Tensor
    following: Optional[torch.Tensor]
    total: Optional[torch.Tensor]


def _normalise(scores: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
    """Log scores `[batch, tags]` to log probabilities and the log normaliser `[batch]`."""
    scale = scores.logsumexp(-1)
    # Where nothing is possible the normaliser is -inf, and -inf - -inf would be NaN.
    return scores - scale.masked_fill(scale.isinf(), 0.0).unsqueeze(-1), scale


def posterior(log_scores: torch.Tensor) -> torch.Tensor:
    """Softmax over the last dimension; zeros where every score is -inf."""
    peak = log_scores.amax(-1, keepdim=True).clamp(min=torch.finfo(log_scores.dtype).min)
    weights = (log_scores - peak).exp()
    return weights / weights.sum(-1, keepdim=True).clamp(min=torch.finfo(weights.dtype).tiny)


def forward_scores(
    emissions: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
) -> Lattice:
    """The forward pass; arguments batch-first, `[batch, seq, tags]`, `seq` at least 1. Padding
    may hold anything."""
    real = mask.transpose(0, 1).contiguous()
    steps = emissions.transpose(0, 1).masked_fill(~real.unsqueeze(-1), 0.0).double().contiguous()
    current, scale = _normalise(start + steps[0])
    alphas, scales = [current], [scale.masked_fill(~real[0], 0.0)]
    into = transitions.t().double().contiguous()
    for t in range(1, len(steps)):
        following = (current.unsqueeze(1) + into).logsumexp(-1) + steps[t]
        following, scale = _normalise(following)
        current = torch.where(real[t].unsqueeze(-1), following, current)
        alphas.append(current)
        scales.append(scale.masked_fill(~real[t], 0.0))
    final = (current + end).logsumexp(-1).masked_fill(~real[0], 0.0)
    return Lattice(steps, real, torch.stack(alphas), torch.stack(scales), final)


def backward_steps(
    lattice: Lattice, transitions: torch.Tensor, end: torch.Tensor
) -> Iterator[BackwardStep]:
    """The backward pass, from the last position to the first."""
    smallest = torch.finfo(lattice.alpha.dtype).min
    scale = lattice.scale.masked_fill(lattice.scale.isinf(), 0.0).unsqueeze(-1)
    final_scale = lattice.final_scale.masked_fill(lattice.final_scale.isinf(), 0.0)
    last = end - final_scale.unsqueeze(-1)
    beta = last
    yield BackwardStep(len(scale) - 1, beta, None, None)
    for t in range(len(scale) - 2, -1, -1):
        rest = lattice.emissions[t + 1] + beta - scale[t + 1]
        scores = transitions + rest.unsqueeze(1)
        peak = scores.amax(-1, keepdim=True).clamp(min=smallest)
        following = (scores - peak).exp()
        total = following.sum(-1)
        continued = peak.squeeze(-1) + total.log()
        beta = torch.where(lattice.mask[t + 1].unsqueeze(-1), continued, last)
        yield BackwardStep(t, beta, following, total)


def backward_scores(lattice: Lattice, transitions: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
    """`[seq, batch, tags]`: beta, scaled so that `alpha + beta` is the log marginal."""
    betas = [step.beta for step in backward_steps(lattice, transitions, end)]
    return torch.stack(betas[::-1])


def log_space_gradient(
    lattice: Lattice, transitions: torch.Tensor, end: torch.Tensor, gradient: torch.Tensor
) -> Tuple[torch.Tensor, ...]:
    """The gradient of log Z, times `gradient` `[batch]`, in emissions `[batch, seq, tags]`,
    transitions, start and end: the marginals. Zero where log Z is -inf."""
    weight = gradient.to(lattice.alpha.dtype) * lattice.mask
    is_last = lattice.mask.clone()
    is_last[:-1] &= ~lattice.mask[1:]
    tiny = torch.finfo(lattice.alpha.dtype).tiny
    unary = torch.empty_like(lattice.alpha)
    pairwise = torch.zeros_like(transitions, dtype=weight.dtype)
    for step in backward_steps(lattice, transitions, end):
        t = step.position
        unary[t] = posterior(lattice.alpha[t] + step.beta) * weight[t].unsqueeze(-1)
        if step.following is not None and step.total is not None:
            share = unary[t] * lattice.mask[t + 1].unsqueeze(-1) / step.total.clamp(min=tiny)
            pairwise += (share.unsqueeze(-1) * step.following).sum(0)
    ending = (unary * is_last.unsqueeze(-1)).sum((0, 1))
    return unary.transpose(0, 1), pairwise, unary[0].sum(0), ending

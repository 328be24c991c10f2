"""Token marginals of a linear-chain CRF, and their cross-entropy with those of a teacher.

Arguments as in `crf.py`; padding may hold anything.

The gradient. With marginals `q` the loss is a function of `q` alone, and `w = dloss / dq` is known
at each token and tag. `q` is the gradient of log Z in the emissions, so the gradient of the loss is
the Hessian of log Z times `w`: the covariance of `sum_t w[t, tag t]` with each tag and each pair
of tags. One more forward and one more backward recursion, beside those of `q`, carry that sum
along (the expectation semiring; Eisner 2002, Li and Eisner 2009): O(seq · tags²), as log Z itself.
"""

from typing import Any, List, NamedTuple, Optional, Tuple

import torch
from torch.autograd.function import once_differentiable

from .lattice import backward_scores, forward_scores, posterior
from .packing import pack
from .partition import posteriors
from .scaled import ScaledLattice, scaled_lattice


@torch.no_grad()
def token_marginals(
    emissions: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
) -> torch.Tensor:
    """`[batch, seq, tags]`: the posterior probability of each tag at each token, zeros on padding
    and where no sequence is possible; at least float32."""
    emissions = emissions.to(torch.promote_types(emissions.dtype, torch.float32))
    if emissions.shape[1] == 0:
        return emissions
    chain = posteriors(emissions, transitions, start, end, mask)
    if chain.is_log:
        found = posterior(chain.alpha + chain.beta).unflatten(0, mask.shape[::-1]).transpose(0, 1)
        found = found.masked_fill(~mask.unsqueeze(-1), 0.0)
    else:
        found = pack(mask).unpack(chain.alpha * chain.beta)
    return found.to(emissions.dtype)


def marginal_cross_entropy(
    emissions: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
    teacher: torch.Tensor,
    groups: torch.Tensor,
    temperature: float = 1.0,
) -> torch.Tensor:
    """`[batch]`: `-sum_t sum_g p[t, g] log q[t, g]` over the tokens, for marginals `q` of the CRF.

    teacher: `[batch, seq, groups]`, `p`, at least 0. Those of a token may sum to anything: that is
        how much the token counts. groups: int64 `[tags]`, the group of each tag, whose marginals
        are added up. temperature: of the marginals: `q` is `q ** (1 / temperature)`, summing to 1
        again over the groups of a token, and the loss is multiplied by `temperature ** 2`. The
        teacher's are given as they are at that temperature.

    Once differentiable, in the first four, with a gradient that is written out. A group that the
    CRF rules out at a token (all its sequences hold -inf, or a score 2000 below another)
    contributes nothing there. An empty row, and one without any possible sequence, contributes 0.
    """
    emissions = emissions.to(torch.promote_types(emissions.dtype, torch.float32))
    if emissions.shape[1] == 0:
        return emissions.sum((1, 2))
    settings = mask, teacher.detach(), groups, temperature
    loss = MarginalCrossEntropy.apply(emissions, transitions, start, end, *settings)
    return loss.to(emissions.dtype)


class Comparison(NamedTuple):
    """What is compared at each token, and how the loss depends on it.

    loss: `[...]`. slope: `[..., groups]`, the loss's derivative in the logarithm of each group's
    marginal. log_group: `[..., groups]`, these logarithms.
    """

    loss: torch.Tensor
    slope: torch.Tensor
    log_group: torch.Tensor


def compare(teacher: torch.Tensor, log_group: torch.Tensor, temperature: float) -> Comparison:
    """teacher, log_group: `[..., groups]`, the logarithms of the student's marginals."""
    possible = log_group > -torch.inf
    teacher = teacher.masked_fill(~possible, 0.0)
    if temperature == 1.0:
        loss = -(teacher * log_group.masked_fill(~possible, 0.0)).sum(-1)
        return Comparison(loss, -teacher, log_group)
    tempered = (log_group / temperature).masked_fill(~possible, -torch.inf)
    share = posterior(tempered)
    log_share = tempered - tempered.logsumexp(-1, keepdim=True)
    loss = -(teacher * log_share.masked_fill(~possible, 0.0)).sum(-1) * temperature**2
    # What is the same for all tags of a token has no covariance with them.
    slope = temperature * (teacher.sum(-1, keepdim=True) * share - teacher)
    return Comparison(loss, slope, log_group)


class MarginalCrossEntropy(torch.autograd.Function):
    """`marginal_cross_entropy` (float64) of its arguments: in probability space where the scores
    allow it, in log space otherwise."""

    @staticmethod
    def forward(
        ctx: Any,
        emissions: torch.Tensor,
        transitions: torch.Tensor,
        start: torch.Tensor,
        end: torch.Tensor,
        mask: torch.Tensor,
        teacher: torch.Tensor,
        groups: torch.Tensor,
        temperature: float,
    ) -> torch.Tensor:
        ctx.packing = pack(mask)
        ctx.dtype = emissions.dtype
        scaled = scaled_lattice(emissions, transitions, start, end, ctx.packing)
        ctx.is_scaled = scaled is not None
        if scaled is not None:
            marginals = scaled.alpha * scaled.beta
            grouped = marginals.new_zeros(len(marginals), teacher.shape[-1])
            grouped.index_add_(1, groups, marginals)
            packed = ctx.packing.pack(teacher).double()
            found = compare(packed, grouped.log(), temperature)
            weight = (found.slope / grouped).masked_fill(grouped == 0.0, 0.0)[:, groups]
            ctx.save_for_backward(*scaled[1:], weight, transitions)
            return ctx.packing.unpack(found.loss).sum(1)
        lattice = forward_scores(emissions, transitions, start, end, mask)
        beta = backward_scores(lattice, transitions, end)
        real = lattice.mask.unsqueeze(-1) & lattice.log_partition().isfinite().unsqueeze(-1)
        log_marginals = (lattice.alpha + beta).masked_fill(~real, -torch.inf)
        member = groups == torch.arange(teacher.shape[-1], device=groups.device).unsqueeze(1)
        split = log_marginals.unsqueeze(-2).masked_fill(~member, -torch.inf)
        steps = teacher.transpose(0, 1).double().masked_fill(~real, 0.0)
        found = compare(steps, split.logsumexp(-1), temperature)
        # The logarithm of the weight's size: the weight itself may be too large for a float.
        sizes = (found.slope.abs().log() - found.log_group).masked_fill(
            (found.slope == 0.0) | found.log_group.isinf(), -torch.inf
        )
        weights = found.slope[..., groups], sizes[..., groups]
        ctx.save_for_backward(*LogLattice(*lattice[:4], beta, real, *weights, transitions.double()))
        return found.loss.sum(0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> Tuple[Optional[torch.Tensor], ...]:
        row = gradients[0].double()
        nothing = (None, None, None, None)
        if ctx.is_scaled:
            *parts, weight, transitions = ctx.saved_tensors
            lattice = ScaledLattice(ctx.packing, *parts)
            return *scaled_covariance(lattice, weight, transitions, row, ctx.dtype), *nothing
        return *log_space_covariance(LogLattice(*ctx.saved_tensors), row), *nothing


def scaled_covariance(
    lattice: ScaledLattice,
    weight: torch.Tensor,
    transitions: torch.Tensor,
    gradient: torch.Tensor,
    dtype: torch.dtype,
) -> Tuple[torch.Tensor, ...]:
    """The covariance of `sum_t weight[t, tag t]` with tags, pairs of tags, first and last tags,
    times `gradient` `[batch]`: the gradient in emissions `[batch, seq, tags]`, of that dtype,
    transitions, start and end. weight: `[N, tags]`, packed."""
    packing, first = lattice.packing, lattice.packing.sizes[0]
    pairs, onward = lattice.pairs, lattice.onward
    # The factor of a token, of which the lattice keeps the product with beta alone; the maximum of
    # the transitions is in its scale, and not in `pairs`.
    scale = lattice.scale.unsqueeze(1).clone()
    scale[first:] -= transitions.double().max()
    factor = (lattice.emissions - scale).exp()
    # alpha and `onward`, each times what the tags before or after it weigh on average.
    before = lattice.alpha * weight
    after = onward * weight
    beta = torch.zeros_like(before)
    befores, afters, betas = (x.split(packing.sizes) for x in (before, after, beta))
    factors = factor.split(packing.sizes)
    for t in range(1, len(packing.sizes)):
        carried = befores[t - 1][: packing.sizes[t]] @ pairs
        befores[t].add_(carried.mul_(factors[t]))
    back = pairs.t().contiguous()
    for t in range(len(packing.sizes) - 1, 0, -1):
        afters[t].add_(factors[t] * betas[t])
        torch.mm(afters[t], back, out=betas[t - 1][: packing.sizes[t]])

    marginals = lattice.alpha * lattice.beta
    each = (marginals * weight).sum(1)
    mean = torch.zeros_like(gradient).index_add_(0, packing.row, each)[packing.row].unsqueeze(1)
    times = gradient[packing.row].unsqueeze(1)
    unary = (before * lattice.beta + lattice.alpha * beta - mean * marginals) * times
    left = ((before - mean * lattice.alpha) * times)[packing.previous]
    right = (lattice.alpha * times)[packing.previous]
    pairwise = pairs * (left.t() @ onward[first:] + right.t() @ after[first:])
    ending = unary.index_select(0, packing.last).sum(0)
    return packing.unpack(unary.to(dtype)), pairwise, unary[:first].sum(0), ending


class LogLattice(NamedTuple):
    """The passes in log space, time-major, and what tags weigh.

    emissions, alpha, beta: `[seq, batch, tags]`. scale, mask: `[seq, batch]`. real: bool
    `[seq, batch, 1]`, False for rows without a possible sequence, too. slope, sizes:
    `[seq, batch, tags]`, the sign of each weight and the logarithm of its size. pairs: the
    transitions, float64.
    """

    emissions: torch.Tensor
    mask: torch.Tensor
    alpha: torch.Tensor
    scale: torch.Tensor
    beta: torch.Tensor
    real: torch.Tensor
    slope: torch.Tensor
    sizes: torch.Tensor
    pairs: torch.Tensor


def log_space_covariance(lattice: LogLattice, gradient: torch.Tensor) -> Tuple[torch.Tensor, ...]:
    """As `scaled_covariance`."""
    emissions, mask, alpha, scale, beta, real, slope, sizes, pairs = lattice
    steps = emissions - scale.masked_fill(scale.isinf(), 0.0).unsqueeze(-1)
    marginals = (alpha + beta).exp().masked_fill(~real, 0.0)
    unary, pairwise = torch.zeros_like(alpha), torch.zeros_like(pairs)
    mean = torch.zeros_like(gradient)
    # Logarithms have no sign: what counts for and what against is carried apart.
    for sign, chosen in ((1.0, slope > 0), (-1.0, slope < 0)):
        if not bool(chosen.any()):
            continue
        weight = sizes.masked_fill(~chosen, -torch.inf)
        before, after = carry(alpha, beta, steps, pairs, weight, real)
        both = torch.logaddexp(before + beta, alpha + after).exp().masked_fill(~real, 0.0)
        unary += sign * both
        mean += sign * (alpha + beta + weight).exp().masked_fill(~real, 0.0).sum((0, 2))
        for t in range(1, len(alpha)):
            rest = torch.logaddexp(beta[t] + weight[t], after[t])
            joint = torch.logaddexp(
                before[t - 1].unsqueeze(2) + beta[t].unsqueeze(1),
                alpha[t - 1].unsqueeze(2) + rest.unsqueeze(1),
            )
            joint = (joint + pairs + steps[t].unsqueeze(1)).exp()
            times = (gradient * sign).view(-1, 1, 1).masked_fill(~real[t].unsqueeze(-1), 0.0)
            pairwise += (joint.masked_fill(~real[t].unsqueeze(-1), 0.0) * times).sum(0)
    unary -= mean.view(1, -1, 1) * marginals
    for t in range(1, len(alpha)):
        joint = alpha[t - 1].unsqueeze(2) + pairs + (steps[t] + beta[t]).unsqueeze(1)
        joint = joint.exp().masked_fill(~real[t].unsqueeze(-1), 0.0)
        pairwise -= (joint * (mean * gradient).view(-1, 1, 1)).sum(0)
    unary = unary * gradient.view(1, -1, 1)
    is_last = mask.clone()
    is_last[:-1] &= ~mask[1:]
    ending = (unary * is_last.unsqueeze(-1)).sum((0, 1))
    return unary.transpose(0, 1), pairwise, unary[0].sum(0), ending


def carry(
    alpha: torch.Tensor,
    beta: torch.Tensor,
    steps: torch.Tensor,
    pairs: torch.Tensor,
    weight: torch.Tensor,
    real: torch.Tensor,
) -> Tuple[torch.Tensor, torch.Tensor]:
    """The two recursions in log space: `[seq, batch, tags]` each, alpha times what the tags up to
    the token weigh on average, and beta times what those after it do. weight: logarithms."""
    own = alpha + weight
    befores: List[torch.Tensor] = [own[0]]
    into = pairs.t()
    for t in range(1, len(alpha)):
        carried = (befores[-1].unsqueeze(1) + into).logsumexp(-1) + steps[t]
        following = torch.logaddexp(own[t], carried)
        befores.append(torch.where(real[t], following, befores[-1]))
    afters: List[torch.Tensor] = [torch.full_like(own[0], -torch.inf)]
    for t in range(len(alpha) - 1, 0, -1):
        rest = steps[t] + torch.logaddexp(beta[t] + weight[t], afters[-1])
        found = (pairs + rest.unsqueeze(1)).logsumexp(-1)
        afters.append(torch.where(real[t], found, -torch.inf))
    return torch.stack(befores), torch.stack(afters[::-1])

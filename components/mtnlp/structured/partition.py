"""log Z and posteriors of a linear-chain CRF: in probability space where the scores allow it, in
log space otherwise (decided for each batch by `scaled_lattice`). Arguments as in `crf.py`, `seq`
at least 1; padding may hold anything."""

from typing import Any, NamedTuple, Optional, Tuple

import torch
from torch.autograd.function import once_differentiable

from .lattice import Lattice, backward_scores, forward_scores, log_space_gradient
from .packing import pack
from .scaled import ScaledLattice, scaled_gradient, scaled_lattice


class LogPartition(torch.autograd.Function):
    """log Z `[batch]` (float64) of `emissions, transitions, start, end, mask`.

    Once differentiable, in the first four; the gradient is written out (it is the marginals).
    Where log Z is -inf the gradient is zero.
    """

    @staticmethod
    def forward(
        ctx: Any,
        emissions: torch.Tensor,
        transitions: torch.Tensor,
        start: torch.Tensor,
        end: torch.Tensor,
        mask: torch.Tensor,
    ) -> torch.Tensor:
        ctx.packing = pack(mask)
        scaled = scaled_lattice(emissions, transitions, start, end, ctx.packing)
        ctx.is_scaled = scaled is not None
        if scaled is not None:
            ctx.save_for_backward(*scaled[1:])
            ctx.dtype = emissions.dtype
            return scaled.log_partition()
        lattice = forward_scores(emissions, transitions, start, end, mask)
        ctx.save_for_backward(*lattice, transitions, end)
        return lattice.log_partition()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> Tuple[Optional[torch.Tensor], ...]:
        if ctx.is_scaled:
            scaled = ScaledLattice(ctx.packing, *ctx.saved_tensors)
            return *scaled_gradient(scaled, gradients[0], ctx.dtype), None
        *parts, transitions, end = ctx.saved_tensors
        return *log_space_gradient(Lattice(*parts), transitions, end, gradients[0]), None


class Posteriors(NamedTuple):
    """What the posterior probability of any event is made of, for either route.

    is_log: whether alpha and beta are logs. offset `[seq]` and rank `[batch]`: their sum is the
    index of a token below. emissions, alpha, beta: `[tokens, tags]`. scale: `[tokens]`, and
    final_scale: `[batch]`, log normalisers. alpha is P(tag | scores up to the token); alpha
    times beta is the marginal.
    """

    is_log: bool
    offset: torch.Tensor
    rank: torch.Tensor
    emissions: torch.Tensor
    alpha: torch.Tensor
    beta: torch.Tensor
    scale: torch.Tensor
    final_scale: torch.Tensor

    def token(self, position: torch.Tensor, row: torch.Tensor) -> torch.Tensor:
        """The index of the token at a position of a row of the batch; not for padding."""
        return self.offset[position] + self.rank[row]

    def log_alpha(self, token: torch.Tensor, tag: torch.Tensor) -> torch.Tensor:
        """`[n]`, for tokens and tags `[n]`."""
        alpha = self.alpha[token, tag]
        return alpha if self.is_log else alpha.log()

    def log_beta(self, token: torch.Tensor) -> torch.Tensor:
        """`[n, tags]`, for tokens `[n]`."""
        beta = self.beta[token]
        return beta if self.is_log else beta.log()


def posteriors(
    emissions: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
) -> Posteriors:
    """Forward and backward pass over a batch."""
    packing = pack(mask)
    scaled = scaled_lattice(emissions, transitions, start, end, packing)
    if scaled is not None:
        return Posteriors(
            False,
            packing.offset,
            packing.rank,
            scaled.emissions,
            scaled.alpha,
            scaled.beta,
            scaled.scale,
            scaled.final_scale,
        )
    lattice = forward_scores(emissions, transitions, start, end, mask)
    size, seq = mask.shape
    return Posteriors(
        True,
        torch.arange(seq, device=mask.device) * size,
        torch.arange(size, device=mask.device),
        lattice.emissions.flatten(0, 1),
        lattice.alpha.flatten(0, 1),
        backward_scores(lattice, transitions, end).flatten(0, 1),
        lattice.scale.flatten(),
        lattice.final_scale,
    )

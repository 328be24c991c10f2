"""Token marginals of a linear-chain CRF. Arguments as in `crf.py`; padding may hold anything."""

import torch

from .lattice import posterior
from .packing import pack
from .partition import posteriors


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

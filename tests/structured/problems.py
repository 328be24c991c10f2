"""Scores of linear-chain CRFs to try things on, and what living code is compared with."""

from typing import Iterable, List, NamedTuple, Tuple

import torch

from mtnlp.structured import crf
from mtnlp.structured.lattice import posterior
from mtnlp.structured.packing import pack
from mtnlp.structured.partition import posteriors
from mtnlp.structured.schemes import TagScheme

LENGTHS = [4, 2, 0, 1]


class Problem(NamedTuple):
    """As `mtnlp.structured.crf` has its arguments."""

    emissions: torch.Tensor
    transitions: torch.Tensor
    start: torch.Tensor
    end: torch.Tensor
    mask: torch.Tensor


def make_problem(
    tags: int, lengths: List[int] = LENGTHS, dtype: torch.dtype = torch.float64
) -> Problem:
    generator = torch.Generator().manual_seed(tags)
    seq = max(lengths)
    shapes = [(len(lengths), seq, tags), (tags, tags), (tags,), (tags,)]
    scores = [torch.randn(shape, generator=generator, dtype=dtype) for shape in shapes]
    return Problem(*scores, torch.arange(seq) < torch.tensor(lengths).unsqueeze(1))


@torch.no_grad()
def marginals(
    emissions: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
) -> torch.Tensor:
    """`[batch, seq, tags]`: the posterior probability of each tag, of the passes that the
    probabilities of spans are computed from; zeros on padding."""
    emissions = emissions.to(torch.promote_types(emissions.dtype, torch.float32))
    chain = posteriors(emissions, transitions, start, end, mask)
    if chain.is_log:
        probability = posterior(chain.alpha + chain.beta).unflatten(0, mask.shape[::-1])
        found = probability.transpose(0, 1) * mask.unsqueeze(-1)
    else:
        found = pack(mask).unpack(chain.alpha * chain.beta)
    return found.to(emissions.dtype)


def constrained_log_partition(
    emissions: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
    allowed: torch.Tensor,
) -> torch.Tensor:
    """`[batch]`: log Z of the sequences that keep to `allowed`, bool `[batch, seq, tags]`."""
    return crf.log_partition(crf.constrain(emissions, allowed), transitions, start, end, mask)


def encode(scheme: TagScheme, spans: Iterable[Tuple[int, int, str]], length: int) -> List[str]:
    """The tags of `length` tokens, given flat spans `(start, end, label)`, half-open."""
    tags = ["O"] * length
    for start, end, label in spans:
        size = end - start
        if scheme.name == "bio":
            prefixes = "B" + "I" * (size - 1)
        else:
            prefixes = "U" if size == 1 else "B" + "I" * (size - 2) + "L"
        tags[start:end] = [f"{prefix}-{label}" for prefix in prefixes]
    return tags

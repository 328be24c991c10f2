"""What a head's torch modules know, as the numbers that `standalone` reads."""

from typing import Any, Dict

import torch

from ...nn.linear_chain import LinearChainCRF
from ...structured.schemes import TagScheme


def scheme_settings(scheme: TagScheme) -> Dict[str, Any]:
    """Of `standalone.tag_scheme.Scheme`."""
    span = torch.tensor([[0, 0, 1, 0], [0, 0, 3, 0]])
    first, inside, last = (part - 1 for part in scheme.path(span))
    return {
        "prefixes": len(scheme.prefixes),
        "continuing": [prefix in scheme.continuing for prefix in scheme.prefixes],
        "unfinished": [prefix in scheme.unfinished for prefix in scheme.prefixes],
        "single": int(first[0]),
        "first": int(first[1]),
        "inside": int(inside[1]),
        "last": int(last[1]),
    }


@torch.no_grad()
def chain_arrays(crf: LinearChainCRF) -> Dict[str, Any]:
    """Of `standalone.chain.Chain`: `[tags, tags]`, `[tags]`, `[tags]`, float64."""
    named = ("transitions", "start", "end")
    legal = (crf.legal_transitions, crf.legal_start, crf.legal_end)
    learnt = (crf.transitions, crf.start, crf.end)
    return {
        name: scores.masked_fill(~mask, -torch.inf).double().cpu().numpy()
        for name, scores, mask in zip(named, learnt, legal, strict=True)
    }

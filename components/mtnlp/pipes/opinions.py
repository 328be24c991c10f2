"""What the heads of a pipeline believe of Docs, to be learnt by others: see `gold.opinions`."""

from typing import List, Optional, Sequence

import numpy as np

from ..gold.opinions import CategoryOpinion, SpanOpinion, TagOpinion
from ..types import Bools, Floats, Ints

# What is less probable is left out of an opinion.
LEAST = 1e-4


def tag_opinions(
    tags: Sequence[str], probabilities: Floats, lengths: Sequence[int]
) -> List[Optional[TagOpinion]]:
    """The opinion on each Doc, None on one without tokens.

    probabilities: `[docs, seq, tags]`, those of each token sum to 1. lengths: tokens of each Doc.
    Tags below LEAST are left out, and the others of their token sum to 1 again.
    """
    # Of very many tags none may be that probable.
    least = np.minimum(LEAST, probabilities.max(-1, keepdims=True, initial=0.0))
    kept = (probabilities >= least) & (probabilities > 0)
    made: List[Optional[TagOpinion]] = []
    for row, chosen, length in zip(probabilities, kept, lengths, strict=True):
        if not length:
            made.append(None)
            continue
        row, chosen = row[:length], chosen[:length]
        token, index = np.nonzero(chosen)
        each = row[token, index]
        total = np.bincount(token, each, minlength=length)
        starts = np.concatenate([[0], chosen.sum(1).cumsum()]).astype(np.int64)
        shares = (each / total[token]).astype(np.float32)
        made.append(TagOpinion(tuple(tags), starts, index.astype(np.int64), shares))
    return made


def span_opinions(
    labels: Sequence[str],
    spans: Ints,
    probabilities: Floats,
    lengths: Sequence[int],
    max_width: int,
) -> List[Optional[SpanOpinion]]:
    """The opinion on each Doc, None on one without tokens.

    spans: `[n, 4]`, Doc, start, end, label index, in the order of Docs. probabilities: `[n]`.
    lengths: tokens of each Doc.
    """
    ends = np.searchsorted(spans[:, 0], np.arange(len(lengths) + 1))
    made: List[Optional[SpanOpinion]] = []
    for i, length in enumerate(lengths):
        part = slice(int(ends[i]), int(ends[i + 1]))
        own, each = spans[part, 1:], probabilities[part].astype(np.float32)
        made.append(SpanOpinion(tuple(labels), own, each, max_width) if length else None)
    return made


def category_opinions(
    keys: Sequence[str], logits: Floats, exclusive: Sequence[str], has_text: Bools
) -> List[Optional[CategoryOpinion]]:
    """The opinion on each Doc, None on one that holds nothing to read.

    logits: `[docs, keys]`. exclusive: names of tasks. has_text: `[docs]`.
    """
    return [
        CategoryOpinion(tuple(keys), row, tuple(exclusive)) if has else None
        for row, has in zip(logits.astype(np.float32), has_text.tolist(), strict=True)
    ]

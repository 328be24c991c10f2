"""What `overwrite_ents = false` keeps, as a condition on tags: `pipes.kept_entities` in numpy."""

from typing import Dict, Sequence, Tuple

import numpy as np
from spacy.util import filter_spans

from ..pipes.kept_entities import KeptEntities
from ..structured.array_scheme import Scheme
from ..types import Bools, Ints


def tokens_held(kept: Sequence[KeptEntities], shape: Tuple[int, int]) -> Bools:
    """`[docs, tokens]`, of that shape: the tokens of kept entities and the blocked ones."""
    held = np.zeros(shape, dtype=bool)
    for row, (spans, blocked) in zip(held, kept, strict=True):
        for span in (*spans, *blocked):
            row[span.start : span.end] = True
    return held


def tags_given(
    kept: Sequence[KeptEntities], held: Bools, labels: Sequence[str], scheme: Scheme
) -> Bools:
    """`[docs, tokens, tags]`: the tags that go with what is kept.

    Tokens that are not held may have every tag that does not lengthen a kept entity. A kept entity
    is spelled where the tagger knows its label; of those that overlap, the ones that `filter_spans`
    keeps. All other held tokens are O. held: as from `tokens_held`.
    """
    index: Dict[str, int] = {label: i for i, label in enumerate(labels)}
    tags: Ints = np.zeros(held.shape, dtype=np.int64)
    for doc, each in enumerate(kept):
        for span in filter_spans(span for span in each.spans if span.end > span.start):
            if span.label_ in index:
                row = np.array([[doc, span.start, span.end, index[span.label_]]])
                first, inside, last = scheme.path(row)
                tags[doc, span.start : span.end] = inside[0]
                tags[doc, span.end - 1] = last[0]
                tags[doc, span.start] = first[0]
    n_tags = 1 + len(labels) * scheme.prefixes
    allowed: Bools = (tags[..., None] == np.arange(n_tags)) | ~held[..., None]
    extended = scheme.extending(tags[:, :-1], n_tags)
    allowed[:, 1:] &= ~(extended & (~held[:, 1:] & held[:, :-1])[..., None])
    return allowed

"""Entities that were on a Doc before an entity pipe came to it, and stay there
(`overwrite_ents = false`)."""

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy as np
import torch
from spacy.attrs import ENT_IOB, ENT_TYPE
from spacy.tokens import Doc, Span, SpanGroup

from ..gold.entities import flatten, tag_indices
from ..structured.schemes import TagScheme
from .scored_spans import GIVEN, EntityKey, entity_key, entity_keys

WRITTEN_BY = "written_by"  # in the attrs of a SpanGroup: the pipe's name
BEGIN = 3  # as ENT_IOB; without a type it blocks a token


class KeptEntities(NamedTuple):
    """What one Doc holds.

    spans: the entities as they are, labels that the pipe does not know included.
    blocked: tokens that no entity may hold (`Doc.set_ents(..., blocked=...)`).
    """

    spans: List[Span]
    blocked: List[Span]


class GivenTags(NamedTuple):
    """What a batch of Docs holds, as a condition on its tags.

    kept: by Doc. held: bool `[docs, tokens]`, the tokens of kept entities and the blocked ones.
    allowed: bool `[docs, tokens, tags]`, the tags that each token may have.
    """

    kept: List[KeptEntities]
    held: torch.Tensor
    allowed: torch.Tensor


def kept_entities(
    docs: Sequence[Doc], cfg: Dict[str, Any], name: str
) -> Optional[List[KeptEntities]]:
    """What stays in the layer that a pipe writes, by Doc; None where the pipe overwrites it.

    What the pipe wrote itself, when it saw the Doc before, does not stay.

    cfg, name: of the pipe; its `spans_key` and `overwrite_ents`.
    """
    if cfg["overwrite_ents"]:
        return None
    return [kept_on(doc, cfg["spans_key"], name) for doc in docs]


def find_kept(docs: Sequence[Doc], cfg: Dict[str, Any], name: str) -> Optional[List[KeptEntities]]:
    """As `kept_entities`; None, too, where nothing is there on any Doc."""
    kept = kept_entities(docs, cfg, name)
    return kept if any(each.spans or each.blocked for each in kept or ()) else None


def kept_on(doc: Doc, spans_key: Optional[str], name: str) -> KeptEntities:
    """As `kept_entities`, of one Doc."""
    group = doc.spans.get(name if spans_key is None else spans_key)
    layer: Sequence[Span] = doc.ents if spans_key is None else list(group or ())
    own = own_entities(group, name)
    spans = [span for span in layer if entity_key(span) not in own]
    if spans_key is not None:
        return KeptEntities(spans, [])
    tags = doc.to_array([ENT_IOB, ENT_TYPE]).reshape(-1, 2)
    blocked = np.flatnonzero((tags[:, 0] == BEGIN) & (tags[:, 1] == 0)).tolist()
    return KeptEntities(spans, [doc[token : token + 1] for token in blocked])


def own_entities(group: Optional[SpanGroup], name: str) -> Set[EntityKey]:
    """The keys of what a pipe predicted earlier, by the group it wrote."""
    if group is None or group.attrs.get(WRITTEN_BY) != name:
        return set()
    # What the user has appended has no flag, and is not the pipe's.
    members = zip(entity_keys(group), group.attrs[GIVEN], strict=False)
    return {key for key, given in members if not given}


def held_tokens(kept: Sequence[KeptEntities], shape: Sequence[int]) -> torch.Tensor:
    """bool `[docs, tokens]`: the tokens of kept entities and the blocked ones. shape: of that."""
    held = np.zeros(tuple(shape), dtype=bool)
    for row, (spans, blocked) in zip(held, kept, strict=True):
        for span in (*spans, *blocked):
            row[span.start : span.end] = True
    return torch.from_numpy(held)


def given_tags(
    kept: List[KeptEntities], mask: torch.Tensor, labels: Sequence[str], scheme: TagScheme
) -> GivenTags:
    """What is kept as a condition, on the device of the mask, bool `[docs, tokens]`."""
    held = held_tokens(kept, mask.shape)
    allowed = allowed_tags(kept, held, labels, scheme)
    return GivenTags(kept, held.to(mask.device), allowed.to(mask.device))


def allowed_tags(
    kept: Sequence[KeptEntities], held: torch.Tensor, labels: Sequence[str], scheme: TagScheme
) -> torch.Tensor:
    """bool `[docs, tokens, tags]`: the tags that go with what is kept.

    Tokens that are not held may have every tag that does not lengthen a kept entity. A kept entity
    is spelled where the tagger knows its label; of those that overlap, the ones that `flatten`
    keeps. All other held tokens are O.

    held: as from `held_tokens`.
    """
    index: Dict[str, int] = {label: i for i, label in enumerate(labels)}
    rows = [
        (doc, span.start, span.end, index[span.label_])
        for doc, each in enumerate(kept)
        for span in flatten(span for span in each.spans if span.end > span.start)
        if span.label_ in index
    ]
    tags = tag_indices(torch.tensor(rows, dtype=torch.long).reshape(-1, 4), held.shape, scheme)
    return scheme.refine(tags, ~held, list(labels))


def begin_in(spans: torch.Tensor, held: torch.Tensor) -> torch.Tensor:
    """bool `[n]`: which of `spans`, int64 `[n, 4]`, begin in a held token: the kept ones, among the
    entities of a tagging that keeps to `allowed_tags`."""
    return held[spans[:, 0], spans[:, 1]]


def join(
    kept: KeptEntities, spans: List[Span], scores: np.ndarray
) -> Tuple[List[Span], np.ndarray, np.ndarray]:
    """The entities of a Doc, kept ones and predictions, by position.

    Predictions that are exactly a kept entity are left out.
    Returns: the spans, their scores, float32 `[n]`, 1.0 for kept ones: they are given; and which
    are kept, bool `[n]`.
    """
    there = {(span.start, span.end, span.label) for span in kept.spans}
    new = [(s.start, s.end, s.label) not in there for s in spans]
    every = [*kept.spans, *(span for span, is_new in zip(spans, new, strict=True) if is_new)]
    ones = np.ones(len(kept.spans), dtype="float32")
    joined = np.concatenate([ones, scores[np.array(new, dtype=bool)]])
    given = np.arange(len(every)) < len(kept.spans)
    order = sorted(range(len(every)), key=lambda i: (every[i].start, every[i].end))
    return [every[i] for i in order], joined[order], given[order]

"""Gold entities of Examples, in the predicted Doc's tokens: `doc.ents` or a spans group."""

from dataclasses import dataclass, field
from typing import Dict, Iterable, List, Optional, Sequence, Set, Tuple

import numpy as np
import torch
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import filter_spans

from ..annotation.annotated_labels import annotated_labels
from ..annotation.layers import EntityLayer, entity_layer
from ..structured.schemes import TagScheme
from .targets import Target, annotated_doc_indices


@dataclass
class GoldEntities:
    """The flat entities of one annotated Doc.

    spans: `(start, end, label index)` in predicted tokens, not overlapping.
    missing: `[tokens]` bool, True where the annotation is unknown.
    annotated: the labels that the Doc is annotated for, by index, where that is not all: outside of
        entities nothing is known but that it is none of these.
    """

    spans: List[Tuple[int, int, int]]
    missing: np.ndarray = field(repr=False)
    annotated: Optional[List[int]] = None


def flatten(spans: Iterable[Span]) -> List[Span]:
    """What a flat tagger can learn of spans that overlap, in order.

    The longest span first, of equally long ones the leftmost, and each only where it overlaps none
    kept before (`spacy.util.filter_spans`). Of several labels on the same words the first stays.
    """
    return filter_spans(spans)


def gold_labels(examples: Iterable[Example], spans_key: Optional[str]) -> List[str]:
    """The labels of the layer in the references, and those that they are said to be annotated for,
    sorted."""
    layer = entity_layer(spans_key)
    found: Set[str] = set()
    for example in examples:
        found.update(layer.label_counts(example.reference))
        found.update(annotated_labels(example.reference, str(layer)) or ())
    return sorted(found)


def get_entities(
    example: Example, spans_key: Optional[str], label_index: Dict[str, int]
) -> Optional[GoldEntities]:
    """The Example's flat gold entities; None where the layer is not annotated.

    Of overlapping ones those stay that `flatten` keeps. An entity whose boundaries fall inside a
    predicted token, or whose label is unknown, makes its tokens missing: neither it nor "no
    entity" is true of them. In a Doc that is annotated for other labels alone, all tokens outside
    of entities are missing.
    """
    reference, predicted = example.reference, example.predicted
    layer = entity_layer(spans_key)
    if not layer.is_annotated(reference):
        return None
    same = same_tokens(reference, predicted)
    missing = missing_tokens(example, layer, same)
    spans = []
    for span in flatten(layer.spans(reference)):
        start, end, exact = (span.start, span.end, True) if same else project(example, span)
        if exact and span.label_ in label_index:
            spans.append((start, end, label_index[span.label_]))
        else:
            missing[start:end] = True
    annotated = known_labels(reference, layer, label_index)
    if annotated == []:
        missing = np.ones_like(missing)
        for start, end, _ in spans:
            missing[start:end] = False
    return GoldEntities(spans, missing, annotated)


def known_labels(
    reference: Doc, layer: EntityLayer, label_index: Dict[str, int]
) -> Optional[List[int]]:
    """Which of a pipe's labels a reference is annotated for, by index, sorted; None where that is
    all of them."""
    labels = annotated_labels(reference, str(layer))
    if labels is None or labels.issuperset(label_index):
        return None
    return sorted(label_index[label] for label in labels if label in label_index)


def same_tokens(reference: Doc, predicted: Doc) -> bool:
    return len(reference) == len(predicted) and bool(
        (reference.to_array("ORTH") == predicted.to_array("ORTH")).all()
    )


def missing_tokens(example: Example, layer: EntityLayer, same: bool) -> np.ndarray:
    """`[tokens]` bool over the predicted Doc: which have no annotation in the layer."""
    unknown = layer.missing(example.reference)
    if same:
        return unknown
    missing = np.zeros(len(example.predicted), dtype=bool)
    if not unknown.any():
        return missing
    y2x = example.alignment.y2x
    missing[y2x.data[np.repeat(unknown, y2x.lengths)]] = True
    return missing


def project(example: Example, span: Span) -> Tuple[int, int, bool]:
    """A reference span in predicted tokens.

    Returns: start, end and whether the boundaries are exactly the same.
    """
    alignment = example.alignment
    tokens = alignment.y2x[span.start : span.end]
    if not len(tokens):
        return 0, 0, False
    start, end = int(tokens.min()), int(tokens.max()) + 1
    back = alignment.x2y[start:end]
    exact = len(back) > 0 and back.min() == span.start and back.max() == span.end - 1
    return start, end, bool(exact)


def tag_targets(
    examples: Sequence[Example], spans_key: Optional[str], labels: Sequence[str], scheme: TagScheme
) -> Target:
    """Entities as tag constraints, for a batch.

    Returns: `target` bool `[rows, seq, tags]`, the tags each token may have (all where missing; all
    but those of the annotated labels outside of entities, where a Doc is annotated for some alone);
    `mask` bool `[rows, seq]`, the real tokens; `units`, the annotated tokens.
    """
    label_index = {label: i for i, label in enumerate(labels)}
    found = [get_entities(example, spans_key, label_index) for example in examples]
    doc_indices = annotated_doc_indices([None if gold is None else gold.missing for gold in found])
    golds = [gold for i in doc_indices if (gold := found[i]) is not None]
    lengths = torch.tensor([len(gold.missing) for gold in golds], dtype=torch.long)
    seq = int(lengths.max()) if golds else 0
    mask = torch.arange(seq) < lengths.unsqueeze(1)
    missing = torch.zeros(mask.shape, dtype=torch.bool)
    if golds:
        missing[mask] = torch.from_numpy(np.concatenate([gold.missing for gold in golds]))
    spans = [(row, *span) for row, gold in enumerate(golds) for span in gold.spans]
    tags = tag_indices(torch.tensor(spans, dtype=torch.long).reshape(-1, 4), mask.shape, scheme)
    excluded = excluded_tags(golds, len(labels), scheme)
    unsure = torch.zeros_like(mask)
    if excluded is not None:
        unsure = (tags == 0) & excluded.any(1, keepdim=True)
    target = scheme.refine(tags, missing | unsure | ~mask, list(labels))
    if excluded is not None:
        target &= ~((unsure & mask & ~missing).unsqueeze(-1) & excluded.unsqueeze(1))
    return Target(
        doc_indices=doc_indices,
        target=target,
        mask=mask,
        units=float((mask & ~missing).sum()),
    )


def excluded_tags(
    golds: Sequence[GoldEntities], n_labels: int, scheme: TagScheme
) -> Optional[torch.Tensor]:
    """bool `[rows, tags]`: of a Doc that is annotated for some labels alone, the tags of these; no
    token outside of an entity has one. None where every Doc is annotated for all."""
    if all(gold.annotated is None for gold in golds):
        return None
    size = len(scheme.prefixes)
    excluded = torch.zeros((len(golds), n_labels), dtype=torch.bool)
    for row, gold in enumerate(golds):
        excluded[row, gold.annotated or []] = True
    outside = torch.zeros((len(golds), 1), dtype=torch.bool)
    return torch.cat([outside, excluded.repeat_interleave(size, dim=1)], dim=1)


def tag_indices(spans: torch.Tensor, shape: Sequence[int], scheme: TagScheme) -> torch.Tensor:
    """Spans as tag indices.

    spans: int64 `[n, 4]`: row, start, end, label index, not overlapping. shape: `[rows, seq]`.
    Returns: int64 `[rows, seq]`, 0 (O) outside.
    """
    tags = torch.zeros(tuple(shape), dtype=torch.long)
    row, start, end, _ = spans.unbind(1)
    first, inside, last = scheme.path(spans)
    lengths = end - start
    position = torch.arange(int(lengths.sum())) - (lengths.cumsum(0) - lengths).repeat_interleave(
        lengths
    )
    tags[row.repeat_interleave(lengths), start.repeat_interleave(lengths) + position] = (
        inside.repeat_interleave(lengths)
    )
    tags[row, end - 1] = last
    tags[row, start] = torch.where(lengths == 1, last, first)
    return tags

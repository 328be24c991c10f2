"""Gold entities of Examples as classes of spans: nested ones of a spans group, or `doc.ents`."""

from dataclasses import dataclass, field
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
import torch
from spacy.training import Example

from ..annotation.layers import entity_layer
from ..structured.span_enumeration import span_mask
from .entities import known_labels, missing_tokens, project, same_tokens
from .targets import Target, annotated_doc_indices


@dataclass
class GoldSpans:
    """The entities of one annotated Doc, in predicted tokens.

    spans: `(start, end, label index)`; they may nest, cross or have the same boundaries.
    unclear: `(start, end)` of which neither an entity nor "no entity" is true: the boundaries of
        one fall inside a predicted token, or its label is unknown.
    missing: `[tokens]` bool, True where the annotation is unknown.
    annotated: the labels that the Doc is annotated for, by index, where that is not all: of other
        spans than these entities nothing is known but that they are none of these.
    """

    spans: List[Tuple[int, int, int]]
    unclear: List[Tuple[int, int]]
    missing: np.ndarray = field(repr=False)
    annotated: Optional[List[int]] = None


def get_spans(
    example: Example, spans_key: Optional[str], label_index: Dict[str, int]
) -> Optional[GoldSpans]:
    """The Example's gold entities; None where the layer is not annotated."""
    reference, predicted = example.reference, example.predicted
    layer = entity_layer(spans_key)
    if not layer.is_annotated(reference):
        return None
    same = same_tokens(reference, predicted)
    annotated = known_labels(reference, layer, label_index)
    gold = GoldSpans([], [], missing_tokens(example, layer, same), annotated)
    for span in layer.spans(reference):
        start, end, exact = (span.start, span.end, True) if same else project(example, span)
        if exact and span.label_ in label_index:
            gold.spans.append((start, end, label_index[span.label_]))
        elif start < end:
            gold.unclear.append((start, end))
    return gold


def span_targets(
    examples: Sequence[Example],
    spans_key: Optional[str],
    labels: Sequence[str],
    max_width: int,
    exclusive: bool,
) -> Target:
    """Entities as classes of spans, for a batch, at `[row, i, w]` that of the `w + 1` tokens from
    token `i`.

    Entities of more than `max_width` tokens are left out. Where spans are exclusive, one that has
    several labels has the first of them.

    Returns: `target` int64 `[rows, seq, max_width]`, 0 for no entity, else 1 + label index; or,
        not exclusive, float `[rows, seq, max_width, labels]`; `mask` bool
        `[rows, seq, max_width]`, the spans of annotated tokens. Where a Doc of the batch is
        annotated for some labels alone, `target` is bool `[rows, seq, max_width, 1 + labels]`, the
        classes that each span may have, or, not exclusive, `mask` bool
        `[rows, seq, max_width, labels]`. `units`, the annotated tokens: the
        spans that begin at a token weigh together what its tag does in a tagger.
    """
    label_index = {label: i for i, label in enumerate(labels)}
    found = [get_spans(example, spans_key, label_index) for example in examples]
    doc_indices = annotated_doc_indices([None if gold is None else gold.missing for gold in found])
    golds = [gold for i in doc_indices if (gold := found[i]) is not None]
    seq = max((len(gold.missing) for gold in golds), default=0)
    known = torch.zeros((len(golds), seq), dtype=torch.bool)
    for i, gold in enumerate(golds):
        known[i, : len(gold.missing)] = torch.from_numpy(~gold.missing)
    mask = span_mask(known, max_width)
    unclear = [(i, *span, 0) for i, gold in enumerate(golds) for span in gold.unclear]
    row, start, width, label = span_indices(unclear, max_width)
    mask[row, start, width] = False
    spans = [(i, *span) for i, gold in enumerate(golds) for span in gold.spans]
    partial = annotated_columns(golds, len(labels))
    if exclusive:
        first: Dict[Tuple[int, ...], Tuple[int, ...]] = {}
        for span in spans:
            first.setdefault(span[:3], span)
        row, start, width, label = span_indices(list(first.values()), max_width)
        target = torch.zeros(mask.shape, dtype=torch.long)
        target[row, start, width] = label + 1
        if partial is not None:
            target = allowed_classes(target, partial)
    else:
        row, start, width, label = span_indices(spans, max_width)
        target = torch.zeros((*mask.shape, len(labels)))
        target[row, start, width, label] = 1.0
        if partial is not None:
            mask = mask.unsqueeze(-1) & (partial[:, None, None] | (target > 0))
    return Target(doc_indices=doc_indices, target=target, mask=mask, units=float(known.sum()))


def annotated_columns(golds: Sequence[GoldSpans], n_labels: int) -> Optional[torch.Tensor]:
    """bool `[rows, labels]`: which labels each Doc is annotated for; None where it is all of them
    everywhere."""
    if all(gold.annotated is None for gold in golds):
        return None
    columns = torch.ones((len(golds), n_labels), dtype=torch.bool)
    for row, gold in enumerate(golds):
        if gold.annotated is not None:
            columns[row] = False
            columns[row, gold.annotated] = True
    return columns


def allowed_classes(target: torch.Tensor, annotated: torch.Tensor) -> torch.Tensor:
    """Classes `[rows, seq, max_width]` as those that each span may have, bool
    `[rows, seq, max_width, 1 + labels]`: its own or, where it is no entity of the labels that its
    Doc is annotated for, none and every other label. annotated: bool `[rows, labels]`."""
    allowed = torch.nn.functional.one_hot(target, 1 + annotated.shape[1]).bool()
    allowed[..., 1:] |= (target == 0).unsqueeze(-1) & ~annotated[:, None, None]
    return allowed


def span_indices(spans: Sequence[Tuple[int, ...]], max_width: int) -> Tuple[torch.Tensor, ...]:
    """spans: row, start, end, label index. Returns: row, start, index of the width and label index
    of those that are not too wide, int64 `[n]` each."""
    table = torch.tensor(spans, dtype=torch.long).reshape(-1, 4)
    row, start, end, label = table[table[:, 2] - table[:, 1] <= max_width].unbind(1)
    return row, start, end - start - 1, label

"""Entities of which only the whole corpus tells whether they overlap."""

from itertools import pairwise
from typing import Sequence

from ..types import Annotation
from .formats.bad_input import BadInput
from .options import Splits

# The layer of `Record.spans` for annotations that become entities if none of the corpus overlap.
UNSETTLED = "\0"
# Where they go otherwise; spaCy's own name for a layer of spans.
OVERLAPPING = "sc"


def settle(splits: Splits, on_bad: BadInput) -> Splits:
    """Makes unsettled layers `entities`, or `spans["sc"]` where any two annotations of a unit
    overlap; in place. Says which."""
    records = [record for rows in splits.values() for record in rows]
    layers = [record.spans.get(UNSETTLED, ()) for record in records if record.spans]
    overlapping = sum(_overlap(layer) for layer in layers)
    on_bad.note(
        f"units with overlapping annotations, so that all are in spans['{OVERLAPPING}']",
        overlapping,
    )
    for record in records:
        if record.spans is not None and UNSETTLED in record.spans:
            layer = record.spans.pop(UNSETTLED)
            if overlapping:
                record.spans[OVERLAPPING] = layer
            else:
                record.entities = sorted(set(layer))
                record.spans = record.spans or None
    return splits


def _overlap(layer: Sequence[Annotation]) -> bool:
    """Whether two annotations overlap. The same one twice does not count."""
    return any(right.start < left.end for left, right in pairwise(sorted(set(layer))))

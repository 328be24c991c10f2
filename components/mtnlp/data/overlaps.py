"""Entities that overlap: `doc.ents` cannot hold them, a layer of `doc.spans` can."""

from itertools import pairwise
from pathlib import Path
from typing import Sequence

from ..errors import Errors
from ..types import Annotation
from .formats.bad_input import BadInput
from .options import Splits

# What spaCy's spancat reads by default; the other one where a corpus has such a layer already.
LAYERS = ("sc", "entities")
PARTLY = "partly judged texts, which a layer of doc.spans cannot hold, left without entities"


def separate_overlaps(splits: Splits, on_bad: BadInput) -> None:
    """Moves the entities of all Records into one layer where any of them overlap, so that none is
    lost, and warns of it: whether they do only all splits together tell. Changes the Records in
    place.
    """
    records = [record for rows in splits.values() for record in rows]
    overlapping = [record for record in records if has_overlap(record.entities or ())]
    if not overlapping:
        return
    taken = {key for record in records for key in record.spans or {}}
    key = next((key for key in LAYERS if key not in taken), LAYERS[-1])
    for record in overlapping:
        path, line = Path(record.meta.get("path", "")), record.meta.get("line")
        on_bad.warn(Errors.E182.format(key=key), path, line)
    for record in records:
        if record.entities is None:
            continue
        if record.missing:
            on_bad.note(PARTLY)
        else:
            record.spans = {**(record.spans or {}), key: record.entities}
        record.entities = record.missing = None


def has_overlap(spans: Sequence[Annotation]) -> bool:
    """Whether two different spans share a character, or a token."""
    return any(right.start < left.end for left, right in pairwise(sorted(set(spans))))

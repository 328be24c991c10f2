"""Spans as people write them in JSON, as Annotations."""

from itertools import pairwise
from typing import Any, List, Optional, Sequence, Tuple

from ...annotation.white_space import trim_characters
from ...errors import DataError, Errors
from ...types import Annotation, Trimmed

# How annotation tools name the three things. Order decides where a mapping has several.
START = ("start", "start_offset", "start_char")
END = ("end", "end_offset", "end_char")
LABEL = ("label", "type", "entity_group")


def is_spans(value: Any) -> bool:
    """Whether a value is a list with something in it, and all of that has offsets."""
    return isinstance(value, list) and bool(value) and all(_has_offsets(item) for item in value)


def parse_spans(rows: Any, text: str, field: str) -> List[Annotation]:
    """Spans with character offsets, without white space at their edges, in the order given.

    rows: a list of mappings (`start`, `end`, `label`, or the names of `START`, `END`, `LABEL`), or
        of `[start, end, label]`.
    Raises: DataError for another form (E136) and for offsets outside of the text (E122).
    """
    spans: List[Annotation] = []
    for start, end, label in _triples(rows, field):
        inside = type(start) is int and type(end) is int and 0 <= start < end <= len(text)
        span = trimmed(text, start, end, label) if inside else None
        if span is None:
            raise DataError(Errors.E122.format(offsets=(start, end), length=len(text)))
        spans.append(span)
    return spans


def trimmed(text: str, start: int, end: int, label: str) -> Optional[Annotation]:
    """The span without white space at its edges, None where there is nothing else. That there was
    some is kept, for the data doctor: the span then is a `Trimmed`."""
    edges = trim_characters(text, start, end)
    if edges[0] == edges[1]:
        return None
    kind = Annotation if edges == (start, end) else Trimmed
    return kind(*edges, label)


def parse_token_spans(rows: Any, tokens: Sequence[str], field: str) -> List[Annotation]:
    """Spans with token indices; the end is the first token behind. Forms as in `parse_spans`.

    Raises: DataError for another form (E136) and for indices outside of the tokens (E166).
    """
    spans: List[Annotation] = []
    for start, end, label in _triples(rows, field):
        if not (type(start) is int and type(end) is int and 0 <= start < end <= len(tokens)):
            raise DataError(Errors.E166.format(offsets=(start, end), length=len(tokens)))
        spans.append(Annotation(start, end, label))
    return spans


def flat(spans: Sequence[Annotation]) -> List[Annotation]:
    """The spans sorted, each once. Raises: DataError (E137) where two overlap."""
    ordered = sorted(set(spans))
    for left, right in pairwise(ordered):
        if right.start < left.end:
            raise DataError(Errors.E137.format(left=tuple(left), right=tuple(right)))
    return ordered


def _triples(rows: Any, field: str) -> List[Tuple[Any, Any, str]]:
    if not isinstance(rows, list):
        raise _wrong_form(field)
    triples = [_triple(row) for row in rows]
    checked = [item for item in triples if item and isinstance(item[2], str) and item[2]]
    if len(checked) < len(rows):
        raise _wrong_form(field)
    return checked


def _triple(row: Any) -> Optional[Tuple[Any, Any, Any]]:
    if isinstance(row, dict):
        return (_first(row, START), _first(row, END), _first(row, LABEL))
    return (row[0], row[1], row[2]) if isinstance(row, list) and len(row) == 3 else None


def _has_offsets(item: Any) -> bool:
    triple = _triple(item)
    return triple is not None and all(type(value) is int for value in triple[:2])


def _first(row: Any, names: Sequence[str]) -> Any:
    return next((row[name] for name in names if row.get(name) is not None), None)


def _wrong_form(field: str) -> DataError:
    form = 'a list of mappings with "start", "end" and "label", or of [start, end, label]'
    return DataError(Errors.E136.format(field=field, form=form))

"""JSONL with a text a line, and any of: a label, several labels, categories, spans."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

from ...errors import DataError, Errors
from ...types import Annotation, Record
from .bad_input import BadInput, read_lines
from .brat import trim
from .multinerd import parse_json


@dataclass(frozen=True)
class Fields:
    """Which fields hold what. A field that a line lacks, or that is null, is not annotated.

    text: the text.
    label: the one label of an exclusive task.
    labels: a list of labels, of a multi-label task.
    cats: a mapping from label to 0/1 or false/true.
    spans: a list of `{"start", "end", "label"}`, character offsets.
    group: what a split may not tear apart.
    task: the task's name; categories become `task/LABEL`.
    spans_key: None puts spans in `entities` (they may then not overlap), a name in
        `spans[name]`.
    """

    text: str = "text"
    label: str = "label"
    labels: str = "labels"
    cats: str = "cats"
    spans: str = "spans"
    group: str = "group"
    task: str = "category"
    spans_key: Optional[str] = None


def read_jsonl(path: Path, on_bad: BadInput, fields: Fields = Fields()) -> Iterator[Record]:
    """Reads one file, a Record a line. `cats` hold the labels a line names, with 1.0; which
    other labels its task has (0.0) only the whole corpus tells.

    Raises: DataError through `on_bad`.
    """
    try:
        lines = read_lines(path)
    except DataError as error:
        on_bad.report(error)
        return
    for number, raw in lines:
        if not raw.strip():
            continue
        try:
            row = parse_json(raw, path, number)
            record = row_to_record(row, fields)
        except DataError as error:
            on_bad.report(error if error.line else DataError(str(error), path, number))
            continue
        record.meta.update(path=str(path), line=number)
        yield record


def row_to_record(row: Any, fields: Fields) -> Record:
    """A Record from a mapping.

    Raises: DataError for a missing or empty text, labels of another form, bad offsets.
    """
    text = row.get(fields.text) if isinstance(row, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise DataError(Errors.E135.format(field=fields.text))
    record = Record(text=text, cats=_cats(row, fields))
    if isinstance(row.get(fields.label), (str, int)):
        record.meta["stratum"] = str(row[fields.label])
    if row.get(fields.group) is not None:
        record.meta["group"] = str(row[fields.group])
    if row.get(fields.spans) is not None:
        spans = _spans(row[fields.spans], text)
        if fields.spans_key is None:
            record.entities = _flat(spans)
        else:
            record.spans = {fields.spans_key: spans}
    return record


def _cats(row: Dict[str, Any], fields: Fields) -> Optional[Dict[str, float]]:
    """Categories from whichever of the three fields is there; None when none is."""
    label, labels, cats = (row.get(name) for name in (fields.label, fields.labels, fields.cats))
    if label is labels is cats is None:
        return None
    values: Dict[str, Any] = {}
    if label is not None:
        values[_name(label)] = 1.0
    if labels is not None:
        if not isinstance(labels, list):
            raise DataError(Errors.E136.format(field=fields.labels, form="a list of labels"))
        values.update((_name(item), 1.0) for item in labels)
    if cats is not None:
        if not isinstance(cats, dict) or not all(value in (0, 1) for value in cats.values()):
            form = "a mapping from label to 0 or 1"
            raise DataError(Errors.E136.format(field=fields.cats, form=form))
        values.update(cats)
    return {f"{fields.task}/{name}": float(value) for name, value in values.items()}


def _name(label: Any) -> str:
    if isinstance(label, bool) or not isinstance(label, (str, int)) or str(label).strip() == "":
        raise DataError(Errors.E136.format(field="label", form="a string or a whole number"))
    return str(label)


def _spans(rows: Any, text: str) -> List[Annotation]:
    if not isinstance(rows, list):
        raise DataError(Errors.E136.format(field="spans", form="a list of mappings"))
    spans: List[Annotation] = []
    for row in rows:
        values = [row.get(name) for name in ("start", "end", "label")] if _is_map(row) else []
        if len(values) != 3 or not isinstance(values[2], str) or not values[2]:
            form = 'mappings with "start", "end" and "label"'
            raise DataError(Errors.E136.format(field="spans", form=form))
        start, end, label = values
        if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
            raise DataError(Errors.E122.format(offsets=(start, end), length=len(text)))
        start, end = trim(text, start, end)
        if start == end:
            raise DataError(Errors.E122.format(offsets=(start, end), length=len(text)))
        spans.append(Annotation(start, end, label))
    return spans


def _is_map(row: Any) -> bool:
    return isinstance(row, dict)


def _flat(spans: List[Annotation]) -> List[Annotation]:
    ordered = sorted(set(spans))
    for left, right in pairwise(ordered):
        if right.start < left.end:
            raise DataError(Errors.E137.format(left=tuple(left), right=tuple(right)))
    return ordered

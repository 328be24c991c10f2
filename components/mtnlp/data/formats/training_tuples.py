"""spaCy's training tuples as JSON: `[text, {"entities": [[0, 5, "PER"]], "cats": {}}]`."""

from pathlib import Path
from typing import Any, Iterator, List, Mapping, Optional, Tuple

from ...errors import DataError, Errors
from ...types import Record
from ..options import ConvertOptions
from .bad_input import BadInput
from .categories import judged_cats
from .entry import Format
from .json_rows import first_values, read_rows
from .offsets import parse_spans, set_spans
from .unread import is_annotated

# Where annotators in the browser keep the tuples: `{"classes": [...], "annotations": [...]}`.
WITHIN = "annotations"
# What spaCy can read of a tuple, and a Record does not hold or has from the text.
_READ = ("entities", "spans", "cats")


def read_training_tuples(
    path: Path, on_bad: BadInput, task: str = "category", spans_key: Optional[str] = None
) -> Iterator[Record]:
    """Reads one file, a Record per tuple: an array of them, one per line, or the array
    `annotations` of a mapping.

    A label that `cats` does not name is missing; keys become `task/LABEL`. A layer of `spans` keeps
    its name. Other annotation (heads, tags, links) is counted and left out.
    Raises: DataError through `on_bad`.
    """
    is_empty, any_annotated = True, False
    for line, row in read_rows(path, on_bad, WITHIN):
        if row is None:
            on_bad.note("texts that the annotator skipped (null) left out")
            continue
        is_empty = False
        try:
            record = _to_record(row, task, spans_key, on_bad)
        except DataError as error:
            on_bad.report(DataError(str(error), path, line))
            continue
        record.meta.update(path=str(path), line=line)
        any_annotated = any_annotated or is_annotated(record)
        yield record
    if not (is_empty or any_annotated):
        on_bad.warn(Errors.E172.format(fields=", ".join(_READ)), path)


def recognise(path: Path) -> bool:
    """Whether the first values are tuples."""
    values = [value for value in first_values(path, within=WITHIN) if value is not None]
    return bool(values) and all(_as_tuple(value) is not None for value in values)


def _as_tuple(value: Any) -> Optional[Tuple[str, Mapping[str, Any]]]:
    is_pair = isinstance(value, list) and len(value) == 2
    if is_pair and isinstance(value[0], str) and isinstance(value[1], dict):
        return value[0], value[1]
    return None


def _to_record(value: Any, task: str, spans_key: Optional[str], on_bad: BadInput) -> Record:
    pair = _as_tuple(value)
    if pair is None or not pair[0].strip():
        raise DataError(Errors.E183)
    text, annotation = pair
    record = Record(text=text)
    layers = annotation.get("spans")
    if layers is not None:
        if not isinstance(layers, dict):
            form = "a mapping from the name of a layer to its spans"
            raise DataError(Errors.E136.format(field="spans", form=form))
        for key, rows in layers.items():
            set_spans(record, parse_spans(_without_ids(rows), text, "spans"), key)
    if annotation.get("entities") is not None:
        rows = _without_ids(annotation["entities"])
        set_spans(record, parse_spans(rows, text, "entities"), spans_key)
    if annotation.get("cats") is not None:
        record.cats = judged_cats(annotation["cats"], task, "cats")
    for name, values in annotation.items():
        if name not in _READ and values:
            on_bad.note(f"texts whose '{name}' is left out")
    return record


def _without_ids(rows: Any) -> Any:
    """spaCy also takes `[start, end, label, knowledge base id]`."""
    if not isinstance(rows, list):
        return rows
    short: List[Any] = [row[:3] if isinstance(row, list) and len(row) == 4 else row for row in rows]
    return short


def _read_own(path: Path, on_bad: BadInput, options: ConvertOptions) -> Iterator[Record]:
    return read_training_tuples(path, on_bad, options.task, options.spans_key)


TRAINING_TUPLES = Format("training_tuples", _read_own, options=("spans_key",), recognise=recognise)

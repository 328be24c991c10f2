"""Doccano's exports: JSONL (or JSON) of sequence labelling, of classification, and of both."""

from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple
from zlib import crc32

from ...errors import DataError, Errors
from ...types import Record
from ..options import ConvertOptions
from .bad_input import BadInput
from .categories import label_name
from .entry import Format
from .json_rows import Row, first_values, read_rows
from .offsets import is_spans, parse_spans, set_spans
from .unread import is_annotated

# The field of the text: versions before 1.6 wrote `data`.
TEXT = ("text", "data")
# The field of the labels, of whichever kind the project has; by version.
LABELS = ("label", "labels")
_COMMENTS = ("Comments", "comments")
EMPTY_NOTE = (
    "texts with an empty list of entities, taken as having none (nobody may have looked at them: "
    "Doccano does not say)"
)


def read_doccano(
    path: Path,
    on_bad: BadInput,
    text_field: str = "text",
    task: str = "category",
    spans_key: Optional[str] = None,
) -> Iterator[Record]:
    """Reads one file, a Record per row.

    Doccano writes a file for each annotator: `meta["annotator"]` is the file's name,
    `meta["document"]` the row's id together with its text. Categories become `task/LABEL`. Where
    no row has more than one, a row without any is not annotated; else none of them hold.
    Raises: DataError through `on_bad`.
    """
    rows = list(read_rows(path, on_bad))
    # A list under `label` is then always one of spans, the empty ones too.
    labels_are_spans = any(is_spans(_labels(row)) for _, row in rows)
    names = LABELS if not labels_are_spans else ()
    is_single = all(len(_categories(row, names) or ()) < 2 for _, row in rows)
    any_annotated = False
    for line, row in rows:
        try:
            record = _with_text(row, text_field)
            _add_spans(record, row, labels_are_spans, spans_key, on_bad)
            _add_cats(record, _categories(row, names), task, is_single, on_bad)
        except DataError as error:
            on_bad.report(DataError(str(error), path, line))
            continue
        on_bad.note("relations left out", _count(row, ("relations",)))
        on_bad.note("comments left out", _count(row, _COMMENTS))
        record.meta.update(path=str(path), line=line)
        if "id" in row:
            document = f"{row['id']}-{crc32((record.text or '').encode()):08x}"
            record.meta.update(annotator=path.stem, document=document)
        any_annotated = any_annotated or is_annotated(record)
        yield record
    if rows and not any_annotated:
        on_bad.warn(Errors.E172.format(fields=", ".join(_fields(rows))), path)


def recognise(path: Path) -> bool:
    """Whether the first lines have a text, and one of them what Doccano alone writes."""
    rows = first_values(path)
    has_texts = all(isinstance(row, dict) and _first(row, TEXT) is not None for row in rows)
    return has_texts and any(_is_own(row) for row in rows)


def _is_own(row: Mapping[str, Any]) -> bool:
    if "Comments" in row or "annotation_approver" in row or _is_numbered(row):
        return True
    labels, entities = _labels(row), row.get("entities")
    if is_spans(labels) and isinstance(labels[0], list):
        return True
    if not isinstance(entities, list):
        return False
    has_offsets = any(isinstance(item, dict) and "start_offset" in item for item in entities)
    return has_offsets or isinstance(row.get("cats"), list)


def _first(row: Any, names: Sequence[str]) -> Any:
    """The first of the fields that a row has and that is not null."""
    if not isinstance(row, dict):
        return None
    return next((row[name] for name in names if row.get(name) is not None), None)


def _labels(row: Any) -> Any:
    return _first(row, LABELS)


def _count(row: Mapping[str, Any], names: Sequence[str]) -> int:
    values = _first(row, names)
    return len(values) if isinstance(values, list) else 0


def _fields(rows: Sequence[Row]) -> Dict[str, None]:
    return {name: None for _, row in rows if isinstance(row, dict) for name in row}


def _with_text(row: Any, text_field: str) -> Record:
    text = _first(row, TEXT if text_field == "text" else (text_field,))
    if not isinstance(text, str) or not text.strip():
        raise DataError(Errors.E135.format(field=text_field))
    if _is_numbered(row):
        raise DataError(Errors.E181)
    return Record(text=text)


def _is_numbered(row: Mapping[str, Any]) -> bool:
    """Whether a row has the ids of labels in place of their names."""
    found = row.get("annotations")
    return isinstance(found, list) and any(
        isinstance(item, dict) and isinstance(item.get("label"), int) for item in found
    )


def _add_spans(
    record: Record,
    row: Mapping[str, Any],
    labels_are_spans: bool,
    spans_key: Optional[str],
    on_bad: BadInput,
) -> None:
    fields = ("entities", *(LABELS if labels_are_spans else ()))
    field = next((name for name in fields if row.get(name) is not None), None)
    if field is not None:
        spans = parse_spans(row[field], record.text or "", field)
        set_spans(record, spans, spans_key)
        on_bad.note(EMPTY_NOTE, not spans)


def _categories(row: Any, names: Tuple[str, ...]) -> Optional[List[Any]]:
    """The labels of a whole text. names: the fields beside `cats` that hold some."""
    value = _first(row, ("cats", *names))
    return value if value is None or isinstance(value, list) else [value]


def _add_cats(
    record: Record, values: Optional[List[Any]], task: str, is_single: bool, on_bad: BadInput
) -> None:
    if values is None:
        return
    labels = [label_name(value, "label") for value in values]
    if is_single and not labels:
        on_bad.note("texts without a category: not annotated")
        return
    record.cats = {f"{task}/{label}": 1.0 for label in labels}
    record.meta["judged"] = [task]
    if is_single:
        record.meta["stratum"] = labels[0]


def _read_own(path: Path, on_bad: BadInput, options: ConvertOptions) -> Iterator[Record]:
    return read_doccano(path, on_bad, options.text_field or "text", options.task, options.spans_key)


DOCCANO = Format("doccano", _read_own, options=("spans_key",), recognise=recognise)

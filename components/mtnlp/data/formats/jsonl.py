"""JSON lines (or one JSON array) with a text or tokens each, and any of: a label, several labels,
categories, spans, a tag per token."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import AbstractSet, Any, Dict, Iterable, Iterator, List, Mapping, Optional, Set, Tuple

from ...errors import DataError, Errors
from ...types import Annotation, Record
from ..options import ConvertOptions
from .bad_input import BadInput
from .categories import judged_cats, label_name
from .entry import Format
from .fields import LABEL, TEXT, find_fields
from .json_rows import Row, first_values, read_rows
from .offsets import is_spans, parse_spans, parse_token_spans, set_spans
from .sniff import beginning
from .tags import entities_of, missing_of, parse_tag, set_entities
from .unread import is_annotated, unread_fields

# What annotation tools call the field of spans, and that of tags. The first one there is read.
SPANS = ("spans", "entities", "annotations")
TAGS = ("tags", "ner_tags")
# What an annotator refused, in the `answer` of Prodigy.
REFUSED = ("reject", "ignore")
REFUSED_NOTE = "answers left out (rejected or ignored)"


@dataclass(frozen=True)
class Fields:
    """Which fields hold what. A field that a row lacks, or that is null, is not annotated.

    text: the text.
    tokens: the tokens; a row that has no text, or has tags, is a Record of tokens.
    label: what holds: a label, or a list of labels.
    labels: a list of labels.
    cats: a mapping from label to 0/1 or false/true; labels it does not name were not judged.
    spans: offsets with labels, a list of `{"start", "end", "label"}` or `[start, end, label]`: in
        characters, or in tokens where there is no text. None takes the first of `SPANS`; a list of
        offsets under `label` or `labels` counts too.
    tags: one IOB or BILUO tag per token, `-` for "not judged". None takes the first of `TAGS`.
    group: what a split may not tear apart.
    task: the task's name; categories become `task/LABEL`, unless they name a task themselves.
    spans_key: None puts spans in `entities`, a name in `spans[name]`.
    unnamed: which of "text" and "label" nobody named: where no row has them, what looks like them
        is taken.
    """

    text: str = "text"
    tokens: str = "tokens"
    label: str = "label"
    labels: str = "labels"
    cats: str = "cats"
    spans: Optional[str] = None
    tags: Optional[str] = None
    group: str = "group"
    task: str = "category"
    spans_key: Optional[str] = None
    unnamed: AbstractSet[str] = frozenset()


def read_jsonl(path: Path, on_bad: BadInput, fields: Fields = Fields()) -> Iterator[Record]:
    """Reads one file, a Record per row. `cats` hold the labels a row names, with 1.0; which
    other labels its task has (0.0) only the whole corpus tells.

    Rows that the annotator rejected or ignored (`answer`) are left out and counted. Fields that
    hold offsets or labels and are not read are a warning, and so is a file without annotation.
    Raises: DataError through `on_bad`.
    """
    yield from read_values(read_rows(path, on_bad), path, on_bad, fields)


def read_values(
    values: Iterable[Row], path: Path, on_bad: BadInput, fields: Fields
) -> Iterator[Record]:
    """The same for rows that were read already.

    values: mappings, each with its line or number.
    """
    rows = [Row(line, _mapping(value)) for line, value in values]
    try:
        fields = _found([row for _, row in rows if isinstance(row, dict)], fields, on_bad)
    except DataError as error:
        on_bad.report(DataError(str(error), path))
        return
    # A list under `label` is then always one of spans, the empty ones too.
    labels_are_spans = any(is_spans(_get(row, name)) for _, row in rows for name in _lists(fields))
    names: Dict[str, None] = {}
    any_annotated = False
    for line, row in rows:
        if str(_get(row, "answer")).lower() in REFUSED:
            on_bad.note(REFUSED_NOTE)
            continue
        try:
            record, read = _to_record(row, fields, labels_are_spans)
        except DataError as error:
            on_bad.report(DataError(str(error), path, line))
            continue
        for message in unread_fields(row, read, _length(_get(row, fields.tokens))).values():
            on_bad.warn(message, path, line)
        record.meta.update(path=str(path), line=line)
        names.update(dict.fromkeys(row))
        any_annotated = any_annotated or is_annotated(record)
        yield record
    if names and not any_annotated:
        on_bad.warn(Errors.E172.format(fields=", ".join(names)), path)


def _found(rows: List[Dict[str, Any]], fields: Fields, on_bad: BadInput) -> Fields:
    """The fields with those names that had to be found out, which is said.

    Raises: DataError (E188) where it is not clear which field holds the text, or which of several
        the label.
    """
    sought = set(fields.unnamed if rows else ())
    if any(_get(row, name) is not None for row in rows for name in (fields.text, fields.tokens)):
        sought.discard(TEXT)
    if any(_says_something(row, fields) for row in rows):
        sought.discard(LABEL)
    taken = find_fields(rows, {TEXT: fields.text, LABEL: fields.label}, sought)
    on_bad.say_found({f"--{what}-field": f"{what} = {name}" for what, name in taken.items()})
    names = {TEXT: fields.text, LABEL: fields.label, **taken}
    return replace(fields, text=names[TEXT], label=names[LABEL])


def _says_something(row: Mapping[str, Any], fields: Fields) -> bool:
    """Whether a row has a field that is read as annotation."""
    names = (*_lists(fields), fields.cats, "accept")
    has_field = any(row.get(name) is not None for name in names)
    return has_field or bool(_spans_field(row, fields, False) or _tags_field(row, fields))


def row_to_record(row: Any, fields: Fields) -> Record:
    """A Record from a mapping.

    Raises: DataError for a missing or empty text, labels of another form, bad offsets.
    """
    mapping = _mapping(row)
    labels_are_spans = any(is_spans(_get(mapping, name)) for name in _lists(fields))
    return _to_record(mapping, fields, labels_are_spans)[0]


def _to_record(row: Any, fields: Fields, labels_are_spans: bool) -> Tuple[Record, Set[str]]:
    """A Record, and the fields that were read or are no annotation."""
    text, tokens = _get(row, fields.text), _get(row, fields.tokens)
    read = {fields.text, fields.tokens, fields.group, "answer", "options", "meta"}
    tags_field = _tags_field(row, fields)
    has_text = isinstance(text, str) and bool(text.strip())
    if _is_words(tokens) and (tags_field or not has_text):
        record = Record(tokens=tokens)
        record.meta["spaces"] = _spaces(tokens, text)
    elif has_text:
        record = Record(text=text)
    elif isinstance(tokens, list):
        raise DataError(Errors.E136.format(field=fields.tokens, form="a list of non-empty strings"))
    else:
        raise DataError(Errors.E135.format(field=fields.text))
    if row.get(fields.group) not in (None, ""):
        record.meta["group"] = str(row[fields.group])

    spans_field = _spans_field(row, fields, labels_are_spans)
    if record.tokens is not None and tags_field is not None:
        read.add(tags_field)
        _add_tags(record, row[tags_field], tags_field, fields.spans_key)
    elif spans_field is not None:
        read.add(spans_field)
        _add_spans(record, row[spans_field], spans_field, fields.spans_key)
    read |= _add_cats(record, row, fields, {spans_field} if labels_are_spans else set())
    return record, read


def _mapping(row: Any) -> Any:
    """A row as a mapping: `["text", {...}]` is how spaCy's examples once were written."""
    is_pair = isinstance(row, list) and len(row) == 2 and isinstance(row[1], dict)
    return {"text": row[0], **row[1]} if is_pair else row


def _get(row: Any, name: str) -> Any:
    return row.get(name) if isinstance(row, dict) else None


def _lists(fields: Fields) -> Tuple[str, str]:
    return (fields.label, fields.labels)


def _is_words(value: Any) -> bool:
    is_list = isinstance(value, list) and bool(value)
    return is_list and all(isinstance(item, str) and item for item in value)


def _length(tokens: Any) -> int:
    return len(tokens) if isinstance(tokens, list) else 0


def _tags_field(row: Any, fields: Fields) -> Optional[str]:
    """The field of a tag per token; one that was not asked for must look like it."""
    if fields.tags is not None:
        return fields.tags if _get(row, fields.tags) is not None else None
    tokens = _get(row, fields.tokens)
    return next((name for name in TAGS if _is_words(tokens) and _is_words(_get(row, name))), None)


def _spans_field(row: Any, fields: Fields, labels_are_spans: bool) -> Optional[str]:
    names = SPANS if fields.spans is None else (fields.spans,)
    if labels_are_spans:
        names = (*names, *(name for name in _lists(fields) if isinstance(_get(row, name), list)))
    return next((name for name in names if _get(row, name) is not None), None)


def _spaces(tokens: List[str], text: Any) -> Optional[List[bool]]:
    """Whether a space follows each token in the text; None where they do not give the text."""
    if not isinstance(text, str):
        return None
    spaces: List[bool] = []
    at = 0
    for token in tokens:
        if not text.startswith(token, at):
            return None
        at += len(token)
        spaces.append(text.startswith(" ", at))
        at += spaces[-1]
    return spaces if at == len(text) else None


def _add_tags(record: Record, tags: Any, field: str, spans_key: Optional[str]) -> None:
    tokens = record.tokens or []
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        form = "a list of tags as text, one per token, such as B-PER, I-PER or O"
        raise DataError(Errors.E136.format(field=field, form=form))
    if len(tags) != len(tokens):
        raise DataError(Errors.E131.format(tokens=len(tokens), tags=len(tags)))
    parsed = [parse_tag(tag.strip(), own_data=True) for tag in tags]
    set_entities(record, entities_of(parsed), missing_of(parsed), spans_key)


def _add_spans(record: Record, rows: Any, field: str, spans_key: Optional[str]) -> None:
    spans: List[Annotation]
    if record.tokens is not None:
        spans = parse_token_spans(rows, record.tokens, field)
    else:
        spans = parse_spans(rows, record.text or "", field)
    set_spans(record, spans, spans_key)


def _add_cats(
    record: Record, row: Mapping[str, Any], fields: Fields, spans_fields: Set[Optional[str]]
) -> Set[str]:
    """Writes the categories from whichever fields hold some. Returns: those fields."""
    read: Set[str] = set()
    cats: Dict[str, float] = {}
    for name in dict.fromkeys(_lists(fields)):
        value = row.get(name)
        if value is None or name in spans_fields:
            continue
        read.add(name)
        if name == fields.labels and not isinstance(value, list):
            raise DataError(Errors.E136.format(field=name, form="a list of labels"))
        if isinstance(value, dict):
            cats.update(judged_cats(value, fields.task, name))
            continue
        labels = [
            label_name(item, name) for item in (value if isinstance(value, list) else [value])
        ]
        cats.update({f"{fields.task}/{label}": 1.0 for label in labels})
        record.meta["judged"] = [fields.task]
        if name == fields.label and not isinstance(value, list):
            record.meta["stratum"] = labels[0]
    if row.get(fields.cats) is not None:
        read.add(fields.cats)
        cats.update(judged_cats(row[fields.cats], fields.task, fields.cats))
    # Prodigy's choices: `accept` names the options that hold.
    if not read and isinstance(row.get("accept"), list) and row.get("options"):
        read.add("accept")
        labels = [label_name(item, "accept") for item in row["accept"]]
        cats.update({f"{fields.task}/{label}": 1.0 for label in labels})
        record.meta["judged"] = [fields.task]
    if read:
        record.cats = cats
    return read


def fields_of(options: ConvertOptions) -> Fields:
    """The fields that the options of a conversion name."""
    return Fields(
        text=options.text_field or TEXT,
        label=options.label_field or LABEL,
        spans=options.spans_field,
        tags=options.tags_field,
        group=options.group_field or "group",
        task=options.task,
        spans_key=options.spans_key,
        unnamed={
            what
            for what, name in ((TEXT, options.text_field), (LABEL, options.label_field))
            if name is None
        },
    )


def _read_own(path: Path, on_bad: BadInput, options: ConvertOptions) -> Iterator[Record]:
    return read_jsonl(path, on_bad, fields_of(options))


def is_jsonl(path: Path) -> bool:
    """Whether a file holds JSON objects, one per line or in one array. What their fields are
    called, options can say."""
    lines = (line.lstrip() for line in beginning(path).split("\n"))
    first = next((line for line in lines if line and not line.startswith(("#", "//"))), "")
    values = first_values(path) if first.startswith(("{", "[")) else []
    return bool(values) and all(isinstance(_mapping(value), dict) for value in values)


JSONL = Format(
    "jsonl",
    _read_own,
    options=("spans_field", "tags_field", "group_field", "spans_key"),
    recognise=is_jsonl,
)

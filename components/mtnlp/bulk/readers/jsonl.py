"""JSONL: one record per line."""

import json
from itertools import islice
from typing import Any, Dict, Iterator, List, Tuple

from ...data.formats.bad_input import UTF8_BOM
from ...errors import DataError, Errors
from ..entries import Entry, Fields, File, fault, to_entry
from .kind import MARK_EVERY, START, Kind, Mark, Tally
from .text_field import find_text_field

# How many lines tell which fields there are.
_LOOKED_AT = 1000


def _check(file: File, fields: Fields) -> List[str]:
    with file.path.open("rb") as stream:
        first = next((line for line in map(bytes.strip, stream) if line), b"")
    if first.removeprefix(UTF8_BOM).startswith(b"["):
        raise DataError(Errors.E607, file.path)
    names = _names(file)
    _text_field(file, names, fields)
    # Rows may lack a field, so that one may come later.
    unseen = ", ".join(name for name in fields.carried if name not in names)
    return [f"{file.path}: {Errors.W201.format(names=unseen, lines=_LOOKED_AT)}"] if unseen else []


def _names(file: File) -> List[str]:
    """The fields of the first records; what is malformed has none."""
    names: Dict[str, None] = {}
    for _, raw in islice(_lines(file), _LOOKED_AT):
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            names.update(dict.fromkeys(value))
    return list(names)


def _text_field(file: File, names: List[str], fields: Fields) -> str:
    required = [name for name in (fields.text, fields.id) if name is not None]
    return find_text_field(names, fields, file.path, required)


def _lines(file: File, begin: Mark = START) -> Iterator[Tuple[int, bytes]]:
    """The lines that are not blank, with their numbers. Only `\\n` ends a line."""
    with file.path.open("rb") as stream:
        stream.seek(begin.byte)
        for number, raw in enumerate(stream, start=begin.line):
            if number == 1:
                raw = raw.removeprefix(UTF8_BOM)
            if raw.strip():
                yield number, raw


def _count(file: File, fields: Fields) -> Tally:
    count = 0
    marks: List[Mark] = []
    with file.path.open("rb") as stream:
        for number, raw in enumerate(stream, start=1):
            if not raw.strip() or (number == 1 and not raw.removeprefix(UTF8_BOM).strip()):
                continue
            if count % MARK_EVERY == 0:
                marks.append(Mark(count, number, stream.tell() - len(raw)))
            count += 1
    return Tally(count, marks)


def _read(file: File, fields: Fields, start: int, near: Mark) -> Iterator[Entry]:
    text_field: Any = None
    for index, (line, raw) in enumerate(_lines(file, near), start=near.record):
        if index < start:
            continue
        try:
            text_field = text_field or _text_field(file, _names(file), fields)
            value = json.loads(raw.decode("utf8").rstrip("\r\n"))
        except json.JSONDecodeError as error:
            yield fault(file, line, f"it is not valid JSON, {error.msg} at column {error.colno}")
        except UnicodeDecodeError as error:
            yield fault(file, line, f"byte 0x{raw[error.start]:02x} is not valid UTF-8")
        except RecursionError as error:
            yield fault(file, line, f"it is not valid JSON, {error}")
        except DataError as error:
            yield fault(file, line, error)
        else:
            yield to_entry(file, line, value, text_field, fields)


JSONL = Kind("jsonl", (".jsonl", ".ndjson", ".json"), _check, _count, _read)

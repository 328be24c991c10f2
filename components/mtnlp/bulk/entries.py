"""What readers hand out: documents to annotate, and records that are none."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple, Union

from ..errors import Errors

# What `surrogateescape` makes of a byte that is no UTF-8: this and the byte's value.
_ESCAPED = 0xDC00


class Document(NamedTuple):
    """A document of the input.

    id: by which the output names it. place: `file:line`. words: its tokens, where the input has
        tokens and does not know the spaces between them; then they are not tokenised anew.
    carried: the fields that the output keeps, by name.
    """

    id: str
    place: str
    text: str
    words: Optional[List[str]] = None
    carried: Mapping[str, Any] = {}


class Fault(NamedTuple):
    """A record that could not be annotated. id: None where it is not known. place: `file:line`."""

    id: Optional[str]
    place: str
    error: str


Entry = Union[Document, Fault]


class File(NamedTuple):
    """A file of the input. name: its path below the input, with `/`."""

    path: Path
    name: str


@dataclass(frozen=True)
class Fields:
    """Which fields of a record are read.

    text: None takes the field `text`, or the one that is called like a text.
    id: None makes the id of the file's name and the line.
    carried: fields that the output keeps.
    delimiter: of CSV files; None finds it.
    """

    text: Optional[str] = None
    id: Optional[str] = None
    carried: Tuple[str, ...] = ()
    delimiter: Optional[str] = None

    @property
    def named(self) -> List[str]:
        """The fields that somebody named."""
        given = (self.text, self.id, *self.carried)
        return list(dict.fromkeys(name for name in given if name is not None))


def fault(file: File, line: int, reason: object, id: Optional[str] = None) -> Fault:
    """A malformed record. line: 1-based."""
    place = f"{file.path}:{line}"
    return Fault(id or f"{file.name}:{line}", place, Errors.E610.format(reason=reason))


def to_entry(file: File, line: int, row: Any, text_field: str, fields: Fields) -> Entry:
    """A record as a document, or as a fault that says what is wrong with it.

    row: a mapping from fields to values. line: where it begins, 1-based.
    """
    if not isinstance(row, Mapping):
        return fault(file, line, "it is no mapping of fields to values")
    id = f"{file.name}:{line}"
    if fields.id is not None:
        value = row.get(fields.id)
        if value is None or value == "":
            return fault(file, line, f"the field '{fields.id}' has no id")
        id = value if isinstance(value, str) else dump(value)
    text = row.get(text_field)
    if not isinstance(text, str):
        found = "is missing" if text is None else f"holds no text but {type(text).__name__}"
        return fault(file, line, f"the field '{text_field}' {found}", _shown(id))
    carried: Dict[str, Any] = {name: row.get(name) for name in fields.carried}
    for value in (text, id, *carried.values()):
        reason = _broken_character(value if isinstance(value, str) else dump(value))
        if reason:
            return fault(file, line, reason, _shown(id))
    return Document(id, f"{file.path}:{line}", text, None, carried)


def dump(value: Any) -> str:
    """A value that is no text, as JSON; what JSON does not know, such as a date, as text."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _shown(id: str) -> str:
    return id.encode("utf8", errors="backslashreplace").decode("utf8")


def _broken_character(text: str) -> Optional[str]:
    """What is wrong with a text that no file of UTF-8 can hold; None where nothing is."""
    try:
        text.encode("utf8")
    except UnicodeEncodeError as error:
        code = ord(text[error.start])
        if _ESCAPED + 0x80 <= code <= _ESCAPED + 0xFF:
            return f"byte 0x{code - _ESCAPED:02x} is not valid UTF-8"
        return f"it has half a character (\\u{code:04x})"
    return None

"""JSON in: one value per line (JSONL), or one array with all of them."""

import json
from pathlib import Path
from typing import Any, Iterator, NamedTuple, Sequence

from ...errors import DataError, Errors
from .bad_input import BadInput, Line, decode, read_lines

_COMMENTS = (b"#", b"//")
_BLANKS = " \t\r\n"


class Row(NamedTuple):
    """A value and the line it begins on."""

    line: int
    value: Any


def read_rows(path: Path, on_bad: BadInput) -> Iterator[Row]:
    """The values of a file: one per line, or the elements of one array. Blank lines and, between
    values, lines that begin with `#` or `//` are skipped, the latter counted.

    Raises: DataError through `on_bad`.
    """
    try:
        lines = read_lines(path)
    except DataError as error:
        on_bad.report(error)
        return
    comments = [line.raw.lstrip().startswith(_COMMENTS) for line in lines]
    on_bad.note("comment lines ignored", sum(comments))
    lines = [
        line._replace(raw=b"") if comment else line
        for line, comment in zip(lines, comments, strict=True)
    ]
    if _is_array(lines):
        yield from _elements(lines, path, on_bad)
        return
    for number, raw in lines:
        if raw.strip():
            try:
                value = parse_json(raw, path, number)
            except DataError as error:
                on_bad.report(error)
                continue
            yield Row(number, value)


def parse_json(raw: bytes, path: Path, number: int) -> Any:
    """A line of JSONL.

    Raises: DataError when it is no UTF-8 (E102), no JSON (E133) or has half a character (E163).
    """
    try:
        value = json.loads(decode(raw, path, number))
    except json.JSONDecodeError as error:
        # The decoder takes the line for a file: its own line number would always be 1.
        reason = f"{error.msg} at column {error.colno}"
        raise DataError(Errors.E133.format(reason=reason), path, number) from None
    except RecursionError as error:
        raise DataError(Errors.E133.format(reason=error), path, number) from None
    _check_characters(value, path, number)
    return value


def _check_characters(value: Any, path: Path, number: int) -> None:
    """JSON can write half of a character beyond U+FFFF (`\\ud83d`); no text file can hold it."""
    try:
        text = json.dumps(value, ensure_ascii=False)
        text.encode("utf8")
    except UnicodeEncodeError as error:
        half = f"\\u{ord(text[error.start]):04x}"
        around = text[max(error.start - 20, 0) : error.start]
        raise DataError(Errors.E163.format(half=half, around=around), path, number) from None


def _is_array(lines: Sequence[Line]) -> bool:
    """Whether a file is one array of rows, and not one value per line.

    A line may be an array too, `["text", {...}]`: then its first element is no row.
    """
    first = next((line.raw for line in lines if line.raw.strip()), b"")
    if not first.lstrip().startswith(b"["):
        return False
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return True  # the array goes on in the next line
    return not value or isinstance(value[0], (dict, list))


def _elements(lines: Sequence[Line], path: Path, on_bad: BadInput) -> Iterator[Row]:
    """The elements of an array one by one, so that each has its line. What follows a syntax error
    cannot be read."""
    decoder = json.JSONDecoder()
    line, counted, is_first = lines[0].number, 0, True
    try:
        text = "\n".join(decode(raw, path, number) for number, raw in lines)
        at = text.index("[") + 1
        while not _is_end(text, at := _skip(text, at)):
            at = at if is_first else _behind_comma(text, at)
            line, counted, is_first = line + text.count("\n", counted, at), at, False
            value, at = decoder.raw_decode(text, at)
            try:
                _check_characters(value, path, line)
            except DataError as error:
                on_bad.report(error)
                continue
            yield Row(line, value)
    except json.JSONDecodeError as error:
        where = lines[0].number + text.count("\n", 0, error.pos)
        on_bad.report(DataError(Errors.E133.format(reason=error.msg), path, where))
    except RecursionError as error:
        on_bad.report(DataError(Errors.E133.format(reason=error), path, line))
    except DataError as error:
        on_bad.report(error)


def _is_end(text: str, at: int) -> bool:
    """Whether the array ends here. Raises: JSONDecodeError where something follows it."""
    if text[at : at + 1] != "]":
        return False
    rest = _skip(text, at + 1)
    if rest < len(text):
        raise json.JSONDecodeError("More behind the end of the array", text, rest)
    return True


def _behind_comma(text: str, at: int) -> int:
    if text[at : at + 1] != ",":
        raise json.JSONDecodeError("Expected ',' or ']' behind an element", text, at)
    return _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    """Behind the white space at `at`."""
    while at < len(text) and text[at] in _BLANKS:
        at += 1
    return at

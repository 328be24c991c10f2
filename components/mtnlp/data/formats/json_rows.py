"""JSON in: one value per line (JSONL), or one array with all of them."""

import json
import re
from itertools import islice
from pathlib import Path
from typing import Any, Iterator, List, NamedTuple, Optional, Sequence

from ...errors import DataError, Errors
from .bad_input import UTF8_BOM, BadInput, Line, decode, read_lines, split_lines

_COMMENTS = (b"#", b"//")
_BLANKS = " \t\r\n"
# How much of a file tells what it is, in bytes.
_HEAD = 1_000_000


class Row(NamedTuple):
    """A value and the line it begins on."""

    line: int
    value: Any


def read_rows(path: Path, on_bad: BadInput, within: Optional[str] = None) -> Iterator[Row]:
    """The values of a file: one per line, or the elements of one array. Blank lines and, between
    values, lines that begin with `#` or `//` are skipped, the latter counted.

    within: where the file is a mapping, the key of the array to read.
    Raises: DataError through `on_bad`.
    """
    try:
        lines = read_lines(path)
    except DataError as error:
        on_bad.report(error)
        return
    yield from _values(lines, path, on_bad, within)


def first_values(path: Path, count: int = 20, within: Optional[str] = None) -> List[Any]:
    """The first values of a file, to tell what it is. Never raises: what is no JSON has none.

    within: as in `read_rows`.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError:
        return []
    if b"\0" in head:  # no text
        return []
    # The head may end within a character.
    text = head.removeprefix(UTF8_BOM).decode("utf8", errors="ignore")
    lines = split_lines(text.encode("utf8"))
    if _first(lines)[:1] not in (b"{", b"["):
        lines = lines[: 5 * count]  # a faulty first line; or no JSON, which takes long to find out
    rows = _values(lines, path, BadInput(skip=True), within)
    return [row.value for row in islice(rows, count)]


def _values(
    lines: Sequence[Line], path: Path, on_bad: BadInput, within: Optional[str]
) -> Iterator[Row]:
    comments = [line.raw.lstrip().startswith(_COMMENTS) for line in lines]
    on_bad.note("comment lines ignored", sum(comments))
    lines = [
        line._replace(raw=b"") if comment else line
        for line, comment in zip(lines, comments, strict=True)
    ]
    if within is not None and _first(lines).startswith(b"{"):
        yield from _elements(lines, path, on_bad, rf'"{within}"\s*:\s*\[', is_whole=False)
        return
    if _is_array(lines):
        yield from _elements(lines, path, on_bad, r"\[", is_whole=True)
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
    first = _first(lines)
    if not first.startswith(b"["):
        return False
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return True  # the array goes on in the next line
    return not value or isinstance(value[0], (dict, list))


def _first(lines: Sequence[Line]) -> bytes:
    """The first line that is not blank."""
    return next((line.raw.lstrip() for line in lines if line.raw.strip()), b"")


def _elements(
    lines: Sequence[Line], path: Path, on_bad: BadInput, opening: str, *, is_whole: bool
) -> Iterator[Row]:
    """The elements of an array one by one, so that each has its line. What follows a syntax error
    cannot be read.

    opening: what the array begins with, as a regular expression.
    is_whole: whether nothing may follow the array.
    """
    decoder = json.JSONDecoder()
    line, counted, is_first = lines[0].number, 0, True
    try:
        text = "\n".join(decode(raw, path, number) for number, raw in lines)
        begin = re.search(opening, text)
        if begin is None:
            raise json.JSONDecodeError("No array where one is expected", text, 0)
        at = begin.end()
        while not _is_end(text, at := _skip(text, at), is_whole=is_whole):
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


def _is_end(text: str, at: int, *, is_whole: bool) -> bool:
    """Whether the array ends here. Raises: JSONDecodeError where something follows it and must
    not."""
    if text[at : at + 1] != "]":
        return False
    rest = _skip(text, at + 1)
    if is_whole and rest < len(text):
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

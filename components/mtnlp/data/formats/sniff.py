"""The beginning of a file, for recognising its format. Nothing here raises."""

import json
from pathlib import Path
from typing import Any, Iterable, List

from .bad_input import UTF8_BOM

# How much of a file is looked at, in bytes, and how many of its values.
SIZE = 1 << 20
VALUES = 50
_MOST = 0.75


def beginning(path: Path) -> str:
    """The beginning of a text, what is no UTF-8 replaced; "" for a folder and for what has NULs."""
    try:
        with path.open("rb") as stream:
            data = stream.read(SIZE)
    except OSError:
        return ""
    return "" if b"\0" in data else data.removeprefix(UTF8_BOM).decode("utf8", errors="replace")


def mostly(flags: Iterable[bool]) -> bool:
    """Whether something holds of nearly all: a faulty line must not hide what a file is, since its
    reader can say where the fault lies."""
    held = list(flags)
    return bool(held) and sum(held) >= _MOST * len(held)


def first_lines(path: Path) -> List[str]:
    """The lines of the beginning that are whole, without their line ends."""
    text = beginning(path)
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    is_cut = text and path.stat().st_size > SIZE
    return lines[:-1] if is_cut else lines


def first_values(path: Path) -> List[Any]:
    """The first JSON values of a file that has one per line, or the first elements of its array;
    none where it is something else."""
    lines = [line.strip() for line in first_lines(path)]
    lines = [line for line in lines if line and not line.startswith(("#", "//"))][:VALUES]
    parsed = [_parsed(line) for line in lines]
    is_array = len(parsed) == 1 and isinstance(parsed[0], list)
    if mostly(value is not None for value in parsed) and not is_array:
        return [value for value in parsed if value is not None]
    return _first_elements(beginning(path).lstrip())


def _parsed(line: str) -> Any:
    """A list or an object of JSON, or None."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, (list, dict)) else None


def _first_elements(text: str) -> List[Any]:
    """The elements of an array that is perhaps cut off."""
    decoder, at = json.JSONDecoder(), 1
    values: List[Any] = []
    if not text.startswith("["):
        return []
    while len(values) < VALUES:
        at += len(text[at:]) - len(text[at:].lstrip(" \t\r\n,"))
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        values.append(value)
    return values

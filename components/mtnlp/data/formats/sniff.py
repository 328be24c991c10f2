"""The beginning of a file, for recognising its format. Nothing here raises."""

from pathlib import Path
from typing import Iterable, List

from .bad_input import UTF8_BOM

# How much of a file is looked at, in bytes.
SIZE = 1 << 18
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

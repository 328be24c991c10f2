"""Names of numbered labels."""

from pathlib import Path
from typing import List, Sequence

from ...errors import DataError, Errors
from .bad_input import decode, read_lines


def read_label_names(path: Path) -> List[str]:
    """The names in a file, one per line: the first line is that of id 0. Blank lines may stand
    at the end alone.

    Raises: DataError (E100, E101, E102, E153) with the file and line.
    """
    lines = [(line, decode(raw, path, line).strip()) for line, raw in read_lines(path)]
    while lines and not lines[-1][1]:
        lines.pop()
    if not lines:
        raise DataError(Errors.E101, path)
    seen = set()
    for line, name in lines:
        if not name or name in seen:
            what = "there already" if name else "blank"
            raise DataError(Errors.E153.format(what=what), path, line)
        seen.add(name)
    return [name for _, name in lines]


def name_of(identifier: str, names: Sequence[str]) -> str:
    """The name of a label's id. Raises: DataError (E152) for what is none."""
    if not (identifier.isdecimal() and int(identifier) < len(names)):
        raise DataError(Errors.E152.format(found=identifier, last=len(names) - 1))
    return names[int(identifier)]

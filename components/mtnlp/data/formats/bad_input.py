"""The policy for malformed input, and the low-level reading every format shares."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator, List, NamedTuple, Optional, Sequence

from ...errors import DataError, Errors

UTF8_BOM = b"\xef\xbb\xbf"


@dataclass
class BadInput:
    """What happens to a malformed unit: strict raises, lenient leaves it out and counts it.

    skip: leave malformed units out instead of raising.
    errors: one entry for each unit left out.
    notes: oddities that are tolerated and counted in either mode, by name.
    """

    skip: bool = False
    errors: List[DataError] = field(default_factory=list)
    notes: Counter = field(default_factory=Counter)

    def report(self, error: DataError) -> None:
        """Takes note of a malformed unit.

        Raises: the error itself, unless `skip`.
        """
        if not self.skip:
            raise error
        self.errors.append(error)

    def note(self, what: str, count: int = 1) -> None:
        """Counts a tolerated oddity."""
        if count:
            self.notes[what] += count


class Line(NamedTuple):
    """A line as bytes (without its line end) and its 1-based number."""

    number: int
    raw: bytes


def read_bytes(path: Path) -> bytes:
    """The content of a file without a byte order mark.

    Raises: DataError when it is missing, unreadable or empty.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(Errors.E100.format(reason=error.strerror or error), path) from None
    if not data.strip():
        raise DataError(Errors.E101, path)
    return data.removeprefix(UTF8_BOM)


def read_lines(path: Path) -> List[Line]:
    """The lines of a file. `\\n` and `\\r\\n` end a line; nothing else does, so that a form feed
    or U+2028 within a text stays where it is. Still bytes: a line that is no UTF-8 then spoils
    only its own unit.

    Raises: DataError when the file is missing, unreadable or empty.
    """
    raws = read_bytes(path).split(b"\n")
    return [Line(number, raw.removesuffix(b"\r")) for number, raw in enumerate(raws, start=1)]


def blocks(lines: Sequence[Line]) -> Iterator[List[Line]]:
    """The runs of lines between blank lines."""
    block: List[Line] = []
    for line in lines:
        if line.raw.strip():
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block


def decode(raw: bytes, path: Path, line: Optional[int] = None) -> str:
    """UTF-8 bytes as text.

    line: the number of the line the bytes are; when None, the bytes are a whole file and the
        number is found.
    Raises: DataError naming file and line when they are not UTF-8.
    """
    try:
        return raw.decode("utf8")
    except UnicodeDecodeError as error:
        if line is None:
            line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(Errors.E102.format(byte=raw[error.start]), path, line) from None

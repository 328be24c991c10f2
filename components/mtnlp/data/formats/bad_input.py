"""The policy for malformed input, and the low-level reading every format shares."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence

from ...errors import DataError, Errors

UTF8_BOM = b"\xef\xbb\xbf"


@dataclass
class Warned:
    """Where a warning applied first, as `path` or `path:line`, and on how many lines it did."""

    where: str
    lines: int = 0


@dataclass
class BadInput:
    """What happens to a malformed unit: strict raises, lenient leaves it out and counts it.

    skip: leave malformed units out instead of raising.
    errors: one entry for each unit left out.
    notes: oddities that are tolerated and counted in either mode, by name.
    warnings: what is probably not meant so, by message: where it applies first, on how many lines.
    found: what nobody said and was found out, and how to say otherwise, a line for each file that
        differs.
    """

    skip: bool = False
    errors: List[DataError] = field(default_factory=list)
    notes: Counter = field(default_factory=Counter)
    warnings: Dict[str, Warned] = field(default_factory=dict)
    found: List[str] = field(default_factory=list)

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

    def warn(self, message: str, path: Path, line: Optional[int] = None) -> None:
        """Takes note of what is probably a mistake; the same message is kept once and counted."""
        where = f"{path}" if line is None else f"{path}:{line}"
        self.warnings.setdefault(message, Warned(where)).lines += line is not None

    def say_found(self, found: Mapping[str, str]) -> None:
        """Takes note of what nobody said and was found out, by the option that says it."""
        line = f"Found: {', '.join(found.values())}. To say otherwise: {', '.join(found)}"
        if found and line not in self.found:
            self.found.append(line)

    def warning_lines(self) -> List[str]:
        """The warnings as text: where, what, and the number of lines where there are several."""
        return [
            f"{warned.where}: {message}"
            + (f" ({warned.lines:,} lines)" if warned.lines > 1 else "")
            for message, warned in self.warnings.items()
        ]


class Line(NamedTuple):
    """A line as bytes (without its line end) and its 1-based number."""

    number: int
    raw: bytes


def read_bytes(path: Path, *, may_be_empty: bool = False) -> bytes:
    """The content of a file without a byte order mark.

    may_be_empty: whether a file without content says something, and is no broken one.
    Raises: DataError when it is missing, unreadable or empty.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(Errors.E100.format(reason=error.strerror or error), path) from None
    if not data.strip() and not may_be_empty:
        raise DataError(Errors.E101, path)
    return data.removeprefix(UTF8_BOM)


def read_lines(path: Path, *, may_be_empty: bool = False) -> List[Line]:
    """The lines of a file. `\\n` and `\\r\\n` end a line; nothing else does, so that a form feed
    or U+2028 within a text stays where it is. Still bytes: a line that is no UTF-8 then spoils
    only its own unit.

    Raises: DataError when the file is missing, unreadable or empty.
    """
    return split_lines(read_bytes(path, may_be_empty=may_be_empty))


def split_lines(data: bytes) -> List[Line]:
    """The lines of a file's content, as `read_lines` has them."""
    raws = data.split(b"\n")
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

"""What every kind of input file has."""

from dataclasses import dataclass
from typing import Callable, Iterator, List, NamedTuple, Sequence, Tuple

from ..entries import Entry, Fields, File

# Records between two marks of a file.
MARK_EVERY = 5000


class Mark(NamedTuple):
    """Where a record of a file begins. record: its index, from 0. line: from 1. byte: from 0."""

    record: int = 0
    line: int = 1
    byte: int = 0


START = Mark()


class Tally(NamedTuple):
    """records: how many a file has, malformed ones included. marks: of every `MARK_EVERY`th
    record from the first on, so that a reader need not begin with the file; none where it reads
    from any record on without them."""

    records: int
    marks: Sequence[Mark] = ()

    def near(self, index: int) -> Mark:
        """The last mark that is not behind a record."""
        return self.marks[index // MARK_EVERY] if self.marks else START


@dataclass(frozen=True)
class Kind:
    """A kind of input file.

    name: what the command line calls it.
    suffixes: of its files, in lower case.
    check: raises MtnlpError where a file lacks the fields, or the kind has no such fields. Returns:
        warnings.
    count: how many records a file has, and where some of them begin.
    read: these records from the one with the given index on, one by one; the mark is one that
        `count` noted at or before it, or START. A record that is malformed is a Fault in its place,
        so that the indices of the others stay what they are.
        Raises: OSError where the file cannot be opened; a file whose content is broken is no error.
    """

    name: str
    suffixes: Tuple[str, ...]
    check: Callable[[File, Fields], List[str]]
    count: Callable[[File, Fields], Tally]
    read: Callable[[File, Fields, int, Mark], Iterator[Entry]]

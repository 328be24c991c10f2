"""What every kind of input file has."""

from dataclasses import dataclass
from typing import Callable, Iterator, List, Tuple

from ..entries import Entry, Fields, File


@dataclass(frozen=True)
class Kind:
    """A kind of input file.

    name: what the command line calls it.
    suffixes: of its files, in lower case.
    check: raises MtnlpError where a file lacks the fields, or the kind has no such fields. Returns:
        warnings.
    count: how many records a file has, malformed ones included.
    read: these records from the one with the given index on, one by one. A record that is
        malformed is a Fault in its place, so that the indices of the others stay what they are.
        Raises: OSError where the file cannot be opened; a file whose content is broken is no error.
    """

    name: str
    suffixes: Tuple[str, ...]
    check: Callable[[File, Fields], List[str]]
    count: Callable[[File, Fields], int]
    read: Callable[[File, Fields, int], Iterator[Entry]]

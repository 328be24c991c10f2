"""The records of one shard, as places of files: small enough to send, and read where they are
needed, from the first of them on."""

from dataclasses import dataclass
from itertools import islice
from typing import Iterator, NamedTuple, Tuple

from .entries import Entry, Fields, File
from .readers.kind import Kind, Mark


class Slice(NamedTuple):
    """Records of a file that stand together. start: the index of the first one. length: how many.
    near: a mark at or before it."""

    file: File
    start: int
    length: int
    near: Mark

    def read(self, kind: Kind, fields: Fields) -> Iterator[Entry]:
        """The records, one by one."""
        return islice(kind.read(self.file, fields, self.start, self.near), self.length)


@dataclass(frozen=True)
class Part:
    """number: of the shard. kind: of all its files. slices: in the order of the input."""

    number: int
    kind: Kind
    fields: Fields
    slices: Tuple[Slice, ...]

    def read(self) -> Iterator[Entry]:
        """The records, one by one. Raises: OSError for a file that cannot be opened."""
        for piece in self.slices:
            yield from piece.read(self.kind, self.fields)

    def first_place(self) -> str:
        """Where its first record stands."""
        return next((entry.place for entry in self.read()), "")

    def absolute(self) -> "Part":
        """The same with absolute paths, for processes that work in another folder."""
        pieces = (
            piece._replace(file=piece.file._replace(path=piece.file.path.absolute()))
            for piece in self.slices
        )
        return Part(self.number, self.kind, self.fields, tuple(pieces))

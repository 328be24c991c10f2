"""The documents of a file or folder, in order, from any one on."""

import hashlib
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

from ..data.formats.csvfile import is_csv
from ..data.formats.spacy_docbin import is_docbin
from ..errors import DataError, Errors
from .entries import Entry, Fields, File
from .part import Part, Slice
from .readers.docbin import DOCBIN
from .readers.jsonl import JSONL
from .readers.kind import Kind, Tally
from .readers.parquet import PARQUET
from .readers.table import TABLE
from .readers.text import TEXT_FILE

KINDS: Dict[str, Kind] = {kind.name: kind for kind in (JSONL, TABLE, PARQUET, DOCBIN, TEXT_FILE)}
_PARQUET_BEGIN = b"PAR1"


@dataclass
class Source:
    """Files of one kind, in order.

    left_out: other files of the folder, by the end of their names.
    warnings: of the first file.
    """

    path: Path
    kind: Kind
    files: List[File]
    fields: Fields
    left_out: Counter = field(default_factory=Counter)
    warnings: List[str] = field(default_factory=list)

    @cached_property
    def tallies(self) -> List[Tally]:
        """How many records each file has, and where some begin. Reads the files once."""
        return [self.kind.count(file, self.fields) for file in self.files]

    @cached_property
    def ends(self) -> List[int]:
        """The index behind the last record of each file."""
        return list(accumulate(tally.records for tally in self.tallies))

    @property
    def counts(self) -> List[int]:
        """How many records each file has, malformed ones included."""
        return [tally.records for tally in self.tallies]

    def read(self, start: int = 0) -> Iterator[Entry]:
        """The records from the one with this index on, one by one: documents, and faults in the
        places of those that are malformed. Raises: OSError for a file that cannot be opened."""
        for piece in self.slices(start, self.ends[-1]):
            yield from piece.read(self.kind, self.fields)

    def part(self, number: int, size: int) -> Part:
        """The records of a shard, to be read anywhere. size: records per shard."""
        first = number * size
        pieces = tuple(self.slices(first, min(first + size, self.ends[-1])))
        return Part(number, self.kind, self.fields, pieces)

    def slices(self, start: int, stop: int) -> Iterator[Slice]:
        """Where the records with the indices from `start` to `stop` are."""
        for index in range(bisect_right(self.ends, start), len(self.files)):
            first = self.ends[index] - self.tallies[index].records
            if first >= stop:
                return
            inside, behind = max(0, start - first), min(stop - first, self.tallies[index].records)
            if inside < behind:
                near = self.tallies[index].near(inside)
                yield Slice(self.files[index], inside, behind - inside, near)

    def describe(self) -> Dict[str, Any]:
        """What a manifest keeps of the input: path, kind, number of files and bytes, the time of
        the newest file, and a digest over names, sizes and times of all."""
        stats = [file.path.stat() for file in self.files]
        digest = hashlib.sha256()
        for file, stat in zip(self.files, stats, strict=True):
            digest.update(f"{file.name}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
        newest = max(stat.st_mtime for stat in stats)
        return {
            "path": str(self.path.resolve()),
            "kind": self.kind.name,
            "files": len(self.files),
            "bytes": sum(stat.st_size for stat in stats),
            "modified": datetime.fromtimestamp(newest, UTC).isoformat(),
            "digest": digest.hexdigest(),
        }


def find_source(path: Path, fields: Fields, kind: Optional[str] = None) -> Source:
    """The files at a path: one file, or those of a folder and below it, sorted by name.

    kind: a name of `KINDS`; None tells it by the file's suffix, or else its content. In a folder,
        files of another kind or of none are left out; hidden ones are not looked at.
    Raises: OSError for a missing path; DataError E603 where nothing can be read, E604 where a
        folder has files of several kinds, E605 to E608 and E154 where the first file does not have
        the fields.
    """
    path.stat()
    if path.is_dir():
        source = _of_folder(path, fields, kind)
    else:
        found = KINDS[kind] if kind else recognise(path)
        if found is None:
            raise DataError(Errors.E603.format(suffixes=_suffixes()), path)
        source = Source(path, found, [File(path, path.name)], fields)
    # An empty file has no fields.
    filled = (file for file in source.files if file.path.stat().st_size)
    source.warnings = source.kind.check(next(filled, source.files[0]), fields)
    return source


def _of_folder(path: Path, fields: Fields, kind: Optional[str]) -> Source:
    by_kind: Dict[Optional[str], List[File]] = {}
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path)
        if file.is_file() and not any(part.startswith(".") for part in name.parts):
            found = _by_suffix(file)
            by_kind.setdefault(found.name if found else None, []).append(File(file, str(name)))
    known = [name for name in by_kind if name is not None]
    if kind is None and len(known) > 1:
        counts = ", ".join(f"{name} {len(by_kind[name])}" for name in sorted(known))
        raise DataError(Errors.E604.format(found=counts), path)
    taken = kind or (known[0] if known else None)
    if taken not in by_kind or taken is None:
        raise DataError(Errors.E603.format(suffixes=_suffixes()), path)
    files = by_kind.pop(taken)
    others = [file.path for others in by_kind.values() for file in others]
    left_out = Counter(other.suffix or other.name for other in others)
    return Source(path, KINDS[taken], files, fields, left_out)


def recognise(path: Path) -> Optional[Kind]:
    """The kind of a file, by its suffix or else by its content; None where it is none of them."""
    by_suffix = _by_suffix(path)
    if by_suffix is not None:
        return by_suffix
    with path.open("rb") as stream:
        head = stream.read(1 << 12)
    if head.startswith(_PARQUET_BEGIN):
        return PARQUET
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return JSONL
    if is_docbin(path):
        return DOCBIN
    return TABLE if is_csv(path) else None


def _by_suffix(path: Path) -> Optional[Kind]:
    suffix = path.suffix.lower()
    return next((kind for kind in KINDS.values() if suffix in kind.suffixes), None)


def _suffixes() -> str:
    return ", ".join(suffix for kind in KINDS.values() for suffix in kind.suffixes)

"""Writes a file of opinions, document by document, in little memory.

Every array grows in a file of its own; in the end they are put behind one header. The format is
told in `data/opinion_file.py`.
"""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, BinaryIO, Dict, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

from .. import __version__
from ..data.opinion_file import (
    ASKED,
    CATEGORIES,
    FINGERPRINTS,
    FORMAT,
    LENGTH,
    METADATA,
    SPANS,
    TAGS,
    TYPES,
    VECTORS,
    Head,
    Teacher,
)
from ..errors import Errors, MtnlpError
from ..gold.opinions import CategoryOpinion, Opinion, SpanOpinion, TagOpinion, VectorOpinion
from .opinion_arrays import describe, to_arrays

Array = NDArray[Any]
KINDS = {
    TagOpinion: TAGS,
    SpanOpinion: SPANS,
    CategoryOpinion: CATEGORIES,
    VectorOpinion: VECTORS,
}
# Where a row ends in an array, of those kinds that have the array.
ENDS = {"tokens": "counts", "entries": "probabilities"}
# The header is filled up to a multiple of this, so that numbers behind it are aligned.
ALIGNMENT = 8


class Spool:
    """An array that grows along its first axis in a file."""

    def __init__(self, path: Path):
        self.path = path
        self.dtype: Optional[np.dtype] = None
        self.shape: Tuple[int, ...] = (0,)
        self._stream: BinaryIO = path.open("wb")

    def add(self, part: Array) -> None:
        """Append. part: of the same type and the same further axes as all others."""
        if self.dtype is None:
            self.dtype, self.shape = part.dtype, (0, *part.shape[1:])
        if part.dtype != self.dtype or part.shape[1:] != self.shape[1:]:
            found, own = list(part.shape[1:]), list(self.shape[1:])
            raise ValueError(f"its shape is {found}, and that of the first one was {own}")
        self.shape = (self.shape[0] + len(part), *self.shape[1:])
        self._stream.write(part.tobytes())

    def close(self) -> None:
        """No more comes."""
        self._stream.close()

    @property
    def nbytes(self) -> int:
        return int(np.prod(self.shape)) * (0 if self.dtype is None else self.dtype.itemsize)


class OpinionWriter:
    """Takes up the opinions on a corpus file's documents, in their order.

    A context manager: it closes its files. Call `write` within, at the end.

    folder: for the growing arrays; it belongs to the caller. teachers, heads: as the file will
    describe them; kind and labels of a head are found in its first opinion.
    """

    def __init__(self, folder: Path, teachers: Sequence[Teacher], heads: Sequence[Head]):
        self.folder = folder
        self.teachers = list(teachers)
        self.heads = list(heads)
        self.documents = 0
        self.rows = [0] * len(heads)
        self._spools: Dict[str, Spool] = {}

    def __enter__(self) -> "OpinionWriter":
        return self

    def __exit__(self, *error: object) -> None:
        for spool in self._spools.values():
            spool.close()

    def add(
        self, fingerprint: int, tokens: int, opinions: Optional[Sequence[Optional[Opinion]]]
    ) -> None:
        """The next document.

        fingerprint: of its words. tokens: how many it has, at least one. opinions: of each head,
            None where it has none; None for all where nobody was asked.
        Raises: MtnlpError E749 for an opinion that cannot be stored.
        """
        self._put(FINGERPRINTS, np.array([fingerprint], dtype=np.uint64))
        self._put(ASKED, np.array([opinions is not None]))
        for number, opinion in enumerate(opinions or [None] * len(self.heads)):
            row = -1
            if opinion is not None:
                try:
                    self._add_opinion(number, opinion, tokens)
                except (ValueError, TypeError, OverflowError) as error:
                    raise self._refuse(number, error) from error
                row = self.rows[number]
                self.rows[number] += 1
            self._put(f"{number}/row", np.array([row], dtype=np.int32))
        self.documents += 1

    def write(self, target: Path) -> int:
        """Write the file. Returns: its size in bytes."""
        for spool in self._spools.values():
            spool.close()
        # Heads that never had an opinion are left out; the others count on without a gap.
        kept = [number for number, rows in enumerate(self.rows) if rows]
        names = {str(number): str(place) for place, number in enumerate(kept)}
        spools = {}
        for name, spool in self._spools.items():
            owner, _, array = name.partition("/")
            if owner in names:
                spools[f"{names[owner]}/{array}"] = spool
            elif name in (FINGERPRINTS, ASKED):
                spools[name] = spool
        description = {
            "format": FORMAT,
            "mtnlp": __version__,
            "documents": self.documents,
            "teachers": [teacher._asdict() for teacher in self.teachers],
            "heads": [asdict(self.heads[number]) for number in kept],
        }
        return write_arrays(target, spools, {METADATA: json.dumps(description)})

    def _put(self, name: str, part: Array) -> None:
        if name not in self._spools:
            path = self.folder / f"{len(self._spools)}.array"
            self._spools[name] = Spool(path)
        self._spools[name].add(part)

    def _add_opinion(self, number: int, opinion: Opinion, tokens: int) -> None:
        kind = KINDS.get(type(opinion))
        if kind is None:
            raise ValueError(f"a {type(opinion).__name__} is no opinion")
        head = self.heads[number]
        labels, exclusive = describe(opinion)
        if not self.rows[number]:
            self.heads[number] = replace(head, kind=kind, labels=labels, exclusive=exclusive)
        elif (kind, labels, exclusive) != (head.kind, head.labels, head.exclusive):
            raise ValueError("it speaks of other labels than the first one")
        # Everything is checked before anything is stored.
        parts = to_arrays(opinion, tokens)
        for name, counted in ENDS.items():
            if counted in parts:
                self._put_end(number, name, counted, len(parts[counted]))
        for name, part in parts.items():
            self._put(f"{number}/{name}", part)

    def _put_end(self, number: int, name: str, counted: str, added: int) -> None:
        """Where the row ends in an array, which grows by so much; of the first row, where it
        begins, too."""
        before = self._spools[f"{number}/{counted}"].shape[0] if self.rows[number] else 0
        ends = [before + added] if self.rows[number] else [0, added]
        self._put(f"{number}/{name}", np.array(ends, dtype=np.int64))

    def _refuse(self, number: int, reason: Exception) -> MtnlpError:
        head = self.heads[number]
        return MtnlpError(
            Errors.E749.format(
                source=head.source,
                teacher=self.teachers[head.teacher].path,
                index=self.documents,
                reason=reason,
            )
        )


def write_arrays(target: Path, spools: Dict[str, Spool], metadata: Dict[str, str]) -> int:
    """Put arrays behind a header, in the format of safetensors. Returns: the size in bytes."""
    names = {np.dtype(kind): name for name, kind in TYPES.items()}
    # The widest numbers first: then each array begins at a multiple of its numbers' width.
    order = sorted(spools, key=lambda name: -_dtype(spools[name]).itemsize)
    header: Dict[str, Any] = {"__metadata__": metadata}
    offset = 0
    for name in order:
        spool = spools[name]
        end = offset + spool.nbytes
        header[name] = {
            "dtype": names[_dtype(spool)],
            "shape": list(spool.shape),
            "data_offsets": [offset, end],
        }
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode("utf8")
    text += b" " * (-len(text) % ALIGNMENT)
    with target.open("wb") as stream:
        stream.write(len(text).to_bytes(LENGTH, "little"))
        stream.write(text)
        for name in order:
            with spools[name].path.open("rb") as part:
                shutil.copyfileobj(part, stream)
    return LENGTH + len(text) + offset


def _dtype(spool: Spool) -> np.dtype:
    assert spool.dtype is not None
    return spool.dtype

"""The file of what teachers believe of a corpus file's documents, read through a memory map.

A safetensors file, so any reader of that format can open it. Its metadata hold, under `mtnlp`, a
JSON description: the format's number, the teachers, and the heads, each a component of a teacher
and the student's component that learns from it. Numbers are 16 bits wide where that loses nothing
that a loss could tell: probabilities are stored in steps of 1 / 65535.

| array | shape | |
|---|---|---|
| `documents/fingerprints` | `[documents]` | of the words of each document with a token |
| `documents/asked` | `[documents]` | whether the teachers were asked about it |
| `HEAD/row` | `[documents]` | where the head's opinion stands; -1: it has none |
| `HEAD/tokens`, `HEAD/entries` | `[rows + 1]` | where a row's tokens and entries begin |
| `HEAD/counts` | `[tokens]` | of tags: entries of each token |
| `HEAD/index`, `HEAD/probabilities` | `[entries]` | of tags: which tag, how probable |
| `HEAD/spans`, `HEAD/labels`, `HEAD/probabilities` | `[entries, 2]`, `[entries]`, `[entries]` | of
spans: start and end, which label, how probable |
| `HEAD/max_width` | `[rows]` | of spans: words of the widest span looked at |
| `HEAD/logits` | `[rows, keys]` | of categories |
| `HEAD/vectors` | `[rows, width]` | of vectors |
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, Errors
from ..gold.opinions import CategoryOpinion, Opinion, SpanOpinion, TagOpinion, VectorOpinion

FORMAT = 1
SUFFIX = ".opinions.safetensors"
# The entry of the metadata that describes the file.
METADATA = "mtnlp"
# What a probability of 1 is stored as.
ONE = 65535
TAGS, SPANS, CATEGORIES, VECTORS = "tags", "spans", "categories", "vectors"
# safetensors' names of the types of numbers.
TYPES: Dict[str, Any] = {
    "BOOL": np.bool_,
    "U8": np.uint8,
    "U16": np.uint16,
    "U32": np.uint32,
    "U64": np.uint64,
    "I32": np.int32,
    "I64": np.int64,
    "F16": np.float16,
    "F32": np.float32,
}
FINGERPRINTS, ASKED = "documents/fingerprints", "documents/asked"
# The length of the JSON header stands in front of it, in so many bytes.
LENGTH = 8
Array = NDArray[Any]


class Teacher(NamedTuple):
    """A pipeline that was asked.

    name, version: of its meta. path: as it was given: a folder, or an installed pipeline's name.
    fingerprint: of its settings and weights.
    """

    name: str
    version: str
    path: str
    fingerprint: str


@dataclass(frozen=True)
class Head:
    """A component of a teacher, and for whom its opinions are.

    component: the student's. teacher: by place among the file's. source: the teacher's component.
    pipe_labels: that component's `labels`. kind: one of the four above. labels: what the opinions
    speak of: tags, labels of spans, or keys of categories. exclusive: of categories, the tasks of
    which exactly one label holds.
    """

    component: str
    teacher: int
    source: str
    pipe_labels: Tuple[str, ...]
    kind: str
    labels: Tuple[str, ...] = ()
    exclusive: Tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: Dict[str, Any]) -> "Head":
        """From the description in a file."""
        lists = ("pipe_labels", "labels", "exclusive")
        return cls(**{**data, **{name: tuple(data[name]) for name in lists}})


class OpinionFile:
    """An open file: nothing but its description is read before an opinion is asked for.

    teachers, heads: as described. asked: `[documents]`, whether each was shown to the teachers.
    Raises: DataError E740 where there is no file, E741 where it is none of this format.
    """

    def __init__(self, path: Path):
        self.path = path
        try:
            self._bytes: Array = np.memmap(path, dtype=np.uint8, mode="r")
        except OSError as error:
            raise DataError(Errors.E740.format(reason=error.strerror), path) from None
        except ValueError:  # an empty file cannot be mapped
            raise DataError(Errors.E741.format(reason="it is empty"), path) from None
        try:
            self._arrays, description = self._read_header()
            self.teachers = [Teacher(**item) for item in description["teachers"]]
            self.heads = [Head.from_json(item) for item in description["heads"]]
            self.asked: Array = self._arrays[ASKED]
            self.fingerprints: Array = self._arrays[FINGERPRINTS]
            self._readers = [_READERS[head.kind] for head in self.heads]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(Errors.E741.format(reason=error), path) from None

    def __len__(self) -> int:
        """How many documents with a token the corpus file has."""
        return len(self.fingerprints)

    @property
    def components(self) -> List[str]:
        """The student's components, each once."""
        return list(dict.fromkeys(head.component for head in self.heads))

    def read(self, index: int, component: str) -> List[Opinion]:
        """What the teachers believe of a document, for a component.

        index: the document's place among those of the corpus file that have a token.
        """
        found: List[Opinion] = []
        for number, (head, read) in enumerate(zip(self.heads, self._readers, strict=True)):
            if head.component == component:
                row = int(self._arrays[f"{number}/row"][index])
                if row >= 0:
                    found.append(read(head, Rows(self._arrays, number), row))
        return found

    def difference(self, fingerprints: Sequence[int]) -> Optional[str]:
        """In which way the documents are not those of a corpus file; None where they are.

        fingerprints: of the corpus file's documents that have a token.
        """
        own = self.fingerprints.tolist()
        found = list(fingerprints)
        if own == found:
            return None
        if len(own) != len(found):
            return f"it is of {len(own)} documents, and there are {len(found)}"
        if sorted(own) == sorted(found):
            return "the documents have another order"
        first = next(i for i, (a, b) in enumerate(zip(own, found, strict=True)) if a != b)
        return f"document {first} (counted from 0, without empty ones) has other words"

    def _read_header(self) -> Tuple[Dict[str, Array], Dict[str, Any]]:
        length = int.from_bytes(self._bytes[:LENGTH].tobytes(), "little")
        if LENGTH + length > len(self._bytes):
            raise ValueError("it is cut short")
        header = json.loads(self._bytes[LENGTH : LENGTH + length].tobytes())
        description = json.loads(header.pop("__metadata__")[METADATA])
        if description["format"] != FORMAT:
            raise ValueError(f"its format is {description['format']}, that of now {FORMAT}")
        data = self._bytes[LENGTH + length :]
        arrays = {}
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            if end > len(data):
                raise ValueError("it is cut short")
            arrays[name] = data[begin:end].view(TYPES[entry["dtype"]]).reshape(entry["shape"])
        return arrays, description


def fingerprint(orths: Array) -> int:
    """Of a document's words. orths: `[tokens]`, spaCy's hashes of the words, `ORTH`."""
    digest = hashlib.blake2b(np.ascontiguousarray(orths, dtype="<u8").tobytes(), digest_size=8)
    return int.from_bytes(digest.digest(), "little")


class Rows:
    """The arrays of one head, by their names."""

    def __init__(self, arrays: Dict[str, Array], head: int):
        self._arrays = arrays
        self._head = head

    def __getitem__(self, name: str) -> Array:
        return self._arrays[f"{self._head}/{name}"]

    def bounds(self, name: str, row: int) -> slice:
        """Where a row's entries stand, by the array that says so."""
        begin, end = self[name][row : row + 2].tolist()
        return slice(begin, end)


def _read_tags(head: Head, rows: Rows, row: int) -> TagOpinion:
    counts = rows["counts"][rows.bounds("tokens", row)]
    entries = rows.bounds("entries", row)
    starts = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=starts[1:])
    stored = np.array(rows["probabilities"][entries], dtype=np.float64)
    # What rounding took from a token's sum, or added, is shared among its tags.
    tokens = np.repeat(np.arange(len(counts)), counts)
    sums = np.bincount(tokens, weights=stored, minlength=len(counts))
    probabilities = (stored / sums[tokens]).astype(np.float32)
    index = np.array(rows["index"][entries], dtype=np.int64)
    return TagOpinion(head.labels, starts, index, probabilities)


def _read_spans(head: Head, rows: Rows, row: int) -> SpanOpinion:
    entries = rows.bounds("entries", row)
    spans = np.empty((entries.stop - entries.start, 3), dtype=np.int64)
    spans[:, :2] = rows["spans"][entries]
    spans[:, 2] = rows["labels"][entries]
    probabilities = np.array(rows["probabilities"][entries], dtype=np.float32) / np.float32(ONE)
    return SpanOpinion(head.labels, spans, probabilities, int(rows["max_width"][row]))


def _read_categories(head: Head, rows: Rows, row: int) -> CategoryOpinion:
    logits = np.array(rows["logits"][row], dtype=np.float32)
    return CategoryOpinion(head.labels, logits, head.exclusive)


def _read_vector(head: Head, rows: Rows, row: int) -> VectorOpinion:
    return VectorOpinion(np.array(rows["vectors"][row], dtype=np.float32))


_READERS: Dict[str, Callable[[Head, Rows, int], Opinion]] = {
    TAGS: _read_tags,
    SPANS: _read_spans,
    CATEGORIES: _read_categories,
    VECTORS: _read_vector,
}

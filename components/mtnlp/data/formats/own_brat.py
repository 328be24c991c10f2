"""brat as a format of one's own data: a folder of pairs, with entities of any type."""

from pathlib import Path
from typing import Iterator

from ...errors import DataError, Errors
from ...types import Record
from ..options import ConvertOptions
from .bad_input import BadInput
from .brat import read_documents
from .entry import Format
from .offsets import set_spans


def read_own_brat(path: Path, on_bad: BadInput, options: ConvertOptions) -> Iterator[Record]:
    """Reads a folder, a Record per document. An empty `.ann` is "annotated, nothing there"; a text
    without one is left out.

    Discontinuous entities, relations, events, attributes, normalisations, notes, equivalences and
    stray lines are counted and left out. The triggers of events are entities.
    Raises: DataError through `on_bad`.
    """
    stems = [file.with_suffix("") for file in _annotations(path)]
    if not stems:
        on_bad.report(DataError(Errors.E120, path))
        return
    texts = {file.with_suffix("") for file in path.glob("[!.]*.txt")}
    on_bad.note("texts without an .ann file left out", len(texts - set(stems)))
    for ann_path, document, spans in read_documents(stems, on_bad):
        for what, count in document.others.items():
            on_bad.note(f"{what} left out", count)
        record = Record(text=document.text, meta={"path": str(ann_path)})
        set_spans(record, spans, options.spans_key)
        yield record


def is_brat(path: Path) -> bool:
    """Whether a folder holds a text with an `.ann` file beside it."""
    return any(file.with_suffix(".txt").is_file() for file in _annotations(path))


def _annotations(folder: Path) -> "list[Path]":
    return sorted(folder.glob("[!.]*.ann"))


BRAT = Format("brat", read_own_brat, options=("spans_key",), recognise=is_brat)

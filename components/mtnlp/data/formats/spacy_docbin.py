"""spaCy's DocBin as an input: Docs somebody else annotated, as Records."""

import zlib
from pathlib import Path
from typing import Iterator, List

from spacy.tokens import Doc, DocBin, SpanGroup
from spacy.vocab import Vocab

from ...errors import DataError, Errors
from ...types import Annotation, Record
from ..options import ConvertOptions
from .bad_input import BadInput, read_bytes
from .categories import key_of
from .entry import Format
from .tags import MISSING, OUTSIDE, missing_of

# What Docs may hold and Records do not.
_NOT_KEPT = ("POS", "MORPH", "LEMMA", "DEP", "ENT_KB_ID")
# How many bytes of a file's content show what it is.
_START = 200


def read_docbin(path: Path, on_bad: BadInput, task: str = "category") -> Iterator[Record]:
    """Reads one file, one Record per Doc, with the Doc's own tokens; `meta["spaces"]` keeps whether
    a space follows each, so that the text comes back exactly.

    What the Docs lack stays "not annotated": no `ents`, no `cats`, no `spans`, a token without
    an entity tag, a label that `cats` does not name.
    task: where a key of `cats` names no task (`positive`), it becomes `task/positive`.
    Raises: DataError through `on_bad` when it is no DocBin.
    """
    try:
        docs = list(_load(path).get_docs(Vocab()))
    except DataError as error:
        on_bad.report(error)
        return
    except (KeyError, ValueError, IndexError, TypeError) as error:
        on_bad.report(DataError(Errors.E140.format(reason=type(error).__name__), path))
        return
    on_bad.note("Docs without a token left out", sum(not len(doc) for doc in docs))
    for doc in docs:
        if len(doc):
            record = doc_to_record(doc, task)
            lost = [name for name in _NOT_KEPT if doc.has_annotation(name)]
            if lost:
                on_bad.warn(Errors.E176.format(attributes=", ".join(lost)), path)
            record.meta["path"] = str(path)
            yield record


def doc_to_record(doc: Doc, task: str = "category") -> Record:
    """A Doc as a Record of tokens; `task` as in `read_docbin`."""
    record = Record(tokens=[token.text for token in doc])
    if not doc.has_unknown_spaces:
        record.meta["spaces"] = [bool(token.whitespace_) for token in doc]
    if doc.has_annotation("ENT_IOB"):
        record.entities = [Annotation(ent.start, ent.end, ent.label_) for ent in doc.ents]
        record.missing = missing_of([MISSING if token.ent_iob == 0 else OUTSIDE for token in doc])
    if doc.spans:
        record.spans = {str(key): _annotations(group) for key, group in doc.spans.items()}
    if doc.cats:
        record.cats = {key_of(str(key), task): float(value) for key, value in doc.cats.items()}
    if doc.has_annotation("TAG"):
        record.tags = [token.tag_ for token in doc]
    if doc.has_annotation("SENT_START"):
        record.sent_starts = [token.is_sent_start for token in doc]
    return record


def _annotations(group: SpanGroup) -> List[Annotation]:
    return [Annotation(span.start, span.end, span.label_) for span in group]


def _load(path: Path) -> DocBin:
    try:
        return DocBin().from_bytes(read_bytes(path))
    except DataError:
        raise
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise DataError(Errors.E140.format(reason=error or type(error).__name__), path) from None


def _read_own(path: Path, on_bad: BadInput, options: ConvertOptions) -> Iterator[Record]:
    return read_docbin(path, on_bad, options.task)


def is_docbin(path: Path) -> bool:
    """Whether a file begins as a DocBin does: compressed, its attributes among the first keys."""
    try:
        with path.open("rb") as stream:
            start = zlib.decompressobj().decompress(stream.read(1 << 12), _START)
    except (OSError, zlib.error):
        return False
    return b"attrs" in start


DOCBIN = Format("docbin", _read_own, recognise=is_docbin)

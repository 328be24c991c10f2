"""spaCy's DocBin: one document per Doc. Annotations of the Docs are not read."""

from itertools import islice
from typing import Any, Iterator, List

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ...data.reading import open_docbin
from ...errors import DataError, Errors
from ..entries import Document, Entry, Fields, File, fault, to_entry
from .kind import Kind, Mark, Tally

_TEXT = "text"


def _check(file: File, fields: Fields) -> List[str]:
    if fields.text is not None:
        formats, found = "JSONL, CSV and Parquet", "a DocBin"
        message = Errors.E154.format(option="--text-field", formats=formats, found=found)
        raise DataError(message, file.path)
    return []


def _count(file: File, fields: Fields) -> Tally:
    try:
        return Tally(len(open_docbin(_opened(file).path)))
    except DataError:
        return Tally(1)


def _opened(file: File) -> File:
    with file.path.open("rb"):
        pass  # an error of the system stops the run; a broken file is a fault
    return file


def _read(file: File, fields: Fields, start: int, near: Mark) -> Iterator[Entry]:
    try:
        docbin = open_docbin(_opened(file).path)
    except DataError as error:
        if start == 0:
            yield fault(file, 1, error)
        return
    number, size = start, len(docbin)
    # A vocabulary of its own: strings of a whole file would not outlive a memory zone of the
    # pipeline's, and would stay in it without one.
    docs = islice(docbin.get_docs(Vocab()), start, None)
    try:
        for doc in docs:
            number += 1
            yield _to_entry(file, number, doc, fields)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        reason = f"the DocBin is broken, {type(error).__name__}: {error}"
        for later in range(number + 1, size + 1):
            yield fault(file, later, reason)


def _to_entry(file: File, number: int, doc: Doc, fields: Fields) -> Entry:
    row = {name: _user_data(doc, name) for name in fields.named}
    entry = to_entry(file, number, {**row, _TEXT: doc.text}, _TEXT, fields)
    if isinstance(entry, Document) and doc.has_unknown_spaces:
        return entry._replace(words=[token.text for token in doc])
    return entry


def _user_data(doc: Doc, name: str) -> Any:
    """`doc.user_data[name]`, or `doc._.name`."""
    key: Any = ("._.", name, None, None)
    return doc.user_data.get(name, doc.user_data.get(key))


DOCBIN = Kind("docbin", (".spacy",), _check, _count, _read)

"""Text files: one document per file."""

from typing import Iterator, List

from ...data.formats.bad_input import UTF8_BOM
from ...errors import DataError, Errors
from ..entries import Document, Entry, Fault, Fields, File
from .kind import Kind, Mark, Tally


def _check(file: File, fields: Fields) -> List[str]:
    if fields.named:
        option = "--text-field, --id-field or --carry"
        formats = "records with fields"
        message = Errors.E154.format(option=option, formats=formats, found="a text file")
        raise DataError(message, file.path)
    return []


def _count(file: File, fields: Fields) -> Tally:
    return Tally(1)


def _read(file: File, fields: Fields, start: int, near: Mark) -> Iterator[Entry]:
    if start:
        return
    raw = file.path.read_bytes()
    try:
        # Line ends stay what they are: offsets count them.
        text = raw.removeprefix(UTF8_BOM).decode("utf8")
    except UnicodeDecodeError as error:
        bom = UTF8_BOM if raw.startswith(UTF8_BOM) else b""
        at = error.start + len(bom)
        reason = f"byte 0x{raw[at]:02x} is not valid UTF-8"
        line = raw.count(b"\n", 0, at) + 1
        yield Fault(file.name, f"{file.path}:{line}", Errors.E610.format(reason=reason))
    else:
        yield Document(file.name, str(file.path), text)


TEXT_FILE = Kind("text", (".txt",), _check, _count, _read)

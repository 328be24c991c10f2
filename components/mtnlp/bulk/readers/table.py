"""CSV and TSV: one record per row."""

import csv
from itertools import islice
from typing import Iterator, List, NamedTuple, Optional, Sequence, Union

from ...data.formats.bad_input import UTF8_BOM
from ...data.formats.table import FIELD_LIMIT, find_delimiter
from ...errors import DataError
from ..entries import Entry, Fields, File, fault, to_entry
from .kind import MARK_EVERY, START, Kind, Mark, Tally
from .text_field import find_text_field

TSV = ".tsv"


class Row(NamedTuple):
    """line, byte: where it begins. cells: or why the row cannot be read."""

    line: int
    cells: Union[List[str], str]
    byte: int = 0


def _rows(file: File, fields: Fields, mark: Mark = START) -> Iterator[Row]:
    """The rows that are not blank. A byte that is no UTF-8 is a surrogate, so that it spoils its
    own row alone. mark: of the row to begin with."""
    current, read = mark.line - 1, mark.byte

    def lines() -> Iterator[str]:
        nonlocal current, read
        with file.path.open("rb") as stream:
            stream.seek(mark.byte)
            for current, raw in enumerate(stream, start=mark.line):
                read += len(raw)
                raw = raw.removeprefix(UTF8_BOM) if current == 1 else raw
                ending = "\n" if raw.endswith(b"\n") else ""
                raw = raw.removesuffix(b"\n").removesuffix(b"\r")
                yield raw.decode("utf8", errors="surrogateescape") + ending

    csv.field_size_limit(FIELD_LIMIT)
    is_tsv = file.path.suffix.lower() == TSV
    delimiter = fields.delimiter or find_delimiter(file.path, quoting=not is_tsv)
    reader = csv.reader(
        lines(),
        delimiter=delimiter or ("\t" if is_tsv else ","),
        quoting=csv.QUOTE_NONE if is_tsv else csv.QUOTE_MINIMAL,
        strict=True,
    )
    while True:
        begin, byte = current + 1, read
        try:
            cells = next(reader, None)
        except csv.Error as error:
            through = f" through {current}" if current > begin else ""
            reason = f"{error}, lines {begin}{through}: check for a quotation mark not closed"
            yield Row(begin, reason, byte)
            continue
        if cells is None:
            return
        is_blank = not cells or (len(cells) == 1 and cells[0].isspace())
        if not is_blank:
            yield Row(begin, cells, byte)


def _body(file: File, fields: Fields, mark: Mark = START) -> Iterator[Row]:
    """The rows behind the header, where there is one. mark: of the row to begin with."""
    rows = _rows(file, fields, mark)
    has_header = mark == START and not _is_numbered(fields)
    return islice(rows, 1, None) if has_header else rows


def _is_numbered(fields: Fields) -> bool:
    """Whether the columns are named by their numbers: then there is no header."""
    return bool(fields.named) and all(name.isdigit() for name in fields.named)


def _header(file: File, fields: Fields) -> List[str]:
    """The names of the columns. Raises: DataError E605, E606 where the text's is not there."""
    first = next(_rows(file, fields), Row(1, []))
    cells = first.cells if isinstance(first.cells, list) else []
    if _is_numbered(fields):
        names = [str(index) for index in range(len(cells))]
    else:
        names = [cell.strip() for cell in cells]
    find_text_field(names, fields, file.path)
    return names


def _check(file: File, fields: Fields) -> List[str]:
    _header(file, fields)
    return []


def _count(file: File, fields: Fields) -> Tally:
    count = 0
    marks: List[Mark] = []
    for row in _body(file, fields):
        if count % MARK_EVERY == 0:
            marks.append(Mark(count, row.line, row.byte))
        count += 1
    return Tally(count, marks)


def _read(file: File, fields: Fields, start: int, near: Mark) -> Iterator[Entry]:
    wrong: Optional[DataError] = None
    header: Sequence[str] = []
    text_field = ""
    try:
        header = _header(file, fields)
        text_field = find_text_field(header, fields, file.path)
    except DataError as error:
        wrong = error
    for line, cells, _ in islice(_body(file, fields, near), start - near.record, None):
        if wrong is not None or isinstance(cells, str):
            yield fault(file, line, wrong or cells)
        elif len(cells) != len(header):
            reason = f"it has {len(cells)} columns, and the first row has {len(header)}"
            yield fault(file, line, reason)
        else:
            row = dict(zip(header, cells, strict=True))
            yield to_entry(file, line, row, text_field, fields)


TABLE = Kind("csv", (".csv", TSV), _check, _count, _read)

"""The rows of a table, what separates its columns, and whether its first row names them."""

import csv
import re
from collections import Counter
from itertools import dropwhile
from pathlib import Path
from typing import Iterator, List, Optional, Sequence, Tuple

from ...errors import DataError, Errors
from .bad_input import BadInput, decode, read_lines
from .fields import LABEL, TEXT, USUAL, Column, find_columns, usually_called
from .sniff import first_lines

# Python's default of 131,072 characters is less than a long document.
FIELD_LIMIT = 10_000_000
# What people separate columns by, the rarest within a text first.
DELIMITERS = ("\t", ";", "|", ",")
# A name somebody gave a column: up to three words.
_NAME = re.compile(r"[^\W\d]\w*([ -]\w+){0,2}")

Rows = List[List[str]]
# A row and the line it begins on.
NumberedRow = Tuple[int, List[str]]


def numbered_rows(
    path: Path, delimiter: str, quoting: bool, on_bad: BadInput
) -> Iterator[NumberedRow]:
    """The rows that are not blank, each with the number of the line it begins on.

    Raises: DataError through `on_bad`.
    """
    current = 0

    def decoded() -> Iterator[str]:
        nonlocal current
        for current, raw in read_lines(path):
            try:
                yield decode(raw, path, current) + "\n"
            except DataError as error:
                on_bad.report(error)

    csv.field_size_limit(FIELD_LIMIT)
    reader = csv.reader(
        decoded(),
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quoting else csv.QUOTE_NONE,
        strict=True,
    )
    while True:
        begin = current + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            on_bad.report(DataError(Errors.E138.format(reason=error), path, begin))
            continue
        if row is None:
            return
        if any(cell.strip() for cell in row):
            yield begin, row


def first_rows(path: Path, delimiter: str, *, quoting: bool) -> Rows:
    """The rows at the beginning of a file that are not blank. Never raises: there are none where
    it cannot be read so. quoting: whether `"` quotes a field."""
    csv.field_size_limit(FIELD_LIMIT)
    reader = csv.reader(
        (f"{line}\n" for line in first_lines(path)),
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quoting else csv.QUOTE_NONE,
    )
    try:
        return [row for row in reader if any(cell.strip() for cell in row)]
    except csv.Error:
        return []


def without_comments(rows: Rows) -> Rows:
    """The rows from the first one on that is none of the comments before a table. A text may begin
    as comments do: where no header follows, only those are comments that have another width."""
    bare = list(dropwhile(is_comment, rows))
    if bare and is_header(bare[0], bare[1:]):
        return bare
    widths = Counter(len(row) for row in rows).most_common(1)
    return list(dropwhile(lambda row: is_comment(row) and len(row) != widths[0][0], rows))


def is_comment(row: Sequence[str]) -> bool:
    """Whether a row before the header may be a comment: it begins with `#` and names no text."""
    return row[0].lstrip().startswith("#") and not usually_called(row, TEXT)


def find_delimiter(path: Path, *, quoting: bool) -> Optional[str]:
    """The mark that cuts most rows into as many columns as the first one, two at least; None where
    no mark cuts the first one."""
    shares = {}
    for mark in DELIMITERS:
        rows = first_rows(path, mark, quoting=quoting)
        rows = without_comments(rows)
        width = len(rows[0]) if rows else 0
        if width > 1:
            shares[mark] = sum(len(row) == width for row in rows) / len(rows)
    return max(shares, key=lambda mark: shares[mark], default=None)


def is_header(first: Sequence[str], body: Rows) -> Optional[bool]:
    """Whether the first row names the columns; None where that is not sure.

    first: its cells. body: some of the other rows, of the same width.
    """
    cells = [cell.strip() for cell in first]
    if {TEXT, LABEL} <= set(cells):
        return True
    columns = to_columns(["" for _ in cells], body)
    recurs = [
        bool(cell) and cell in column.values for cell, column in zip(cells, columns, strict=True)
    ]
    if any(not recurs[index] for what in USUAL for index in usually_called(cells, what)):
        return True
    found = find_columns(columns, {})
    if not {TEXT, LABEL} <= set(found):
        return None
    labels = columns[found[LABEL]].values
    if recurs[found[LABEL]]:
        return False
    # A label that is rare would look like a name, where labels are rare at all.
    looks_like_names = all(not cell or _NAME.fullmatch(cell) for cell in cells)
    all_repeat = all(labels.count(label) > 1 for label in set(labels))
    return True if looks_like_names and all_repeat and not any(recurs) else None


def to_columns(names: Sequence[str], rows: Rows) -> List[Column]:
    """The columns of some rows; of those with another number of cells, none count."""
    whole = [row for row in rows if len(row) == len(names)]
    return [
        Column(name, [row[index].strip() for row in whole if row[index].strip()])
        for index, name in enumerate(names)
    ]

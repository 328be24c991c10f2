"""CSV and TSV with a column of texts and a column of labels."""

import csv
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from ...errors import DataError, Errors
from ...types import Record
from ..options import ConvertOptions
from .bad_input import BadInput, decode, read_lines
from .entry import Format
from .jsonl import REFUSED, REFUSED_NOTE
from .label_names import name_of, read_label_names
from .sniff import first_lines, mostly
from .unread import unread_columns

# Python's default of 131,072 characters is less than a long document.
FIELD_LIMIT = 10_000_000
# What people separate columns by, the rarest within a text first.
_DELIMITERS = ("\t", ";", "|", ",")


@dataclass(frozen=True)
class CsvOptions:
    """How a file is read.

    text, label: column names of the header; numbers (from 0) read a file without a header.
    label_separator: splits the label column into several labels; None makes it one label.
    group: the column of what a split may not tear apart, if any; where its cell is empty, the row
        is by itself.
    task: the task's name; categories become `task/LABEL`.
    delimiter: None takes a tab for `.tsv` and a comma otherwise.
    label_names: the names of labels that are written as ids, in their order; a row then says of
        every one of them whether it holds. None takes labels as they are written.
    quoting: whether `"` quotes a field; None takes no for `.tsv` and yes otherwise.
    """

    text: str = "text"
    label: str = "label"
    label_separator: Optional[str] = None
    group: Optional[str] = None
    task: str = "category"
    delimiter: Optional[str] = None
    quoting: Optional[bool] = None
    label_names: Optional[Sequence[str]] = None


def read_csv(path: Path, on_bad: BadInput, options: CsvOptions = CsvOptions()) -> Iterator[Record]:
    """Reads one file, a Record per row. An empty label is "not annotated".

    Lines that begin with `#` before the header are comments; rows that the annotator rejected or
    ignored (a column `answer`) are left out; both are counted. Columns that hold labels or offsets
    and are not read are a warning, and so is a file without labels.
    Raises: DataError through `on_bad`.
    """
    try:
        remaining = _without_comments(_rows(path, options, on_bad), options, on_bad)
        rows = list(islice(remaining, 1))
        # Before the other rows are read: with a wrong separator they have faults of no use.
        columns, has_header = _columns(rows, path, options)
        rows.extend(remaining)
    except DataError as error:
        on_bad.report(error)
        return
    width = len(rows[0][1])
    header = [cell.strip() for cell in rows[0][1]] if has_header else []
    answer = header.index("answer") if "answer" in header else None
    read = {header[index] for index in columns.values()} if has_header else set()
    is_annotated = False
    for line, row in rows[has_header:]:
        if answer is not None and len(row) == width and row[answer].strip().lower() in REFUSED:
            on_bad.note(REFUSED_NOTE)
            continue
        try:
            if len(row) != width:
                raise DataError(Errors.E103.format(found=len(row), expected=width))
            record = _to_record(row, columns, options)
        except DataError as error:
            on_bad.report(DataError(str(error), path, line))
            continue
        for message in unread_columns(header, row, read).values():
            on_bad.warn(message, path, line)
        is_annotated = is_annotated or record.cats is not None
        record.meta.update(path=str(path), line=line)
        yield record
    if not is_annotated and len(rows) > has_header:
        on_bad.warn(Errors.E172.format(fields=", ".join(header or rows[0][1])), path)


def _without_comments(
    rows: Iterator[Tuple[int, List[str]]], options: CsvOptions, on_bad: BadInput
) -> Iterator[Tuple[int, List[str]]]:
    """The rows from the header on. Without a header there are no comments: a text may begin so."""

    def is_comment(row: Tuple[int, List[str]]) -> bool:
        is_header = options.text in [cell.strip() for cell in row[1]]
        return row[1][0].lstrip().startswith("#") and not is_header

    if not options.text.isdigit():
        for row in rows:
            if not is_comment(row):
                yield row
                break
            on_bad.note("comment lines ignored")
    yield from rows


def _rows(path: Path, options: CsvOptions, on_bad: BadInput) -> Iterator[Tuple[int, List[str]]]:
    """The rows that are not blank, each with the number of the line it begins on."""
    current = 0

    def decoded() -> Iterator[str]:
        nonlocal current
        for current, raw in read_lines(path):
            try:
                yield decode(raw, path, current) + "\n"
            except DataError as error:
                on_bad.report(error)

    is_tsv = path.suffix == ".tsv"
    quoting = not is_tsv if options.quoting is None else options.quoting
    csv.field_size_limit(FIELD_LIMIT)
    reader = csv.reader(
        decoded(),
        delimiter=options.delimiter or ("\t" if is_tsv else ","),
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


def _columns(
    rows: Sequence[Tuple[int, List[str]]], path: Path, options: CsvOptions
) -> Tuple[Dict[str, int], bool]:
    """The index of each column wanted, by its option's name, and whether there is a header."""
    if not rows:
        raise DataError(Errors.E101, path)
    line, first = rows[0]
    wanted = {"text": options.text, "label": options.label}
    if options.group is not None:
        wanted["group"] = options.group
    if all(name.isdigit() for name in wanted.values()):
        columns = {what: int(name) for what, name in wanted.items()}
        missing = [name for name in wanted.values() if int(name) >= len(first)]
        has_header = False
    else:
        header = [cell.strip() for cell in first]
        columns = {what: header.index(name) for what, name in wanted.items() if name in header}
        missing = [name for name in wanted.values() if name not in header]
        has_header = True
    if missing:
        names = ", ".join(missing)
        guess = next((mark for mark in _DELIMITERS if len(first) == 1 and mark in first[0]), None)
        if guess is None:
            message = Errors.E139.format(missing=names, found=", ".join(first))
        else:
            shown = {"\t": "tab"}.get(guess, guess)
            message = Errors.E175.format(missing=names, found=first[0], guess=shown)
        raise DataError(message, path, line)
    return columns, has_header


def _to_record(row: List[str], columns: Dict[str, int], options: CsvOptions) -> Record:
    text = row[columns["text"]]
    if not text.strip():
        raise DataError(Errors.E135.format(field=options.text))
    record = Record(text=text)
    label = row[columns["label"]].strip()
    if label:
        names = _labels(label, options)
        known = dict.fromkeys(options.label_names or (), 0.0)
        values = {**known, **dict.fromkeys(names, 1.0)}
        record.cats = {f"{options.task}/{name}": value for name, value in values.items()}
        record.meta["judged"] = [options.task]
        if options.label_separator is None:
            record.meta["stratum"] = names[0]
    if "group" in columns and row[columns["group"]].strip():
        record.meta["group"] = row[columns["group"]]
    return record


def _labels(cell: str, options: CsvOptions) -> List[str]:
    labels = [cell] if options.label_separator is None else cell.split(options.label_separator)
    labels = [label.strip() for label in labels if label.strip()]
    if options.label_names is None:
        return labels
    return [name_of(label, options.label_names) for label in labels]


def _read_own(path: Path, on_bad: BadInput, options: ConvertOptions) -> Iterator[Record]:
    names = options.label_names
    csv_options = CsvOptions(
        text=options.text_field,
        label=options.label_field,
        label_separator=options.label_separator,
        group=options.group_field,
        task=options.task,
        delimiter=options.delimiter,
        label_names=None if names is None else read_label_names(names),
    )
    return read_csv(path, on_bad, csv_options)


def is_csv(path: Path) -> bool:
    """Whether a file is a table: rows of one width of at least two, separated by tabs, or by
    another mark where it is called `.csv` or has a column `text`."""
    lines = [line for line in first_lines(path) if line.strip()]
    for mark in _DELIMITERS:
        csv.field_size_limit(FIELD_LIMIT)
        reader = csv.reader(
            (f"{line}\n" for line in lines),
            delimiter=mark,
            quoting=csv.QUOTE_NONE if mark == "\t" else csv.QUOTE_MINIMAL,
        )
        try:
            rows = [row for row in reader if row and not row[0].lstrip().startswith("#")]
        except csv.Error:
            continue
        is_header = bool(rows) and "text" in rows[0]
        width = len(rows[0]) if rows[1:] or is_header else 0
        if width < 2 or not mostly(len(row) == width for row in rows):
            continue
        if mark == "\t" or path.suffix == ".csv" or is_header:
            return True
    return False


CSV = Format(
    "csv",
    _read_own,
    options=("label_separator", "label_names", "delimiter", "group_field"),
    recognise=is_csv,
)

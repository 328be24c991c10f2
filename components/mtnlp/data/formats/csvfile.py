"""CSV and TSV with a column of texts and a column of labels."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence

from ...errors import DataError, Errors
from ...types import Record
from ..options import ConvertOptions
from .bad_input import BadInput
from .entry import Format
from .fields import LABEL, TEXT, described, find_columns, unclear, usually_called
from .jsonl import REFUSED, REFUSED_NOTE
from .label_names import name_of, read_label_names
from .sniff import mostly
from .table import (
    DELIMITERS,
    NumberedRow,
    Rows,
    find_delimiter,
    first_rows,
    is_comment,
    is_header,
    numbered_rows,
    to_columns,
    without_comments,
)
from .unread import unread_columns

TAB = "\t"


@dataclass(frozen=True)
class CsvOptions:
    """How a file is read.

    text, label: column names of the header; numbers (from 0) read a file without a header; None
        finds the column, by its name or by what is in it.
    label_separator: splits the label column into several labels; None makes it one label.
    group: the column of what a split may not tear apart, if any; where its cell is empty, the row
        is by itself.
    task: the task's name; categories become `task/LABEL`.
    delimiter: None finds it.
    label_names: the names of labels that are written as ids, in their order; a row then says of
        every one of them whether it holds. None takes labels as they are written.
    quoting: whether `"` quotes a field; None takes no for `.tsv` and yes otherwise.
    """

    text: Optional[str] = None
    label: Optional[str] = None
    label_separator: Optional[str] = None
    group: Optional[str] = None
    task: str = "category"
    delimiter: Optional[str] = None
    quoting: Optional[bool] = None
    label_names: Optional[Sequence[str]] = None


def read_csv(path: Path, on_bad: BadInput, options: CsvOptions = CsvOptions()) -> Iterator[Record]:
    """Reads one file, a Record per row. An empty label is "not annotated".

    Lines that begin with `#` before the header are comments; rows that the annotator rejected or
    ignored (a column `answer`) are left out; both are counted. What had to be found out about the
    table is said. Columns that hold labels or offsets and are not read are a warning, and so is a
    file without labels.
    Raises: DataError through `on_bad`.
    """
    is_tsv = path.suffix.lower() == ".tsv"
    quoting = not is_tsv if options.quoting is None else options.quoting
    usual = TAB if is_tsv else ","
    delimiter = options.delimiter or find_delimiter(path, quoting=quoting) or usual
    sample = first_rows(path, delimiter, quoting=quoting)
    has_header = _has_header(sample, options)
    try:
        remaining = numbered_rows(path, delimiter, quoting, on_bad)
        if not _is_numbered(options):
            width = None if has_header else len(without_comments(sample)[0])
            remaining = _without_comments(remaining, options.text, width, on_bad)
        rows = list(islice(remaining, 1))
        # Before the other rows are read: with a wrong separator they have faults of no use.
        columns = _columns(rows, sample, has_header, path, options)
        rows.extend(remaining)
    except DataError as error:
        on_bad.report(error)
        return
    width = len(rows[0][1])
    header = [cell.strip() for cell in rows[0][1]] if has_header else []
    separator = delimiter if delimiter != (options.delimiter or usual) else None
    _say_found(columns, header, separator, options, on_bad)
    answer = header.index("answer") if "answer" in header else None
    read = {header[index] for index in columns.values()} if has_header else set()
    is_annotated = False
    for line, row in rows[bool(has_header) :]:
        if answer is not None and len(row) == width and row[answer].strip().lower() in REFUSED:
            on_bad.note(REFUSED_NOTE)
            continue
        try:
            if len(row) != width:
                raise DataError(Errors.E103.format(found=len(row), expected=width))
            record = _to_record(row, columns, header, options)
        except DataError as error:
            on_bad.report(DataError(str(error), path, line))
            continue
        for message in unread_columns(header, row, read).values():
            on_bad.warn(message, path, line)
        is_annotated = is_annotated or record.cats is not None
        record.meta.update(path=str(path), line=line)
        yield record
    if not is_annotated and len(rows) > bool(has_header):
        on_bad.warn(Errors.E172.format(fields=", ".join(header or rows[0][1])), path)


def _is_numbered(options: CsvOptions) -> bool:
    """Whether somebody named columns, and all by their numbers: then there is no header."""
    given = [name for name in (options.text, options.label, options.group) if name is not None]
    return bool(given) and all(name.isdigit() for name in given)


def _has_header(sample: Rows, options: CsvOptions) -> Optional[bool]:
    """Whether the first row names the columns; None where it is not sure."""
    if _is_numbered(options):
        return False
    if (options.text, options.label, options.group) != (None, None, None) or not sample:
        return True
    first, *body = without_comments(sample)
    return is_header(first, body)


def _without_comments(
    rows: Iterator[NumberedRow], text: Optional[str], width: Optional[int], on_bad: BadInput
) -> Iterator[NumberedRow]:
    """The rows from the header on.

    text: the name of a column of the header. width: cells that a row of the table has, where there
        may be no header: a text may begin as comments do. None where there is one.
    """
    for row in rows:
        cells = [cell.strip() for cell in row[1]]
        if not is_comment(cells) or text in cells or len(cells) == width:
            yield row
            break
        on_bad.note("comment lines ignored")
    yield from rows


def _columns(
    rows: Sequence[NumberedRow],
    sample: Rows,
    has_header: Optional[bool],
    path: Path,
    options: CsvOptions,
) -> Dict[str, int]:
    """The index of each column wanted, by its option's name.

    rows: the first one. sample: some of the beginning, to tell columns by what is in them.
    """
    if not rows:
        raise DataError(Errors.E101, path)
    line, first = rows[0]
    wanted = {TEXT: options.text, LABEL: options.label, "group": options.group}
    given = {what: name for what, name in wanted.items() if name is not None}
    guess = next((mark for mark in DELIMITERS if len(first) == 1 and mark in first[0]), None)
    header = [cell.strip() for cell in first]
    names = header if has_header else [str(index) for index in range(len(first))]
    missing = [name for name in given.values() if name not in names]
    if guess is not None:
        shown = {TAB: "tab"}.get(guess, guess)
        sought = ", ".join(missing) or TEXT
        message = Errors.E175.format(missing=sought, found=first[0], guess=shown)
    elif missing:
        message = Errors.E139.format(missing=", ".join(missing), found=", ".join(first))
    elif has_header is None:
        shown = described(to_columns(["" for _ in first], [first]))
        message = Errors.E189.format(columns=shown)
    else:
        body = without_comments(sample)[1:] if has_header else sample
        columns = to_columns(header if has_header else ["" for _ in first], body)
        found = find_columns(columns, {what: names.index(name) for what, name in given.items()})
        unfound = [what for what in (TEXT, LABEL) if what not in found]
        if not unfound:
            return found
        message = unclear(columns, unfound, "column")
    raise DataError(message, path, line)


def _say_found(
    columns: Dict[str, int],
    header: Sequence[str],
    separator: Optional[str],
    options: CsvOptions,
    on_bad: BadInput,
) -> None:
    """Says what was found out and is not the usual. separator: where it is another than usual."""
    found: Dict[str, str] = {}
    if separator is not None:
        found["--delimiter"] = f"separator {'tab' if separator == TAB else repr(separator)}"
    for what, given in ((TEXT, options.text), (LABEL, options.label)):
        name = header[columns[what]] if header else f"column {columns[what]}, no header"
        if given is None and name != what:
            found[f"--{what}-field"] = f"{what} = {name}"
    on_bad.say_found(found)


def _to_record(
    row: List[str], columns: Dict[str, int], header: Sequence[str], options: CsvOptions
) -> Record:
    text = row[columns[TEXT]]
    if not text.strip():
        field = header[columns[TEXT]] if header else columns[TEXT]
        raise DataError(Errors.E135.format(field=field))
    record = Record(text=text)
    label = row[columns[LABEL]].strip()
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
    another mark where it is called `.csv` or its first row names a text, and a label."""
    for mark in DELIMITERS:
        rows = without_comments(first_rows(path, mark, quoting=mark != TAB))
        # A header alone is a table without rows: reading it says so.
        is_named = bool(rows) and (
            TEXT in rows[0]
            or bool(usually_called(rows[0], TEXT) and usually_called(rows[0], LABEL))
        )
        width = len(rows[0]) if rows[1:] or is_named else 0
        if width < 2 or not mostly(len(row) == width for row in rows):
            continue
        if mark == TAB or path.suffix.lower() == ".csv" or is_named:
            return True
    return False


CSV = Format(
    "csv",
    _read_own,
    options=("label_separator", "label_names", "delimiter", "group_field"),
    recognise=is_csv,
)

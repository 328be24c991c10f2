"""Parquet: one record per row, read by row groups."""

from typing import Any, Iterator, List, Optional

from ...errors import DataError, Errors, MtnlpError
from ..entries import Entry, Fields, File, fault, to_entry
from .kind import Kind, Mark, Tally
from .text_field import find_text_field

# Rows in memory at once.
BATCH = 1024


def import_pyarrow() -> Any:
    """The library. Raises: MtnlpError E002 where it is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise MtnlpError(Errors.E002.format(library="pyarrow", extra="parquet")) from error
    return pyarrow


def _open(file: File) -> Any:
    """Raises: OSError where the file cannot be opened, DataError E608 where it is no Parquet."""
    arrow = import_pyarrow()
    with file.path.open("rb"):
        pass  # an error of the system then names the file
    try:
        return arrow.parquet.ParquetFile(file.path)
    except (arrow.ArrowException, OSError) as error:
        raise DataError(Errors.E608.format(what="Parquet", reason=error), file.path) from None


def _check(file: File, fields: Fields) -> List[str]:
    with _open(file) as opened:
        find_text_field(opened.schema_arrow.names, fields, file.path)
    return []


def _count(file: File, fields: Fields) -> Tally:
    try:
        with _open(file) as opened:
            return Tally(opened.metadata.num_rows)
    except DataError:
        return Tally(1)


def _read(file: File, fields: Fields, start: int, near: Mark) -> Iterator[Entry]:
    try:
        opened = _open(file)
    except DataError as error:
        if start == 0:
            yield fault(file, 1, error)
        return
    with opened:
        wrong: Optional[DataError] = None
        text_field = ""
        try:
            text_field = find_text_field(opened.schema_arrow.names, fields, file.path)
        except DataError as error:
            wrong = error
        first = 0
        for group in range(opened.num_row_groups):
            behind = first + opened.metadata.row_group(group).num_rows
            if behind > start:
                rows = range(first, behind)
                entries = _read_group(file, opened, group, rows, start, text_field, fields, wrong)
                yield from entries
            first = behind


def _read_group(
    file: File,
    opened: Any,
    group: int,
    rows: range,
    start: int,
    text_field: str,
    fields: Fields,
    wrong: Optional[DataError],
) -> Iterator[Entry]:
    """The rows of a row group. rows: their indices. start: those before it are left out. wrong: of
    all of its rows."""
    arrow = import_pyarrow()
    row = rows.start
    reason: object = wrong
    if wrong is None:
        columns: List[str] = list(dict.fromkeys([text_field, *fields.named]))
        batches = opened.iter_batches(BATCH, row_groups=[group], columns=columns)
        try:
            for batch in batches:
                skipped = min(max(0, start - row), batch.num_rows)
                row += skipped
                for values in batch.slice(skipped).to_pylist():
                    row += 1
                    yield to_entry(file, row, values, text_field, fields)
        except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
            reason = f"the row group cannot be read, {error}"
    for number in range(max(row, start) + 1, rows.stop + 1):
        yield fault(file, number, reason)


PARQUET = Kind("parquet", (".parquet", ".pq"), _check, _count, _read)

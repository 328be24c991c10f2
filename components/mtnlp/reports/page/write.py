"""Writes a page and its numbers into a folder."""

from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence

from ...errors import Errors, MtnlpError
from ...files import (
    fresh_folder,
    is_replaceable,
    remove_unfinished,
    write_csv,
    write_json,
    write_text,
)
from ..tables import Table
from .blocks import Section

PAGE, NUMBERS, TABLES = "index.html", "numbers.json", "tables"


def check_output(output: Path) -> None:
    """Raises: MtnlpError E144 where the folder holds something else than an earlier report."""
    if not is_replaceable(output, NUMBERS):
        form = "a new folder, or one of an earlier report: what the folder holds would be lost"
        raise MtnlpError(Errors.E144.format(option="--output", value=output, form=form))


def write_folder(
    output: Path, html: str, numbers: Mapping[str, Any], sections: Sequence[Section]
) -> Path:
    """Write `index.html`, `numbers.json`, and in `tables/` a CSV for each table of the page.

    The folder appears whole, or stays as it was. Returns: the page.
    Raises: MtnlpError E144 where the folder holds something else than an earlier report.
    """
    check_output(output)
    remove_unfinished(output)
    with fresh_folder(output) as folder:
        write_text(folder / PAGE, html)
        write_json(folder / NUMBERS, numbers)
        for name, table in tables_of(sections).items():
            write_csv(folder / TABLES / f"{name}.csv", table_rows(table))
    return output / PAGE


def tables_of(sections: Sequence[Section]) -> Dict[str, Table]:
    """All tables of a page by the names of their files."""
    return {
        name: table
        for section in sections
        for block in section.every
        for name, table in block.tables.items()
    }


def table_rows(table: Table) -> Sequence[Mapping[str, Any]]:
    """The rows by column, whole numbers and floats as they are, and nothing where there is none.

    A column with the name of an earlier one has its number behind it: labels make some names.
    """
    columns: List[str] = []
    for place, column in enumerate(table.columns):
        columns.append(f"{column} ({place + 1})" if column in columns else column)
    return [dict(zip(columns, row, strict=True)) for row in table.rows]

"""Tables of numbers, as Markdown or on the screen."""

from dataclasses import dataclass, field
from typing import Any, List, Optional, Sequence

Cell = Any

DIGITS = 4


@dataclass
class Table:
    """A titled table.

    columns: the headings. Columns of text stand to the left, the others to the right.
    rows: cells as they come: text, whole numbers, floats (shown with four digits, from 10 with
        one), None (shown as a dash) or a pair of numbers (shown as an interval).
    """

    title: str
    columns: List[str]
    rows: List[List[Cell]] = field(default_factory=list)

    def to_markdown(self) -> str:
        """A heading and a Markdown table."""
        rule = ["---" if text else "---:" for text in self._text_columns()]
        rows = [self.columns, rule, *self._texts()]
        lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
        return "\n".join([f"### {self.title}", "", *lines, ""])

    def to_rich(self) -> Any:
        """A `rich.table.Table`."""
        from rich.table import Table as RichTable
        from rich.text import Text

        table = RichTable(title=Text(self.title), title_justify="left")
        for column, text in zip(self.columns, self._text_columns(), strict=True):
            table.add_column(Text(column), justify="left" if text else "right")
        for row in self._texts():
            # Labels in brackets would otherwise be read as rich's markup.
            table.add_row(*[Text(cell) for cell in row])
        return table

    def is_text(self, column: int) -> bool:
        """Whether a column, counted from 0, holds texts alone."""
        return all(isinstance(row[column], str) for row in self.rows)

    def _text_columns(self) -> List[bool]:
        return [self.is_text(column) for column in range(len(self.columns))]

    def _texts(self) -> List[List[str]]:
        return [[show(cell) for cell in row] for row in self.rows]


def show(cell: Cell) -> str:
    """A cell as text."""
    if cell is None:
        return "–"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, (list, tuple)):
        return f"{show(cell[0])}–{show(cell[1])}"
    if isinstance(cell, float):
        return f"{cell:.{DIGITS if abs(cell) < 10 else 1}f}"
    if isinstance(cell, int):
        return f"{cell:,}"
    return str(cell)


def print_tables(tables: Sequence[Table], console: Optional[Any] = None) -> None:
    """Print tables on a `rich.console.Console`, by default one on stdout.

    Where the output is no terminal, as wide as needed: rich would cut the cells to 80 columns.
    """
    from rich.console import Console

    if console is None:
        console = Console()
        if not console.is_terminal:
            console = Console(width=200)
    for table in tables:
        console.print(table.to_rich())


def to_markdown(tables: Sequence[Table]) -> str:
    """All tables in one Markdown text."""
    return "\n".join(table.to_markdown() for table in tables)

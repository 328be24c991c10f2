"""The figure of a side-by-side run: one dot per run, and the mean of each cell with its
interval."""

import io
from pathlib import Path
from typing import Any

from ..errors import Errors, MtnlpError
from ..files import write_bytes
from .comparison_tables import ComparisonTable, heading

FORMATS = ("png", "svg")


def write_figure(folder: Path, name: str, table: ComparisonTable) -> None:
    """Write `figure.png` and `figure.svg`. Raises: MtnlpError (E429) without matplotlib."""
    figure = draw(name, table)
    for form in FORMATS:
        stream = io.BytesIO()
        figure.savefig(stream, format=form, dpi=150, bbox_inches="tight")
        write_bytes(folder / f"figure.{form}", stream.getvalue())


def draw(name: str, table: ComparisonTable) -> Any:
    """A `matplotlib.figure.Figure` of the main score, one line per cell, the first on top.

    name: of the comparison. Raises: MtnlpError (E429) without matplotlib.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MtnlpError(Errors.E429) from error
    cells = [(values, spreads) for values, spreads in table.cells if table.main in spreads]
    figure = Figure(figsize=(7.0, 1.0 + 0.3 * max(3, len(cells))))
    axes = figure.add_subplot()
    for place, (values, spreads) in enumerate(cells):
        rows = [row for row in table.runs if tuple(row[axis] for axis in table.axes) == values]
        runs = [row[table.main] for row in rows if table.main in row]
        item = spreads[table.main]
        axes.errorbar(item.mean, place, xerr=item.half_width, fmt="o", color="C0", capsize=3)
        axes.plot(runs, [place] * len(runs), ".", color="0.2", markersize=3, zorder=3)
    axes.set_yticks(range(len(cells)), [", ".join(values) or name for values, _ in cells])
    axes.invert_yaxis()
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)
    axes.set_xlabel(f"{heading(table.main)}: runs, mean and 95% t-interval")
    axes.set_title(name)
    return figure

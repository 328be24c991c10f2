"""What a comparison leaves in its folder."""

from typing import Optional

from wasabi import msg

from ..errors import MtnlpError
from ..reports.tables import Table
from .comparison import Comparison
from .comparison_figure import write_figure
from .comparison_tables import ComparisonTable, write_tables


def write_results(comparison: Comparison) -> ComparisonTable:
    """Write the tables of the runs that are done. Returns: their table."""
    grid = comparison.grid
    table = ComparisonTable(comparison.results, grid.axes, grid.metrics)
    if table.runs:
        write_tables(comparison.output, grid.name, table)
    return table


def write_report(comparison: Comparison) -> Optional[Table]:
    """Write the tables and the figure of a comparison that has ended.

    Returns: the table for the screen; None where no run is done. Raises: MtnlpError (E427) where no
    run has a metric of the grid. Without matplotlib there is no figure, and a warning says so.
    """
    table = write_results(comparison)
    if not table.runs:
        return None
    name = comparison.grid.name
    table.check(comparison.grid.metrics)
    try:
        write_figure(comparison.output, name, table)
    except MtnlpError as error:
        msg.warn(str(error))
    return table.to_table(name)

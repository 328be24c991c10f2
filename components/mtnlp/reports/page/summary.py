"""What a report says in a few lines, on the terminal."""

from typing import Any, Mapping

from wasabi import msg

from ...errors import Errors
from ..tables import Table, print_tables

# A page that is larger opens slowly on a phone.
MOST_BYTES = 5_000_000


def print_report(numbers: Mapping[str, Any], size: int) -> None:
    """Print the scores and what matters most, and a warning where the page is large.

    numbers: what `mtnlp.analysis.report.analyse` returns. size: of the page, in bytes.
    """
    table = Table("Scores", ["task", "metric", "score", "95% interval", "baseline", "documents"])
    for task in numbers["tasks"]:
        interval = None if task["low"] is None else (task["low"], task["high"])
        row = [task["name"], task["metric"], task["score"], interval, task["baseline"]]
        table.rows.append([*row, task["documents"]])
    print_tables([table])
    for found in numbers["findings"]:
        msg.info(found["text"])
    if size > MOST_BYTES:
        msg.warn(Errors.W710.format(size=size / 1e6, most=MOST_BYTES / 1e6))

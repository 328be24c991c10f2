"""What a tuning says: how long it takes, its trials, and which was the best."""

from pathlib import Path

from ..reports.tables import Table
from .estimate import progress_summary
from .tuning import Tuning


def estimate_line(tuning: Tuning) -> str:
    """How many trials there are, how many are done and how long the others take."""
    done = tuning.count - tuning.left
    names = ", ".join(item.name for item in tuning.ranges)
    line = progress_summary(names, tuning.count, done, tuning.seconds_left())
    return line.replace(" runs ", " trials ") + ", less where trials are ended early"


def trials_table(tuning: Tuning) -> Table:
    """A row per trial, the best dev score first."""
    columns = ["trial", "dev score", "state", *(item.name for item in tuning.ranges), "seconds"]
    found = [tuning.describe(trial) for trial in tuning.done]
    found.sort(key=lambda row: (row["score"] is None, -(row["score"] or 0.0), row["trial"]))
    rows = []
    for row in found:
        values = [_short(value) for value in row["settings"].values()]
        rows.append([row["trial"], row["score"], row["state"], *values, row["seconds"]])
    return Table("Trials", columns, rows)


def best_line(tuning: Tuning, output: Path) -> str:
    """The best trial beside the config as it is."""
    best = tuning.best()
    assert best is not None and best.value is not None
    if best.number == 0:
        return f"No trial was better than the config as it is ({best.value:.4f} on dev): {output}"
    first = next(trial for trial in tuning.done if trial.number == 0)
    return (
        f"Trial {best.number} was the best: {best.value:.4f} on dev, the config as it is "
        f"{first.value:.4f}: {output}"
    )


def _short(value: object) -> object:
    """Rates are too small for four decimals."""
    return f"{value:.2g}" if isinstance(value, float) else value

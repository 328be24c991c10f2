"""Tables of a summary, from the numbers of `mtnlp.evaluation.summary.summarize`."""

from typing import Any, List, Mapping

from .tables import Table

Numbers = Mapping[str, Any]
LISTED = 5


def summary_tables(results: Numbers) -> List[Table]:
    """What is confused and what would help, and last the scores, speed and size.

    results: what `summarize` returns.
    """
    tables = [_confusions(name, found) for name, found in results["confusions"].items()]
    tables += [_advice(results), _scores(results), _facts(results)]
    return [table for table in tables if table.rows]


def _confusions(name: str, found: List[Numbers]) -> Table:
    """The most frequent errors of a task."""
    errors = sum(row["count"] for row in found)
    title = f"{name}: {errors:,} error" + "s" * (errors != 1)
    table = Table(title, ["error", "gold", "predicted", "count"])
    keys = ("error", "gold", "predicted", "count")
    table.rows = [[row[key] for key in keys] for row in found[:LISTED]]
    return table


def _advice(results: Numbers) -> Table:
    columns = ["label", "in train", "errors", "per example", "F1", "F1 on train", "what helps"]
    table = Table("What would help most", columns)
    keys = ("examples", "errors", "errors_per_example", "f", "train_f", "advice")
    for row in results["advice"]:
        table.rows.append([f"{row['task']}: {row['label']}", *(row[key] for key in keys)])
    return table


def _scores(results: Numbers) -> Table:
    corpora = ", ".join(results["corpora"])
    parts = results["model"], results["split"], corpora, f"{results['documents']:,} documents"
    columns = ["task", "metric", "n", "value", "95% interval", "baseline"]
    keys = ("task", "metric", "n", "value", "interval", "baseline")
    rows = [[row[key] for key in keys] for row in results["scores"]]
    return Table("Your model: " + " · ".join(parts), columns, rows)


def _facts(results: Numbers) -> Table:
    speed = results["speed"]
    threads = f"{speed['device']}, threads: {speed['threads']}"
    rows = [
        ["words per second", f"{speed['words_per_second']:,.0f}", threads],
        ["size on disk", f"{results['size_mb']:,.0f} MB", ""],
    ]
    return Table("Speed and size", ["", "", ""], rows)

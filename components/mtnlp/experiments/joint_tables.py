"""Tables of a joint-training report, from its results."""

from pathlib import Path
from typing import Any, Dict, List, Mapping

from ..files import write_csv, write_json, write_text
from ..reports.tables import Table, to_markdown

Results = Mapping[str, Any]
# A difference of scores in points: hundredths.
POINTS = 100


def task_table(results: Results) -> Table:
    """One row per task: its score alone and jointly, and the difference with its interval."""
    columns = ["task", "metric", "n", "single"]
    for weighting in results["weightings"]:
        columns += [f"joint, {weighting}", "difference in points [95% interval]"]
    title = f"{results['config']}: each task alone and jointly, on the same test documents"
    table = Table(title, columns)
    for task, item in results["tasks"].items():
        row = [task, item["metric"], item["n"], item["single"]]
        for weighting in results["weightings"]:
            joint = item["joint"].get(weighting)
            row += ["–", "–"] if joint is None else [joint["score"], show_difference(joint)]
        table.rows.append(row)
    return table


def time_table(results: Results) -> Table:
    """One row per system, and one for all single ones together: a joint run does their work."""
    columns = ["system", "training steps, s", "whole run, s", "words/s", "one pass on test, s"]
    table = Table(f"{results['config']}: time of a run, mean over seeds", columns)
    keys = ["training_seconds", "total_seconds", "words_per_second", "inference_seconds"]
    systems = results["systems"]
    singles = [systems[name] for name in results["heads"] if name in systems]
    for name, item in systems.items():
        table.rows.append([name, *[float(item[key]) for key in keys]])
        if len(singles) == len(results["heads"]) and name == list(results["heads"])[-1]:
            sums = [sum(item[key] for item in singles) for key in keys]
            table.rows.append(["all single, one after another", *sums[:2], None, sums[3]])
    return table


def show_difference(joint: Mapping[str, Any]) -> str:
    """`-0.31 [-1.20, +0.58]`, in points."""
    value, (low, high) = joint["difference"], joint["interval"]
    return f"{POINTS * value:+.2f} [{POINTS * low:+.2f}, {POINTS * high:+.2f}]"


def task_rows(results: Results) -> List[Dict[str, Any]]:
    """One row per task and weighting, for CSV; scores and differences as shares of 1."""
    rows = []
    for task, item in results["tasks"].items():
        same = {"task": task, "metric": item["metric"], "n": item["n"], "single": item["single"]}
        for weighting, joint in item["joint"].items():
            low, high = joint["interval"]
            rows.append(
                {
                    **same,
                    "weighting": weighting,
                    "joint": joint["score"],
                    "difference": joint["difference"],
                    "low": low,
                    "high": high,
                    "p_value": joint["p_value"],
                }
            )
    return rows


def find_losses(results: Results, points: float) -> List[str]:
    """The tasks that lose significantly more than so many points jointly, each with its numbers:
    even the upper bound of the difference's interval lies below minus `points`."""
    return [
        f"{task}, {weighting}: {show_difference(joint)}"
        for task, item in results["tasks"].items()
        for weighting, joint in item["joint"].items()
        if POINTS * joint["interval"][1] < -points
    ]


def write_joint_report(folder: Path, results: Results) -> None:
    """Write `report.json`, `report.md` and `report.csv`, each complete or not at all."""
    write_json(folder / "report.json", dict(results))
    tables = [task_table(results), time_table(results)]
    write_text(folder / "report.md", to_markdown(tables))
    write_csv(folder / "report.csv", task_rows(results))

"""Tables of a calibration, from the numbers of `mtnlp.calibration.calibrate.calibrate`."""

from typing import Any, List, Mapping

from .tables import Table, show

TEMPERATURE_HEADER = ["pipe", "documents", "temperature", "NLL before", "NLL after"]


def temperature_rows(results: Mapping[str, Any]) -> List[List[str]]:
    """One row per pipe, under TEMPERATURE_HEADER; the losses are per annotated token."""
    keys = ("documents", "temperature", "loss_before", "loss_after")
    return [
        [name, *(show(fit[key]) for key in keys)] for name, fit in results["temperatures"].items()
    ]


def calibration_tables(results: Mapping[str, Any]) -> List[Table]:
    """For each pipe: how far its confidences can be trusted, and what a minimum of them costs."""
    tables = []
    for name, ways in results.get("report", {}).items():
        columns = ["confidence", "entities", "mean", "ECE", "Brier", "AURC"]
        trust = Table(f"{name}: calibration (lower is better)", columns)
        columns = ["confidence", "threshold", "P", "R", "F1", "coverage"]
        cost = Table(f"{name}: with a minimum", columns)
        for way, numbers in ways.items():
            keys = ("predicted", "mean_confidence", "ece", "brier", "aurc")
            trust.rows.append([way, *(numbers[key] for key in keys)])
            for at in numbers["at"]:
                keys = ("threshold", "p", "r", "f", "coverage")
                cost.rows.append([way, *(at[key] for key in keys)])
        tables += [trust, cost]
    return tables


def threshold_tables(results: Mapping[str, Any]) -> List[Table]:
    """What the thresholds of entities do for micro F1, on dev and the report's documents."""
    tables = []
    for name, dev in results.get("thresholds", {}).items():
        columns = ["where", "gold", "temperature", "threshold", "P", "R", "F1"]
        table = Table(f"{name}: threshold", columns)
        where = {"dev": dev, "test": results.get("threshold_report", {}).get(name)}
        for split, numbers in where.items():
            for when in ("before", "after") if numbers else ():
                keys = ("support", "temperature", "threshold", "p", "r", "f")
                table.rows.append([f"{split}, {when}", *(numbers[when][key] for key in keys)])
        tables.append(table)
    return tables


def category_tables(results: Mapping[str, Any]) -> List[Table]:
    """What was fitted; the thresholds of each task; and, of dev and the report's documents, how far
    the probabilities can be trusted and what F1 the thresholds reach."""
    tables = [_temperatures(results), *_thresholds(results)]
    dev = {
        pipe: {task: numbers["dev"] for task, numbers in tasks.items()}
        for pipe, tasks in results.get("classifiers", {}).items()
    }
    for where, figures in (("dev", dev), ("test", results.get("category_report", {}))):
        for pipe, tasks in figures.items():
            for task, numbers in tasks.items():
                tables += _figures(f"{pipe}: {task}, {where}", numbers)
    return [table for table in tables if table.rows]


def _temperatures(results: Mapping[str, Any]) -> Table:
    """One row per task. The losses are per document in an exclusive task, else per document and
    label."""
    columns = ["task", "documents", "temperature", "NLL before", "NLL after"]
    table = Table("temperatures of classifiers", columns)
    for pipe, tasks in results.get("classifiers", {}).items():
        for task, numbers in tasks.items():
            keys = ("documents", "temperature", "loss_before", "loss_after")
            table.rows.append([f"{pipe}: {task}", *(numbers["fit"][key] for key in keys)])
    return table


def _thresholds(results: Mapping[str, Any]) -> List[Table]:
    tables = []
    for pipe, tasks in results.get("classifiers", {}).items():
        for task, numbers in tasks.items():
            fit = numbers["fit"]
            table = Table(f"{pipe}: {task}, thresholds", ["label", "gold", "threshold"])
            for key, threshold in fit["thresholds"].items():
                table.rows.append([key.partition("/")[2], fit["positives"][key], threshold])
            if table.rows:
                table.rows.append(["one for all", None, fit["shared_threshold"]])
            tables.append(table)
    return tables


def _figures(title: str, numbers: Mapping[str, Any]) -> List[Table]:
    columns = ["probabilities", "predictions", "mean", "right", "ECE", "Brier"]
    trust = Table(f"{title}: calibration (ECE, Brier: lower is better)", columns)
    for way, row in numbers["calibration"].items():
        keys = ("predicted", "mean_confidence", "share", "ece", "brier")
        trust.rows.append([way, *(row[key] for key in keys)])
    columns = ["thresholds", "accuracy", "micro P", "micro R", "micro F1", "macro F1"]
    scores = Table(f"{title}: decisions", columns)
    for way, row in numbers.get("f1", {}).items():
        micro = (row["micro"][key] for key in "prf")
        scores.rows.append([way, row["accuracy"], *micro, row["macro"]["f"]])
    return [trust, scores]

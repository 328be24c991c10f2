"""Tables of a calibration, from the numbers of `mtnlp.calibration.calibrate.calibrate`."""

from typing import Any, List, Mapping

from .tables import Table, show

TEMPERATURE_HEADER = ["pipe", "documents", "temperature", "NLL before", "NLL after"]


def temperature_rows(results: Mapping[str, Any]) -> List[List[str]]:
    """A row a pipe, under TEMPERATURE_HEADER; the losses are per annotated token."""
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

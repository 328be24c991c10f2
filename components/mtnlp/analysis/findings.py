"""What matters most, in plain words: where the errors are, and what could be done."""

from dataclasses import asdict
from typing import Any, Dict, Iterator, List, Mapping, Sequence

from .category_findings import category_findings
from .entity_findings import entity_findings
from .finding import CLASSIFICATION, DATA, ENTITIES, Finding

# Findings that are told.
TOLD = 3
# A smaller share of repeated texts hardly moves a score.
REPEATED = 0.01


def find_findings(numbers: Mapping[str, Any], told: int = TOLD) -> List[Dict[str, Any]]:
    """The findings that explain most, each of another task or another kind of error.

    numbers: "entities", "classification", "tasks" and "data" of a report.
    Returns: [{"text", "section", "task", "kind", "points"}], the most important first.
    """
    everything: List[Finding] = list(_task_findings(numbers["tasks"]))
    for name, found in numbers["entities"].items():
        everything += entity_findings(name, found)
    for name, found in numbers["classification"].items():
        everything += category_findings(name, found)
    everything += _data_findings(numbers)
    ranked = sorted(everything, key=lambda finding: (-finding.points, finding.text))
    chosen: List[Finding] = []
    for finding in ranked:
        if all((finding.task, finding.kind) != (one.task, one.kind) for one in chosen):
            chosen.append(finding)
    return [asdict(finding) for finding in chosen[:told]]


def _task_findings(tasks: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Tasks that are no better than their baseline: nothing matters more."""
    for task in tasks:
        if task["baseline"] is not None and task["low"] <= task["baseline"]:
            section = ENTITIES if task["kind"] == "entities" else CLASSIFICATION
            yield Finding(
                f"{task['name']}: {task['metric']} {task['score']:.3f} ({task['low']:.3f} to "
                f"{task['high']:.3f}) is not clearly better than its baseline of "
                f"{task['baseline']:.3f} ({task['baseline_says']}). It has learned little: train "
                "longer or on more, and check the labels.",
                section,
                task["name"],
                "baseline",
                1.0 - task["score"],
            )


def _data_findings(numbers: Mapping[str, Any]) -> Iterator[Finding]:
    """Scored texts that train has, too."""
    for row in numbers["data"]["duplicates"]:
        if row["split"] == "train" != row["other"] and row["share"] >= REPEATED:
            yield Finding(
                f"{row['corpus']}: {row['count']:,} of the {row['documents']:,} texts of "
                f"{row['other']} are also in train, so that scores on them say too much. Convert "
                "the corpus again without them.",
                DATA,
                None,
                f"duplicates of {row['corpus']}",
                row["share"],
            )

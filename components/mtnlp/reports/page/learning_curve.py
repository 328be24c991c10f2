"""The section on the learning curve: would more data help, and of which label?"""

from typing import Any, List, Mapping, Sequence

from ..tables import Table
from .blocks import Block, Figure, Prose, Section
from .cells import percent
from .charts import bars, lines

Numbers = Mapping[str, Any]

MOST_LABELS = 40


def learning_curve_section(numbers: Numbers) -> Section:
    """What parts of train give. numbers: `learning_curve` of a report."""
    blocks: List[Block] = [Prose([numbers["says"]]), _tasks(numbers)]
    if numbers["labels"]:
        blocks.append(_labels(numbers))
    shares = ", ".join(percent(share) for share in numbers["shares"])
    lead = f"Trained anew on {shares} of train, and scored on the same documents."
    return Section("learning-curve", "Learning curve", blocks, lead=lead)


def _tasks(numbers: Numbers) -> Figure:
    table = Table("Scores by share of train", ["task", "share of train", "documents", "score"])
    table.columns += ["low", "high"]
    values = []
    for task in numbers["tasks"]:
        points = zip(
            numbers["shares"],
            numbers["documents"],
            *(task[key] for key in ("scores", "low", "high")),
            strict=True,
        )
        for share, documents, score, low, high in points:
            table.rows.append([task["name"], float(share), documents, score, low, high])
            place = {"x": documents, "y": score, "of": task["name"]}
            values.append({**place, "low": low, "high": high})
    chart = lines(
        values,
        "documents of train",
        "score",
        of=[task["name"] for task in numbers["tasks"]],
        unit=False,
        band=True,
        points=True,
    )
    return Figure(
        "Would more data help?",
        "The score after training on a part of train, with its 95% interval.",
        "A line that still rises at its end says that more documents of this kind would help. A "
        "flat one says that they would not: better labels or a larger encoder might.",
        table,
        "learning-curve-tasks",
        chart,
    )


def _labels(numbers: Numbers) -> Figure:
    columns = [f"{percent(share)} of train" for share in numbers["shares"]]
    table = Table("F1 of each label by share of train", ["task", "label", *columns, "gain", "gold"])
    rows = sorted(numbers["labels"], key=lambda row: -_gain(row["scores"]))
    table.rows = [
        [row["task"], row["label"], *row["scores"], _gain(row["scores"]), row["support"]]
        for row in rows
    ]
    values = [
        {
            "label": f"{row['task']}: {row['label']}",
            "value": _gain(row["scores"]),
            "text": f"{_gain(row['scores']):+.3f}",
        }
        for row in rows[:MOST_LABELS]
    ]
    more = ""
    if len(values) < len(rows):
        more = f" The chart has the first {MOST_LABELS}; the table has all."
    return Figure(
        "Of which label?",
        "What the last step, up to all of train, brought each label in F1." + more,
        "Annotate more of the labels at the top: there, the last documents helped most.",
        table,
        "learning-curve-labels",
        bars(values, "gain in F1", domain=None),
    )


def _gain(scores: Sequence[Any]) -> float:
    """What the last step brought; 0 where one of the two scores is missing."""
    before, after = scores[-2], scores[-1]
    return float(after - before) if before is not None and after is not None else 0.0

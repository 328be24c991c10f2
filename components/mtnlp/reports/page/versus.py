"""The section on two pipelines: what got better, what got worse, and where they differ."""

from typing import Any, Dict, List, Mapping, Sequence, Union

from ..tables import Table
from .blocks import Block, Example, Examples, Figure, LabelledText, Prose, Section
from .cells import number
from .charts import Spec, Values, bars, intervals

Numbers = Mapping[str, Any]

MOST_LABELS = 20
WHICH = {
    "this": "Only this one is right",
    "other": "Only the other is right",
    "both": "Both are right",
    "neither": "Neither is right",
}


def versus_section(numbers: Numbers) -> Section:
    """This pipeline beside another one. numbers: `versus` of a report."""
    other = numbers["other"]
    blocks: List[Block] = [_verdict(numbers)]
    if numbers["tasks"]:
        blocks.append(_tasks(numbers["tasks"]))
    if numbers["labels"]:
        blocks.append(_labels(numbers["labels"]))
    if numbers["texts"]:
        blocks.append(_texts(numbers["texts"]))
    lead = f"The other one is {other['pipeline']} {other['version']}."
    return Section("versus", "Beside another pipeline", blocks, lead=lead)


def _verdict(numbers: Numbers) -> Block:
    by_verdict: Dict[str, List[str]] = {}
    for task in numbers["tasks"]:
        by_verdict.setdefault(task["verdict"], []).append(
            f"{task['name']} ({_signed(task['difference'])})"
        )
    says = [f"{verdict.capitalize()}: {', '.join(names)}." for verdict, names in by_verdict.items()]
    for key, whose in (("only_this", "this one"), ("only_other", "the other one")):
        if numbers.get(key):
            says.append(f"Tasks that only {whose} has: {', '.join(numbers[key])}.")
    return Prose(says or ["The two have no task in common."])


def _signed(difference: float) -> str:
    return f"{'+' if difference > 0 else ''}{number(float(difference))}".replace("-", "−")


def _tasks(tasks: Sequence[Numbers]) -> Figure:
    keys = ["name", "metric", "this", "other", "difference", "low", "high"]
    columns = ["task", *keys[1:]]
    if any(task.get("p_value") is not None for task in tasks):
        keys.append("p_value")
        columns.append("p")
    table = Table("Scores of both", [*columns, "verdict"])
    table.rows = [[task.get(key) for key in (*keys, "verdict")] for task in tasks]
    values: Values = [
        {
            "label": task["name"],
            "value": task["difference"],
            "low": task["low"],
            "high": task["high"],
            "tick": None,
            "text": f"{_signed(task['difference'])}, {number(task['low'])} to "
            f"{number(task['high'])}: {task['verdict']}",
        }
        for task in tasks
    ]
    return Figure(
        "What got better, what got worse",
        "The difference of the scores, with its 95% interval by a paired bootstrap: both pipelines "
        "are scored on the same drawn documents. To the right of the line this one is better.",
        "An interval that crosses the line means that these documents cannot tell the two apart: "
        "score on more of them before you decide.",
        table,
        "versus-tasks",
        intervals(values, "difference", rule=0),
    )


def _labels(labels: Sequence[Numbers]) -> Figure:
    ordered = sorted(labels, key=lambda row: -abs(row["difference"] or 0.0))
    table = Table("F1 of each label", ["task", "label", "this", "other", "difference", "gold"])
    keys = ("task", "label", "this", "other", "difference", "support")
    table.rows = [[row[key] for key in keys] for row in ordered]
    shown = sorted(ordered[:MOST_LABELS], key=lambda row: -(row["difference"] or 0.0))
    more = ""
    if len(shown) < len(ordered):
        more = f" The chart has the {MOST_LABELS} that changed most; the table has all."
    return Figure(
        "Labels that changed most",
        "The difference of F1: to the right this pipeline is better." + more,
        "Small differences of rare labels are noise: look at the number of gold ones in the table.",
        table,
        "versus-labels",
        _differences(shown),
    )


def _differences(rows: Sequence[Numbers]) -> Spec:
    values: Values = [
        {
            "label": f"{row['task']}: {row['label']}",
            "value": row["difference"],
            "text": _signed(row["difference"]) if row["difference"] is not None else "",
        }
        for row in rows
    ]
    spec = bars(values, "difference of F1", domain=None)
    # The text of a bar to the left stands to the left of its end.
    text = spec["layer"][1]
    side = {"expr": "datum.value < 0 ? 'right' : 'left'"}
    text["mark"] = {**text["mark"], "align": side, "dx": {"expr": "datum.value < 0 ? -4 : 4"}}
    spec["layer"][0]["encoding"]["color"] = {
        "condition": {"test": "datum.value < 0", "value": {"expr": "second"}},
        "value": {"expr": "first"},
    }
    return spec


def _texts(texts: Sequence[Numbers]) -> Block:
    items: List[Union[Example, LabelledText]] = []
    for one in texts:
        note = f"{one['task']}. {WHICH.get(one['which_right'], one['which_right'])}"
        readings = [("gold", one["gold"]), ("this", one["this"]), ("other", one["other"])]
        if one["words"] is None:
            items.append(LabelledText(one["text"], readings, note))
        else:
            items.append(Example(one["words"], one["spaces"], readings, note))
    return Examples(
        "Texts where they differ",
        "The gold, what this pipeline predicts, and what the other one does.",
        "Read those where only the other one is right: they are what this one lost.",
        items,
        at_once=5,
    )

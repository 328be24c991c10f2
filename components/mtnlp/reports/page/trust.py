"""Figures of how far confidences can be trusted."""

from typing import Any, Dict, Mapping, Sequence

from ...evaluation.calibration_chance import chance_error
from ..tables import Table
from .blocks import Figure
from .cells import number, percent
from .charts import HEIGHT, UNIT, Spec, lines, tip
from .charts import number as axis

Numbers = Mapping[str, Any]

# From which calibration error on confidences mislead, on average and in a range of them that holds
# so many; and how many times larger than by chance an error is no chance.
HIGH_ECE, FAR, MANY, TIMES = 0.03, 0.1, 30, 2
MEASURES = ("precision", "recall", "coverage")


def reliability_figure(numbers: Numbers, name: str, what: str) -> Figure:
    """A reliability diagram. what: what has the confidences, such as "entities"."""
    bins = [row for row in numbers["bins"] if row["count"]]
    columns = ["from", "to", what, "mean confidence", "share that is right"]
    keys = ("low", "high", "count", "confidence", "accuracy")
    table = Table("Confidence and accuracy", columns, [[row[key] for key in keys] for row in bins])
    return Figure(
        "Can the confidences be trusted?",
        "Each point is a range of confidences: how sure the pipeline was, and how often it was "
        "right. On the dashed line the two agree; below it the pipeline is too sure. Larger "
        f"points have more {what}.",
        _advice(numbers),
        table,
        name,
        _diagram(bins, what),
    )


def _advice(numbers: Numbers) -> str:
    ece = float(numbers["ece"])
    says = f"The expected calibration error is {number(ece)}. "
    chance = chance_error(numbers["bins"])
    if HIGH_ECE <= ece < TIMES * chance:
        return says + (
            f"That may be chance: with so few answers, confidences that are right would have "
            f"{number(chance)} on average. Score on more documents."
        )
    worst = _worst_range(numbers["bins"])
    if ece < HIGH_ECE and not worst:
        return says + "The confidences can be read as probabilities."
    if ece < HIGH_ECE:
        return f"{says}On the whole the confidences can be read as probabilities, but {worst}."
    mean, right = numbers.get("mean_confidence"), numbers.get("accuracy")
    if mean is not None and right is not None and percent(mean) != percent(right):
        side = "too sure" if mean > right else "not sure enough"
        says += f"The pipeline is {side}: {percent(mean)} on average, {percent(right)} right. "
    if worst:
        says += f"{worst[0].upper()}{worst[1:]}. "
    return says + (
        "Fit the confidences with `mtnlp calibrate` to held-out documents that are like these, "
        "before you rely on them."
    )


def _worst_range(bins: Sequence[Numbers]) -> str:
    """The range of confidences that misleads most, in words; nothing where none is far off."""
    known = [row for row in bins if row["count"] >= MANY]
    far = [row for row in known if abs(row["confidence"] - row["accuracy"]) >= FAR]
    if not far:
        return ""
    row = max(far, key=lambda row: abs(row["confidence"] - row["accuracy"]))
    return (
        f"between {row['low']:g} and {row['high']:g} only {percent(row['accuracy'])} are right"
        if row["confidence"] > row["accuracy"]
        else f"between {row['low']:g} and {row['high']:g} as many as {percent(row['accuracy'])} "
        "are right"
    )


def _diagram(bins: Sequence[Numbers], what: str) -> Spec:
    x = axis("confidence", "confidence", scale=UNIT, axis={"tickCount": 5})
    y = axis("accuracy", "share that is right", scale=UNIT, axis={"tickCount": 5})
    size: Dict[str, Any] = {
        "field": "count",
        "type": "quantitative",
        "legend": None,
        "scale": {"type": "sqrt", "range": [30, 500]},
    }
    digits = ".3f"
    tooltip = [tip("confidence", None, digits), tip("accuracy", y["title"], digits)]
    tooltip.append(tip("count", what, ","))
    line = {"type": "line", "strokeDash": [5, 4], "color": {"expr": "muted"}, "strokeWidth": 1.5}
    ends = [{"confidence": end, "accuracy": end} for end in (0, 1)]
    return {
        "height": HEIGHT,
        "layer": [
            {"data": {"values": ends}, "mark": line, "encoding": {"x": x, "y": y}},
            {
                "data": {"values": list(bins)},
                "layer": [
                    {"mark": {"type": "line", "strokeWidth": 1.5}},
                    {
                        "mark": {"type": "point", "filled": True, "opacity": 0.9},
                        "encoding": {"size": size, "tooltip": tooltip},
                    },
                ],
                "encoding": {"x": x, "y": y},
            },
        ],
    }


def coverage_figure(rows: Sequence[Numbers], name: str) -> Figure:
    """What a minimum confidence costs and brings. rows: `coverage` of a component."""
    values = [
        {"x": row["minimum"], "y": row[measure], "of": measure}
        for row in rows
        for measure in MEASURES
        if row[measure] is not None
    ]
    keys = ("minimum", *MEASURES, "entities")
    table = Table(
        "With a minimum confidence", list(keys), [[row[key] for key in keys] for row in rows]
    )
    return Figure(
        "What a minimum confidence brings",
        "If you keep only entities with at least this confidence: how many of those are right "
        "(precision), how many of the gold are still found (recall), and which share of all "
        "that was predicted is kept (coverage).",
        _advice_on_minimum(rows),
        table,
        name,
        lines(values, "minimum confidence", "share", of=MEASURES),
    )


def _advice_on_minimum(rows: Sequence[Numbers]) -> str:
    """The least minimum with which nineteen of twenty are right."""
    for row in rows:
        if row["precision"] is not None and row["precision"] >= 0.95:
            if row["minimum"] == rows[0]["minimum"]:
                return "Already 95% of all that is predicted is right: no minimum is needed."
            return (
                f"With a minimum of {row['minimum']:g}, {percent(row['precision'])} of what is "
                f"kept is right, and {percent(row['coverage'])} of all that was predicted is kept. "
                "Send the rest to a person."
            )
    return (
        "No minimum makes 95% of the entities right. Take the point where precision is enough for "
        "you, and send the others to a person."
    )

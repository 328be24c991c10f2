"""Figures of how often labels are predicted, and from which probability on."""

from typing import Any, Mapping, Sequence

from ..tables import Table
from .blocks import Figure
from .cells import number, percent
from .charts import STEP, Spec, bars, names, tip
from .charts import number as axis

Numbers = Mapping[str, Any]

MOST_LABELS = 40
GOLD, PREDICTED = "gold", "predicted"
# A share of the documents by which a label may be off, and say nothing.
NEAR = 0.02


def shares_figure(rows: Sequence[Numbers], name: str, *, exclusive: bool) -> Figure:
    """Which labels are predicted too often, and which not often enough. rows: `per_label`.

    exclusive: whether a text has one label, so that there is no threshold."""
    ordered = sorted(rows, key=lambda row: -abs(row["predicted_share"] - row["gold_share"]))
    table = Table(
        "Gold and predicted shares", ["label", "gold", "predicted", "difference", "ratio"]
    )
    table.rows = [
        [
            row["label"],
            float(row["gold_share"]),
            float(row["predicted_share"]),
            float(row["predicted_share"] - row["gold_share"]),
            row["predicted_share"] / row["gold_share"] if row["gold_share"] else None,
        ]
        for row in ordered
    ]
    more = ""
    if len(ordered) > MOST_LABELS:
        more = f" The chart has the {MOST_LABELS} with the largest difference; the table has all."
    do = "There is no label."
    if ordered:
        do = _advice_on_shares(ordered[0], exclusive)
    return Figure(
        "Labels predicted too often or too rarely",
        "The share of documents with each label: in the gold, and as predicted. A label whose "
        "points lie apart is predicted too often, or not often enough." + more,
        do,
        table,
        name,
        _dumbbells(ordered[:MOST_LABELS]),
    )


def _advice_on_shares(row: Numbers, exclusive: bool) -> str:
    """row: of the label that is off by most."""
    off = row["predicted_share"] - row["gold_share"]
    if abs(off) < NEAR:
        return "Nothing: no label is off by 2% of the documents or more."
    says = (
        f"{row['label']} is off by most: {percent(row['predicted_share'])} predicted, "
        f"{percent(row['gold_share'])} gold. "
    )
    if exclusive:
        return says + "See which texts it takes or loses: the confusion matrix says to which label."
    much = "often" if off > 0 else "rarely"
    return (
        f"{says}Where a label comes too {much}, its threshold or its weight in training is the "
        "first thing to change: `mtnlp calibrate` fits thresholds."
    )


def _dumbbells(rows: Sequence[Numbers]) -> Spec:
    values = [
        {"label": row["label"], "gold": row["gold_share"], "predicted": row["predicted_share"]}
        for row in rows
    ]
    x = axis("gold", "share of documents", axis={"format": "%", "tickCount": 4})
    kind = {"type": "nominal", "title": None, "scale": {"domain": [GOLD, PREDICTED]}}
    shapes = {**kind, "scale": {"domain": [GOLD, PREDICTED], "range": ["circle", "diamond"]}}
    tooltip = [tip("label"), tip("gold", None, ".1%"), tip("predicted", None, ".1%")]
    point = {"type": "point", "filled": True, "size": 80, "opacity": 1}
    return {
        "data": {"values": values},
        "height": {"step": STEP - 4},
        "encoding": {"y": names(), "tooltip": tooltip},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.5},
                "encoding": {"x": x, "x2": {"field": "predicted"}},
            },
            *(
                {
                    "mark": point,
                    "encoding": {
                        "x": {**x, "field": field},
                        "color": {"datum": field, **kind},
                        "shape": {"datum": field, **shapes},
                    },
                }
                for field in (GOLD, PREDICTED)
            ),
        ],
    }


def threshold_figure(rows: Sequence[Numbers], name: str) -> Figure:
    """From which probability on a label is given. rows: `per_label`."""
    ordered = sorted(
        (row for row in rows if row["threshold"] is not None), key=lambda row: row["threshold"]
    )
    table = Table("Thresholds", ["label", "threshold", "gold share", "F1"])
    keys = ("label", "threshold", "gold_share", "f")
    table.rows = [[row[key] for key in keys] for row in ordered]
    shown = ordered[:MOST_LABELS]
    values = [
        {"label": row["label"], "value": row["threshold"], "text": number(row["threshold"])}
        for row in shown
    ]
    more = ""
    if len(shown) < len(ordered):
        more = f" The chart has the {MOST_LABELS} lowest; the table has all."
    low, high = ordered[0]["threshold"], ordered[-1]["threshold"]
    says = (
        f"All labels have the threshold {number(low)}: fit one for each with `mtnlp calibrate`."
        if low == high
        else "Fit them again after each training with `mtnlp calibrate`; raise one where precision "
        "matters more to you, lower it where recall does."
    )
    return Figure(
        "Thresholds",
        "A text gets a label when its probability reaches the label's threshold. Rare labels often "
        "need a low one." + more,
        says,
        table,
        name,
        bars(values, "threshold"),
    )

"""Charts as specs of Vega-Lite, which the page draws in the colours of the reader's scheme.

No text of a user stands in a spec's expressions or in the names of its fields: labels are data.
"""

from typing import Any, Dict, List, Mapping, Optional, Sequence

Values = List[Dict[str, Any]]
Spec = Dict[str, Any]

# Pixels per bar, and the height of a chart of lines.
STEP = 24
HEIGHT = 230
# Which part of the axis the text of a bar to the left needs, on the width of a phone.
TEXT_ROOM = 0.35
# A share from 0 to 1.
UNIT = {"domain": [0, 1]}


def tip(field: str, title: Optional[str] = None, digits: Optional[str] = None) -> Dict[str, Any]:
    """A line of a tooltip. digits: a format such as ".3f"; None for texts."""
    shown = {"type": "nominal"} if digits is None else {"type": "quantitative", "format": digits}
    return {"field": field, "title": title or field, **shown}


def names(offset: int = 0) -> Dict[str, Any]:
    """The vertical axis of charts of bars: a text each, in the order of the data.

    offset: pixels by which the texts are moved, upwards if negative, as those of two lines need it.
    """
    axis = {"ticks": False, "labelPadding": 6, "labelOffset": offset}
    return {"field": "label", "type": "nominal", "sort": None, "title": None, "axis": axis}


def number(field: str, title: Optional[str], **more: Any) -> Dict[str, Any]:
    """An axis of numbers."""
    return {"field": field, "type": "quantitative", "title": title, **more}


def bars(values: Values, title: str, *, domain: Optional[Sequence[float]] = (0, 1)) -> Spec:
    """Bars from left to right, with a text behind each.

    values: {"label", "value", "text"}; one without a value has no bar. A label may have two lines.
    title: of the axis. domain: the ends of the axis; None for those that fit, with room for the
        texts of bars to the left.
    """
    if domain is None:
        known = [value["value"] for value in values if value["value"] is not None]
        low, high = min([0.0, *known]), max([0.0, *known])
        room = TEXT_ROOM * (high - low) if low < 0 else 0.0
        domain = (low - room, high or (0.0 if known else 1.0))
    scale = {"domain": list(domain)}
    x = number("value", title, axis={"tickCount": 5}, scale=scale)
    is_double = any("\n" in value["label"] for value in values)
    return {
        "data": {"values": values},
        "height": {"step": STEP + 14 if is_double else STEP},
        "padding": {"left": 5, "top": 5, "bottom": 5, "right": 44},
        "encoding": {
            "y": names(offset=-7 if is_double else 0),
            "tooltip": [tip("label", "of"), tip("text", title)],
        },
        "layer": [
            {"mark": {"type": "bar", "height": {"band": 0.7}}, "encoding": {"x": x}},
            {
                "mark": {"type": "text", "align": "left", "dx": 4, "fontSize": 11},
                "encoding": {"x": x, "text": {"field": "text"}},
            },
        ],
    }


def scores(rows: Sequence[Mapping[str, Any]]) -> Spec:
    """F1 of labels as bars, with precision and recall as points on them.

    rows: {"label", "precision", "recall", "f", "support"}.
    """
    measures = {"F1": "f", "precision": "precision", "recall": "recall"}
    values = [
        {"label": row["label"], "measure": name, "value": row[key], "support": row["support"]}
        for row in rows
        for name, key in measures.items()
        if row[key] is not None
    ]
    legend: Dict[str, Any] = {"field": "measure", "type": "nominal", "title": None, "sort": None}
    legend["legend"] = {"symbolOpacity": 1}
    color = {**legend, "scale": {"domain": list(measures)}}
    shape = {**color, "scale": {"domain": list(measures), "range": ["square", "diamond", "circle"]}}
    x = number("value", None, scale=UNIT, axis={"tickCount": 5})
    is_bar = {"field": "measure", "equal": "F1"}
    return {
        "data": {"values": values},
        "height": {"step": STEP},
        "encoding": {
            "y": names(),
            "x": x,
            "color": color,
            "tooltip": [tip("label"), tip("measure"), tip("value", None, ".3f"), tip("support")],
        },
        "layer": [
            {
                "transform": [{"filter": is_bar}],
                "mark": {"type": "bar", "height": {"band": 0.7}, "opacity": 0.4},
            },
            {
                "transform": [{"filter": {"not": is_bar}}],
                "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1},
                "encoding": {"shape": shape, "stroke": {"value": {"expr": "page"}}},
            },
        ],
    }


def intervals(values: Values, title: str, *, rule: Optional[float] = None) -> Spec:
    """Points with their intervals, and a tick for what each is compared with.

    values: {"label", "value", "low", "high", "tick": a number or None, "text"}.
    rule: where a line stands across the chart, such as at no difference.
    """
    scale = {"scale": UNIT} if rule is None else {"scale": {"zero": True}}
    x = number("value", title, axis={"tickCount": 5}, **scale)
    tooltip = [tip("label", "of"), tip("text", title)]
    layers: List[Spec] = []
    if rule is not None:
        line = {"type": "rule", "strokeDash": [4, 3]}
        layers.append({"mark": line, "encoding": {"x": {"datum": rule}}})
    y = {"y": names()}
    layers += [
        {
            "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.55, "color": {"expr": "first"}},
            "encoding": {**y, "x": {**x, "field": "low"}, "x2": {"field": "high"}},
        },
        {
            "mark": {"type": "tick", "thickness": 3, "size": 15, "color": {"expr": "second"}},
            "encoding": {**y, "x": {**x, "field": "tick"}},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
            "encoding": {**y, "x": x, "tooltip": tooltip},
        },
    ]
    return {"data": {"values": values}, "height": {"step": STEP + 6}, "layer": layers}


def lines(
    values: Values,
    x: str,
    y: str,
    *,
    of: Sequence[str],
    unit: bool = True,
    band: bool = False,
    points: bool = False,
) -> Spec:
    """Lines over a number, one per name in `of`; of more than eight the reader picks one to see.

    values: {"x", "y", "of", and with `band` "low" and "high"}. x, y: titles of the axes.
    unit: whether the vertical axis goes from 0 to 1.
    """
    many = len(of) > 8
    scale: Dict[str, Any] = {"scale": UNIT} if unit else {"scale": {"zero": False}}
    # Points are joined in the order of the data: a curve may go down at the same x.
    axis = {"tickCount": 5, "grid": False}
    across = number("x", x, axis=axis, scale={"nice": False}, sort=None)
    color = {"field": "of", "type": "nominal", "title": None, "scale": {"domain": list(of)}}
    digits = ".3f" if unit else ".4~g"
    tooltip = [tip("of", "of"), tip("x", x, ".4~g"), tip("y", y, digits)]
    encoding: Dict[str, Any] = {"x": across, "y": number("y", y, **scale), "tooltip": tooltip}
    mark: Dict[str, Any] = {"type": "line", "point": points}
    spec: Spec = {"data": {"values": values}, "height": HEIGHT}
    if many:
        picked = {"input": "select", "options": list(of), "name": "Highlight "}
        spec["params"] = [{"name": "shown", "value": of[0], "bind": picked}]
        others = {**mark, "strokeWidth": 1, "opacity": 0.35, "color": {"expr": "muted"}}
        spec["layer"] = [
            {"mark": others, "encoding": {**encoding, "detail": {"field": "of"}}},
            {
                "transform": [{"filter": "datum.of === shown"}],
                "mark": {**mark, "strokeWidth": 3, "color": {"expr": "first"}},
                "encoding": encoding,
            },
        ]
        return spec
    layers: List[Spec] = []
    if band:
        ends = {"x": across, "y": {**number("low", y, **scale)}, "y2": {"field": "high"}}
        layers.append({"mark": {"type": "area", "opacity": 0.18}, "encoding": ends})
    layers.append({"mark": mark, "encoding": encoding})
    return {**spec, "encoding": {"color": color}, "layer": layers}


def stacked(values: Values, title: str, *, of: Sequence[str], by: str) -> Spec:
    """Bars cut into parts. values: {"label", "of", "value", "count"}. by: what the labels are."""
    color = {"field": "of", "type": "nominal", "title": None, "scale": {"domain": list(of)}}
    order = {of_name: place for place, of_name in enumerate(of)}
    placed = [{**value, "place": order[value["of"]]} for value in values]
    return {
        "data": {"values": placed},
        "height": {"step": STEP + 4},
        "mark": {"type": "bar", "height": {"band": 0.75}, "stroke": {"expr": "page"}},
        "encoding": {
            "y": {**names(), "title": by},
            "x": number("value", title, axis={"format": "%", "tickCount": 5}),
            "color": color,
            "order": {"field": "place", "type": "quantitative"},
            "tooltip": [
                tip("label", by),
                tip("of", "error"),
                tip("count"),
                tip("value", title, ".1%"),
            ],
        },
    }

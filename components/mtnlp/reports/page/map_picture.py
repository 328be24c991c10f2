"""The map as a picture: the points in the colours and shapes of the page, without their texts."""

import re
from functools import lru_cache
from typing import Any, Dict, Mapping, Sequence

from .frame import environment
from .map_kinds import Kinds, find_kinds

# Shapes of Vega in the order of those of map_shapes.js; a path lies in a square from -1 to 1.
SHAPES = (
    "circle",
    "square",
    "triangle-up",
    "diamond",
    "cross",
    "M-1,-.7L-.3,0L-1,.7L-.7,1L0,.3L.7,1L1,.7L.3,0L1,-.7L.7,-1L0,-.3L-.7,-1Z",
    "triangle-down",
    "M0,-1L.25,-.32L.95,-.31L.4,.12L.59,.81L0,.42L-.59,.81L-.4,.12L-.95,-.31L-.25,-.32Z",
)
SIZE = WIDTH, HEIGHT = 900, 620


def map_png(numbers: Mapping[str, Any], color: str = "label", scale: float = 2.0) -> bytes:
    """A PNG of a map. numbers: what `map_numbers` returns. color: "label", "score" or "error"."""
    return to_png(map_chart(numbers, color), scale)


def to_png(spec: Mapping[str, Any], scale: float = 2.0) -> bytes:
    """A PNG of a Vega-Lite spec, in the page's light colours, twice as large as it is on a page.

    Raises: ModuleNotFoundError without vl_convert (extra `reports`).
    """
    from vl_convert import vegalite_to_png

    png: bytes = vegalite_to_png({**spec, "config": _config()}, scale=scale)
    return png


def map_chart(numbers: Mapping[str, Any], color: str = "label") -> Dict[str, Any]:
    """The map as a spec of Vega-Lite, equally scaled along both axes."""
    points, queries = numbers["points"], numbers["queries"]
    kinds = find_kinds(numbers, color)
    # What is small and grey lies below the rest.
    drawn = sorted(
        zip(kinds.of, points["x"], points["y"], strict=True),
        key=lambda point: kinds.styles[point[0]] is not None,
    )
    full = 18 if len(drawn) > 12_000 else 28 if len(drawn) > 3_000 else 48
    values = [
        {"x": x, "y": y, "kind": kinds.names[i], "size": full if kinds.styles[i] else full / 3}
        for i, x, y in drawn
    ]
    asked = [
        {"x": query["x"], "y": query["y"], "name": f"query {i + 1}"}
        for i, query in enumerate(queries)
    ]
    place = _places([*values, *asked])
    above = {"data": {"values": asked}}
    ink = _colors()["ink"]
    star = {"shape": SHAPES[7], "size": 220, "color": ink, "opacity": 1}
    words = {"fontSize": 14, "fontWeight": 600, "color": ink, "align": "left", "dx": 10}
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "layer": [
            {
                "data": {"values": values},
                "mark": {"type": "point", "filled": True, "opacity": 0.85},
                "encoding": {**place, **_encoded(kinds, color)},
            },
            {**above, "mark": {**star, "type": "point", "filled": True}, "encoding": place},
            {
                **above,
                "mark": {**words, "type": "text"},
                "encoding": {**place, "text": {"field": "name"}},
            },
        ],
    }


def _places(values: Sequence[Mapping[str, Any]]) -> Dict[str, Any]:
    """Both axes, with the same step, and all points in the middle."""
    ends = [(min(found), max(found)) for found in ([row[a] for row in values] for a in "xy")]
    step = max((high - low) / size for (low, high), size in zip(ends, SIZE, strict=True)) or 1.0
    place = {}
    for axis, (low, high), size in zip("xy", ends, SIZE, strict=True):
        middle, half = (low + high) / 2, 0.52 * step * size
        scale = {"domain": [middle - half, middle + half], "nice": False, "zero": False}
        place[axis] = {"field": axis, "type": "quantitative", "scale": scale, "axis": None}
    return place


def _encoded(kinds: Kinds, color: str) -> Dict[str, Any]:
    """Colours, shapes and sizes of those kinds that there are."""
    palette = _colors()
    series, ramp = palette["series"].split(), palette["ramp"].split()
    colors, shapes = [], []
    found = sorted(set(kinds.of))
    for kind in found:
        style = kinds.styles[kind]
        if style is None:
            colors.append(palette["muted"])
        else:
            colors.append((ramp if color == "score" else series)[style[0] % len(series)])
        shapes.append(SHAPES[style[1] % len(SHAPES)] if style else SHAPES[0])
    domain = [kinds.names[kind] for kind in found]
    common = {"field": "kind", "type": "nominal", "title": None, "sort": None}
    return {
        "color": {**common, "scale": {"domain": domain, "range": colors}},
        "shape": {**common, "scale": {"domain": domain, "range": shapes}},
        "size": {"field": "size", "type": "quantitative", "scale": None},
    }


@lru_cache(maxsize=1)
def _colors() -> Dict[str, str]:
    """The colours of the page's light scheme, by name."""
    loader: Any = environment().loader
    styles = "".join(
        loader.get_source(environment(), name)[0].partition("@media")[0]
        for name in ("style.css", "map.css")
    )
    return dict(re.findall(r"--([\w-]+): ([^;]+);", styles))


def _config() -> Dict[str, Any]:
    colors = _colors()
    text = {"labelColor": colors["ink"], "titleColor": colors["muted"], "labelFontSize": 13}
    # What charts.js defines for the expressions of specs.
    names: Dict[str, Any] = {"ink": colors["ink"], "first": colors["series"].split()[0]}
    names.update({"onto": "#fff", "firstTurn": 0.93})
    return {
        "background": colors["card"],
        "view": {"stroke": None},
        "axis": {**text, "labelLimit": 400},
        "legend": {**text, "orient": "top", "columns": 6, "symbolSize": 90, "labelLimit": 240},
        "params": [{"name": name, "value": value} for name, value in names.items()],
    }

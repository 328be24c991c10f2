"""How similar sentences are to each other, as a heat map."""

from typing import Any, Dict, Mapping

from ..tables import Table
from .blocks import Figure, Section

# Pixels across a cell, by the number of sentences up to which it is so large.
SIDES = ((8, 56), (16, 46), (30, 34), (1_000, 20))
# Cells from this size on hold their number; characters of a sentence beside its row.
READABLE, SHOWN = 34, 60


def similarity_section(numbers: Mapping[str, Any]) -> Section:
    """The section on given sentences. numbers: {"texts", "cosine": `[n, n]`}."""
    return Section("sentences", "Similarity of sentences", [similarity_figure(numbers)])


def similarity_figure(numbers: Mapping[str, Any]) -> Figure:
    """The heat map, and the cosines as a table."""
    texts = [f"{i + 1} {text}" for i, text in enumerate(numbers["texts"])]
    table = Table("Cosines", ["sentence", *(str(i + 1) for i in range(len(texts)))])
    table.rows = [[text, *row] for text, row in zip(texts, numbers["cosine"], strict=True)]
    return Figure(
        title=f"{len(texts)} sentences beside each other",
        shows=(
            "The cosine of the vectors of every two sentences: 1 where they point the same way, "
            "near 0 where they have nothing in common. The darker the cell, the more similar."
        ),
        do=(
            "Look for pairs that mean the same and have a low cosine, or the other way round: on "
            "those a search by these vectors goes wrong. What a high cosine is differs from "
            "encoder to encoder, so compare cells with each other."
        ),
        table=table,
        name="similarity-of-sentences",
        chart=similarity_chart(numbers),
        wide=True,
    )


def similarity_chart(numbers: Mapping[str, Any]) -> Dict[str, Any]:
    """The heat map as a spec of Vega-Lite. Sentences are data, never expressions."""
    texts = numbers["texts"]
    side = next(side for most, side in SIDES if len(texts) <= most)
    values = [
        {"row": f"{i + 1} {texts[i]}", "column": str(j + 1), "other": texts[j], "cosine": cosine}
        for i, row in enumerate(numbers["cosine"])
        for j, cosine in enumerate(row)
    ]
    axis = {"title": None, "domain": False, "ticks": False, "grid": False, "labelOverlap": False}
    common: Dict[str, Any] = {"type": "nominal", "sort": None}
    across = {**common, "field": "column", "axis": {**axis, "orient": "top", "labelAngle": 0}}
    limit = {"labelLimit": 6 * SHOWN}
    layers = [
        {
            "mark": {"type": "rect", "color": {"expr": "first"}, "cornerRadius": 3},
            "encoding": {
                "opacity": {
                    "field": "cosine",
                    "type": "quantitative",
                    "scale": {"domain": [0, 1], "range": [0, 1], "clamp": True},
                    "legend": None,
                }
            },
        },
        {
            "mark": {
                "type": "text",
                "fontSize": 11,
                "color": {"expr": "datum.cosine > firstTurn ? onto : ink"},
            },
            "encoding": {"text": {"field": "cosine", "type": "quantitative", "format": ".2f"}},
        },
    ]
    return {
        "data": {"values": values},
        "width": side * len(texts),
        "height": side * 0.75 * len(texts),
        "encoding": {
            "x": across,
            "y": {**common, "field": "row", "axis": {**axis, **limit}},
            "tooltip": [
                {"field": "row", "title": "sentence"},
                {"field": "other", "title": "beside"},
                {"field": "cosine", "type": "quantitative", "format": ".3f"},
            ],
        },
        "layer": layers if side >= READABLE else layers[:1],
    }

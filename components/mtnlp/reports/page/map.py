"""The map of vectors: points that can be moved, zoomed, searched and asked for their neighbours."""

import json
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any, ClassVar, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from ...files import plain
from ..tables import Table
from .blocks import Figure, Group, Section
from .cells import percent
from .map_kinds import MODES, find_kinds, fold
from .map_texts import in_utf16, shortened
from .names import slugs

Numbers = Mapping[str, Any]

# UTF-8 bytes of texts on a page, over all of its maps.
TEXT_BYTES = 2_000_000
# What stands in a column of bytes where there is no value.
NONE = 255
# A label with fewer points is not spoken of.
MANY = 20
# The largest number of two bytes.
LARGEST = 65_535
METHODS = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}


@dataclass(frozen=True)
class Map(Figure):
    """A map of points.

    data: what the page's scripts read, see `map_data`. color: what colours the points at first, of
    MODES; where there is nothing of it, the first of those that there are.
    """

    template: ClassVar[str] = "map.html"
    scripts: ClassVar[Tuple[str, ...]] = (
        "map_shapes.js",
        "map_canvas.js",
        "map.js",
        "tables.js",
    )
    data: Mapping[str, Any] = field(default_factory=dict)
    color: str = "label"
    wide: bool = True

    @property
    def modes(self) -> Sequence[str]:
        """The ways to colour the points."""
        return MODES

    @property
    def searched(self) -> str:
        """What the search looks in."""
        return "in the entities" if self.data["marks"] else "in the texts"

    @property
    def json(self) -> Any:
        """The data for a <script> element. No text can end it: there is no "<" in it."""
        from markupsafe import Markup

        text = json.dumps(plain(self.data), ensure_ascii=False, separators=(",", ":"))
        return Markup(text.replace("<", "\\u003c"))


def map_section(numbers: Numbers, text_bytes: int = TEXT_BYTES, color: str = "label") -> Section:
    """The section on vectors: a group for each map.

    numbers: {"maps": [what `mtnlp.analysis.vectors.map_numbers` returns]}. text_bytes: of all texts
        of the section together; texts are cut to fit. color: "label", "score" or "error".
    """
    maps = numbers["maps"]
    names = slugs(f"map of {one['of']} {one['task'] or ''}" for one in maps)
    blocks = [
        map_block(one, name, text_bytes // len(maps), color)
        for one, name in zip(maps, names.values(), strict=True)
    ]
    if len(blocks) == 1:
        return Section("vectors", "Vectors", blocks)
    groups = [
        Group(f"vectors-{block.name}", f"{one['of'].capitalize()}: {one['task']}", [block])
        for one, block in zip(maps, blocks, strict=True)
    ]
    return Section("vectors", "Vectors", groups=groups)


def map_block(
    numbers: Numbers, name: str, text_bytes: int = TEXT_BYTES, color: str = "label"
) -> Map:
    """A map with what it shows and the figures of its labels. name: of its table's file."""
    of, task = numbers["of"], numbers["task"]
    title = f"A map of {len(numbers['points']['x']):,} {of}"
    return Map(
        title=f"{title}: {task}" if task else title,
        shows=" ".join([_shown(numbers), _near(numbers)]).strip(),
        do=_advice(numbers),
        table=_table(numbers),
        name=name,
        data=map_data(numbers, text_bytes),
        color=color,
    )


def map_data(numbers: Numbers, text_bytes: int = TEXT_BYTES) -> Dict[str, Any]:
    """What the page's scripts read: columns of small whole numbers, as base64.

    Coordinates are rounded to 65,536 steps, the same along both axes, scores and cosines to
    hundredths. Queries stand behind the points.
    """
    points, queries = numbers["points"], numbers["queries"]
    count = len(points["x"])
    texts, marks = shortened(points["text"], points["mark"], text_bytes)
    units = [in_utf16(text, mark) for text, mark in zip(texts, marks, strict=True)]
    x, y = (points[axis] + [query[axis] for query in queries] for axis in "xy")
    step = max(max(x) - min(x), max(y) - min(y)) / LARGEST or 1.0
    kinds = {mode: find_kinds(numbers, mode) for mode in MODES}
    labels, predicted = fold(numbers["labels"], points["predicted"])
    near = np.asarray(numbers["neighbours"]["index"], dtype=np.int64).reshape(count, -1)
    cosine = np.asarray(numbers["neighbours"]["cosine"], dtype=np.float64)
    score = [None if value is None else round(100 * value) for value in points["score"]]
    return {
        "of": numbers["of"],
        "labels": labels,
        "errors": numbers["errors"],
        "modes": {
            mode: {"names": found.names, "styles": found.styles, "kinds": _packed(found.of, "u1")}
            for mode, found in kinds.items()
        },
        "x": _packed((np.array(x) - min(x)) / step, "<u2"),
        "y": _packed((np.array(y) - min(y)) / step, "<u2"),
        "predicted": _packed(_filled(predicted), "u1"),
        "score": _packed(_filled(score), "u1"),
        "texts": texts,
        "marks": _packed(units, "<u2") if any(points["mark"]) else None,
        "neighbours": near.shape[1],
        "wide": count > LARGEST + 1,
        "near": _packed(near, "<u4" if count > LARGEST + 1 else "<u2"),
        "cosine": _packed(100 * cosine, "i1"),
        "queries": [
            {
                "text": query["text"],
                "mark": query["mark"] and in_utf16(query["text"], query["mark"]),
                "near": query["index"],
                "cosine": query["cosine"],
            }
            for query in queries
        ],
    }


def _packed(values: Any, form: str) -> str:
    """Whole numbers, rounded, as base64 of their bytes. form: numpy's name of the type."""
    return b64encode(np.rint(np.asarray(values, dtype=np.float64)).astype(form).tobytes()).decode()


def _filled(values: Sequence[Optional[int]]) -> List[int]:
    return [NONE if value is None else value for value in values]


def _shown(numbers: Numbers) -> str:
    """What the points are, and how many of all."""
    of, count = numbers["of"], len(numbers["points"]["x"])
    corpus, found, documents = numbers["corpus_documents"], numbers["found"], numbers["documents"]
    if of == "documents":
        whole = max(found, corpus or 0)
        drawn = f" of the {whole:,}, drawn at random" if whole > count else ""
        text = f"Each point is one document{drawn}."
    else:
        drawn = ", drawn at random" if found > count or (corpus or 0) > documents else ""
        text = f"Each point is one of {count:,} {of} in {documents:,} documents{drawn}."
    if of == "entities":
        text += " Its vector is the mean of those of its words in their text."
    if numbers["empty"]:
        text += f" {numbers['empty']:,} without a vector are left out."
    if numbers["explained"] is None:
        method = METHODS[numbers["method"]]
        return (
            f"{text} {method} keeps neighbours together; how far apart the groups are, and how "
            "large, says little."
        )
    first, second = numbers["explained"]
    return (
        f"{text} Across and down are the two directions in which the vectors differ most (PCA): "
        f"{percent(first)} and {percent(second)} of the differences. The others are not to be "
        "seen, so what overlaps here may still be apart."
    )


def _near(numbers: Numbers) -> str:
    """How often neighbours have the same label."""
    share, chance = numbers["agreement"], numbers["agreement_chance"]
    count = len(numbers["neighbours"]["index"][0])
    if share is None or chance is None or not count:
        return ""
    return (
        f"Of the {count} nearest neighbours of a point, by the cosine of the whole vectors, "
        f"{percent(share)} have its label; of points drawn at random {percent(chance)} would."
    )


def _advice(numbers: Numbers) -> str:
    advice = (
        "Colour by error, and read the points that lie among those of another label: either the "
        "text is unusual, and more like it would help in training, or its annotation is wrong."
    )
    rows = [row for row in numbers["per_label"] if row["points"] >= MANY]
    rows = [row for row in rows if row["agreement"] is not None]
    if len(rows) > 1:
        worst = min(rows, key=lambda row: row["agreement"])
        advice += (
            f" The label whose neighbours share it least is {worst['label']} "
            f"({percent(worst['agreement'])})."
        )
    return advice


def _table(numbers: Numbers) -> Table:
    columns = ["label", "points", "right", "wrong", "mean score", "neighbours with it"]
    keys = ("label", "points", "right", "wrong", "score", "agreement")
    rows = [[row[key] for key in keys] for row in numbers["per_label"] if row["points"]]
    return Table("Labels of the map", columns, rows)

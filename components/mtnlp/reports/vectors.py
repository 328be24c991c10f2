"""Tables of `mtnlp visualize`, from its numbers."""

from typing import Any, List, Mapping

from .tables import Table

Numbers = Mapping[str, Any]
# Characters of a neighbour's text on a line.
SHOWN = 90


def vector_tables(numbers: Numbers) -> List[Table]:
    """The labels of each map, and the nearest neighbours of each query.

    numbers: what `mtnlp.analysis.visualize.visualize` returns.
    """
    tables: List[Table] = []
    for one in numbers["maps"]:
        tables += [_labels(one), *(_neighbours(one, query) for query in one["queries"])]
    return [table for table in tables if table.rows]


def _labels(numbers: Numbers) -> Table:
    count = len(numbers["points"]["x"])
    title = " · ".join(filter(None, [f"{count:,} {numbers['of']}", numbers["task"]]))
    table = Table(title, ["label", "points", "right", "wrong", "mean score", "neighbours with it"])
    keys = ("label", "points", "right", "wrong", "score", "agreement")
    table.rows = [[row[key] for key in keys] for row in numbers["per_label"] if row["points"]]
    return table


def _neighbours(numbers: Numbers, query: Numbers) -> Table:
    points, labels = numbers["points"], numbers["labels"]
    table = Table(f"Nearest to: {query['text']}", ["cosine", "label", "text"])
    for place, cosine in zip(query["index"], query["cosine"], strict=True):
        label, text, mark = (points[key][place] for key in ("label", "text", "mark"))
        if mark:
            # The words that are meant, and what stands around them.
            text = f"{text[mark[0] : mark[1]]}: {text[max(0, mark[0] - SHOWN // 2) :]}"
        table.rows.append([cosine, "–" if label is None else labels[label], _line(text)])
    return table


def _line(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"

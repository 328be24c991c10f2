"""Heat maps of counts: confusion matrices, and errors that come together."""

from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

from ..tables import Table
from .cells import percent
from .charts import Spec, Values, tip

# Labels that a heat map shows at most; the others stand together in a row and a column.
MOST = 40
# Rows of the table behind it on the page.
MOST_CELLS = 1000
# Pixels: of a wide chart without the title of its rows and the end of its last column's slanting
# name, of a letter of a name, and of a cell at least.
WIDE, LETTER, LEAST = 845, 7, 20


class Matrix(NamedTuple):
    """Counts by what they are of. rows, columns: names. sides: what the two are, such as gold and
    predicted."""

    rows: Sequence[str]
    columns: Sequence[str]
    counts: Sequence[Sequence[int]]
    sides: Tuple[str, str]

    def to_tables(
        self, title: str, name: str, *, by_column: int = 0
    ) -> Tuple[Table, Dict[str, Table]]:
        """What is not 0, the most frequent first; and by the names of their files the matrix itself
        and, where the page does not hold it, the whole list.

        by_column: how many of the last rows are of no label, and have no share.
        """
        labels = len(self.rows) - by_column
        cells: List[List[Any]] = [
            [row, column, count, count / sum(line) if place < labels else None]
            for place, (row, line) in enumerate(zip(self.rows, self.counts, strict=True))
            for column, count in zip(self.columns, line, strict=True)
            if count
        ]
        cells.sort(key=lambda cell: -cell[2])
        columns = [*self.sides, "count", f"share of {self.sides[0]}"]
        matrix = Table(title, [" \\ ".join(self.sides), *self.columns])
        matrix.rows = [[row, *line] for row, line in zip(self.rows, self.counts, strict=True)]
        more = {f"{name}-matrix": matrix}
        if len(cells) > MOST_CELLS:
            more[f"{name}-all"] = Table(title, columns, cells)
            title += f", the {MOST_CELLS:,} most frequent"
        return Table(title, columns, cells[:MOST_CELLS]), more


def heat_map(matrix: Matrix, *, diagonal: bool = True, by_column: int = 0) -> Spec:
    """Counts as cells: the right ones in one colour, the wrong ones in another, the stronger the
    larger their share of the row; nothing where the count is 0.

    diagonal: whether the diagonal is right. by_column: how many of the last rows are of no label;
    their cells are shares of the column.
    """
    rows, columns, counts, sides = matrix
    values: Values = []
    below = [sum(line[place] for line in counts) for place in range(len(columns))]
    for place, (name, line) in enumerate(zip(rows, counts, strict=True)):
        across = place < len(rows) - by_column
        for number, (column, count) in enumerate(zip(columns, line, strict=True)):
            if count:
                share = count / (sum(line) if across else below[number])
                whole = f"{sides[0]} {name}" if across else f"{sides[1]} {column}"
                value = {"row": name, "column": column, "count": count, "share": share}
                value["says"] = f"{percent(share)} of {whole}"
                value["right"] = diagonal and place == number
                values.append(value)
    side = _cell_size(rows, columns)
    angle = -45 if side < 40 or max((len(name) for name in columns), default=0) > 8 else 0
    quiet = {"domain": False, "grid": False, "labelOverlap": False, "ticks": False}
    top = {"orient": "top", "labelAngle": angle, "labelPadding": 6, **quiet}
    common: Dict[str, Any] = {"type": "nominal", "sort": None}
    across_axis = {**common, "title": sides[1], "scale": {"domain": list(columns)}, "axis": top}
    down_axis = {**common, "title": sides[0], "scale": {"domain": list(rows)}, "axis": quiet}
    return {
        "data": {"values": values},
        "width": side * len(columns),
        "height": max(24, int(side * 0.6)) * len(rows),
        # The root makes small shares visible, too.
        "transform": [{"calculate": "sqrt(datum.share)", "as": "weight"}],
        "encoding": {
            "x": {**across_axis, "field": "column"},
            "y": {**down_axis, "field": "row"},
            "tooltip": [
                tip("row", sides[0]),
                tip("column", sides[1]),
                tip("count", None, ","),
                tip("says", "share"),
            ],
        },
        "layer": [
            {
                "mark": {
                    "type": "rect",
                    "cornerRadius": 3,
                    "stroke": {"expr": "page"},
                    "strokeWidth": 2,
                    "fill": {"expr": "datum.right ? first : second"},
                    "fillOpacity": {"expr": "datum.weight"},
                }
            },
            {
                "mark": {
                    "type": "text",
                    "fontSize": 12 if side > 40 else 10,
                    "color": {
                        "expr": "datum.weight > (datum.right ? firstTurn : secondTurn) ? onto : ink"
                    },
                },
                "encoding": {"text": {"field": "count", "format": "," if side > 40 else ".3~s"}},
            },
        ],
    }


def folded(
    labels: Sequence[str], counts: Sequence[Sequence[int]], extra_rows: int, extra_columns: int
) -> Tuple[List[str], List[List[int]], int]:
    """A matrix with no more than `MOST` labels: those with the most in their row and column, in
    their order, and the others summed in one row and column.

    counts: a row per label and `extra_rows`, a column per label and `extra_columns`, which stay.
    Returns: the labels, the counts, and how many labels were summed.
    """
    if len(labels) <= MOST:
        return list(labels), [list(line) for line in counts], 0
    totals = [
        sum(counts[place]) + sum(line[place] for line in counts) for place in range(len(labels))
    ]
    kept = sorted(sorted(range(len(labels)), key=lambda place: -totals[place])[: MOST - 1])
    others = [place for place in range(len(labels)) if place not in set(kept)]
    name = f"{len(others)} other labels"
    behind_columns = range(len(labels), len(labels) + extra_columns)
    behind_rows = range(len(labels), len(labels) + extra_rows)
    columns = [[place] for place in kept] + [others] + [[place] for place in behind_columns]
    rows = [[place] for place in kept] + [others] + [[place] for place in behind_rows]
    cells = [
        [sum(counts[row][column] for row in group for column in across) for across in columns]
        for group in rows
    ]
    return [*(labels[place] for place in kept), name], cells, len(others)


def _cell_size(rows: Sequence[str], columns: Sequence[str]) -> int:
    """Pixels across a cell: large ones for few, and for many as large as the page has room for."""
    room = WIDE - LETTER * max((len(name) for name in rows), default=0)
    sizes = ((6, 58), (12, 50), (22, 36))
    size = next((size for most, size in sizes if len(columns) <= most), 28)
    return max(LEAST, min(size, room // max(1, len(columns))))

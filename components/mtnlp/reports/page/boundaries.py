"""Figures of where entities begin and end, and of which entities are found."""

from typing import Any, List, Mapping, Sequence, Tuple

from ..tables import Table
from .blocks import Figure
from .cells import number, percent
from .charts import bars, stacked
from .entity_advice import FEW

Numbers = Mapping[str, Any]

ERRORS = {
    "missed": "missed",
    "other_label": "other type",
    "too_short": "too short",
    "too_long": "too long",
    "fragmented": "fragmented",
    "merged": "merged",
    "shifted": "shifted",
}
# What a breakdown is by: its title, what its buckets are, what it shows and what one could do.
BREAKDOWNS = {
    "by_seen": (
        "Known and unknown names",
        "surface form",
        "Whether train has the same words as an entity of this type, of another, or not at all.",
        "Where unknown names are much worse, the pipeline has learned names rather than contexts: "
        "annotate more different texts, rather than more of the same.",
    ),
    "by_frequency": (
        "By how often train has the name",
        "times in train",
        "How often the same words are an entity in train.",
        "Where names that train has often are wrong, too, look for contradictions in its labels.",
    ),
    "by_length": (
        "By length of the entity",
        "words",
        "The number of words in the entity.",
        "Where long entities are worse, annotate more of them, or try a span classifier.",
    ),
    "by_sentence_length": (
        "By length of the sentence",
        "words in the sentence",
        "The number of words in the sentence around the entity.",
        "Where long sentences are worse, check that they fit the encoder's window.",
    ),
    "by_depth": (
        "By depth of nesting",
        "depth",
        "1 is outermost; 2 lies within one other entity, and so on.",
        "Where inner entities are worse, train needs more of them, or a component for nested "
        "entities.",
    ),
}


def boundary_figure(rows: Sequence[Numbers], name: str) -> Figure:
    """Errors of entities of each length. rows: `boundaries` of a component."""
    table = Table("Errors by length of the entity", ["words", "gold", "right", *ERRORS.values()])
    values = []
    for row in rows:
        counts = {says: row[key] for key, says in ERRORS.items()}
        total = row["right"] + sum(counts.values())
        table.rows.append([row["length"], total, row["right"], *counts.values()])
        values += [
            {"label": row["length"], "of": says, "value": count / total, "count": count}
            for says, count in counts.items()
            if count
        ]
    return Figure(
        "Boundary errors",
        "Of the gold entities of each length, the share that is wrong, and how. Too short and too "
        "long have one end right; fragmented ones were found in pieces; merged ones were found "
        "together with a neighbour.",
        _advice(table.rows),
        table,
        name,
        stacked(values, "share of gold entities", of=list(ERRORS.values()), by="words"),
        wide=True,
    )


def _advice(rows: Sequence[Sequence[Any]]) -> str:
    shares = [(1 - row[2] / row[1], row[0], row[1]) for row in rows if row[1] >= FEW]
    if not shares:
        return f"There are fewer than {FEW} gold entities of each length: score on more documents."
    share, length, count = max(shares)
    unit = "word" if length == "1" else "words"
    return (
        f"Entities of {length} {unit} are worst: {percent(share)} of {count:,} are wrong. If most "
        "of them are cut or fragmented, settle in the annotation guide what belongs to a name "
        "(titles, articles, punctuation), and annotate more of that length."
    )


def breakdown_figures(breakdowns: Mapping[str, Sequence[Numbers]], name: str) -> List[Figure]:
    """A figure for each breakdown that has numbers. name: what the names of tables begin with."""
    figures = []
    for key, (title, buckets, shows, do) in BREAKDOWNS.items():
        rows = breakdowns.get(key) or []
        if any(row["support"] or row.get("predicted") for row in rows):
            figures.append(_breakdown((title, buckets, shows, do), rows, f"{name}-{key}"))
    return figures


def _breakdown(texts: Tuple[str, str, str, str], rows: Sequence[Numbers], name: str) -> Figure:
    title, buckets, shows, do = texts
    by_f = any(row["f"] is not None for row in rows)
    key, measure = ("f", "F1") if by_f else ("recall", "recall")
    values = [
        {
            "label": f"{row['bucket']}\n{row['support']:,} gold",
            "value": row[key],
            "text": number(row[key]),
        }
        for row in rows
        if row["support"]
    ]
    columns = [buckets, "gold", "predicted", "precision", "recall", "F1"]
    keys = ("bucket", "support", "predicted", "precision", "recall", "f")
    table = Table(title, columns, [[row.get(key) for key in keys] for row in rows])
    more = f" The bar is {measure}."
    return Figure(title, shows + more, do, table, name.replace("_", "-"), bars(values, measure))

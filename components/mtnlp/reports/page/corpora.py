"""The section on the data: sizes, labels, duplicates, and what is probably wrong with it."""

from typing import Any, Dict, List, Mapping, Sequence, Tuple

from ..statistics import statistics_tables
from ..tables import Table
from .blocks import Block, Figure, Group, Prose, Section, Tables
from .cells import percent
from .charts import STEP, Spec, names, tip
from .charts import number as axis
from .likely_errors import likely_errors
from .names import slugs

Numbers = Mapping[str, Any]

MOST_LABELS = 40


def data_section(numbers: Numbers) -> Section:
    """The figures of `mtnlp stats`. numbers: `data` of a report."""
    statistics = numbers["statistics"] or {}
    blocks: List[Block] = []
    if statistics:
        blocks += [_sizes(statistics), _duplicates(statistics)]
    places = slugs(statistics)
    groups = [
        Group(f"data-{places[name]}", name, _corpus_blocks(corpus, f"data-{places[name]}"))
        for name, corpus in statistics.items()
    ]
    groups.append(
        Group("label-errors", "Likely annotation errors", likely_errors(numbers["label_errors"]))
    )
    if statistics:
        tables = statistics_tables(statistics)
        titles = slugs(table.title for table in tables)
        named = {f"stats-{titles[table.title]}": table for table in tables}
        all_tables = Tables("Everything that mtnlp stats counts", named)
        groups.append(Group("stats", "All tables", [all_tables]))
    return Section("data", "Data", blocks, groups)


def _sizes(statistics: Numbers) -> Figure:
    table = Table(
        "Sizes", ["corpus and split", "documents", "sentences", "words", "words/document"]
    )
    values = []
    for name, corpus in statistics.items():
        for split, counts in corpus["splits"].items():
            label = f"{name}, {split}"
            mean = float(counts["tokens_per_document"]["mean"])
            row = [label, counts["documents"], counts["sentences"], counts["tokens"], mean]
            table.rows.append(row)
            values.append({"label": label, "corpus": name, "value": counts["documents"]})
    return Figure(
        "How much data there is",
        "Documents of each corpus, by split.",
        "A split of fewer than some 200 documents gives scores with wide intervals: move documents "
        "to it, or read the scores with care.",
        table,
        "data-sizes",
        _sizes_chart(values),
    )


def _sizes_chart(values: List[Dict[str, Any]]) -> Spec:
    return {
        "data": {"values": values},
        "height": {"step": STEP - 2},
        "mark": {"type": "bar", "height": {"band": 0.7}},
        "encoding": {
            "y": names(),
            "x": axis("value", "documents", axis={"tickCount": 4, "format": "~s"}),
            "tooltip": [tip("label", "corpus"), tip("value", "documents", ",")],
        },
    }


def _duplicates(statistics: Numbers) -> Figure:
    splits = dict.fromkeys(split for corpus in statistics.values() for split in corpus["splits"])
    others = [split for split in splits if split != list(splits)[-1]]
    columns = ["corpus and split", "documents", "again within it"]
    table = Table("Documents whose text is there more than once", columns)
    table.columns += [f"also in {other}" for other in others]
    leaks: List[Tuple[float, str]] = []
    for name, corpus in statistics.items():
        for split, counts in corpus["splits"].items():
            across = corpus["duplicates_across"]
            found = [across.get(f"{other}/{split}") for other in others]
            row = [f"{name}, {split}", counts["documents"], counts["duplicates"], *found]
            table.rows.append(row)
            if "train" in others and (leaked := found[others.index("train")]):
                share = leaked / counts["documents"]
                leaks.append((share, f"{percent(share)} of {name}, {split} is also in train"))
    do = "No text of dev or test is also in train."
    if leaks:
        do = (
            f"{max(leaks)[1]}: scores there are too good by what was learned by heart. Remove "
            "these texts from one of the two."
        )
    shows = "Documents with exactly the same text as another one, in their split or in another."
    return Figure("Duplicates", shows, do, table, "data-duplicates")


def _corpus_blocks(corpus: Numbers, name: str) -> List[Block]:
    blocks: List[Block] = []
    layers: List[Tuple[str, Dict[str, Numbers]]] = []
    for kind, says in (("entities", "Entity types in {}"), ("categories", "Labels of {}")):
        for key in dict.fromkeys(
            key for counts in corpus["splits"].values() for key in counts[kind]
        ):
            found = {split: counts[kind].get(key) for split, counts in corpus["splits"].items()}
            layer = {split: counts["labels"] for split, counts in found.items() if counts}
            layers.append((says.format(key), layer))
    titles = slugs(title for title, _ in layers)
    for title, layer in layers:
        # Spans without a label are no entities, as those of a pair of sentences.
        if any(label for counts in layer.values() for label in counts):
            blocks.append(_labels(title, layer, f"{name}-{titles[title]}"))
    if corpus.get("findings"):
        blocks.append(_findings(corpus["findings"], f"{name}-findings"))
    return blocks or [Prose(["Nothing is annotated here."])]


def _labels(title: str, layer: Mapping[str, Mapping[str, Numbers]], name: str) -> Figure:
    labels = list(dict.fromkeys(label for counts in layer.values() for label in counts))
    columns = [f"{what}, {split}" for split in layer for what in ("count", "share")]
    table = Table(title, ["label", *columns])
    values = []
    for label in labels:
        row: List[Any] = [label]
        for counts in layer.values():
            found = counts.get(label) or {"count": 0, "share": 0.0}
            row += [found["count"], float(found["share"])]
        table.rows.append(row)
    for label in labels[:MOST_LABELS]:
        values += [
            {"label": label, "split": split, **(counts.get(label) or {"count": 0, "share": 0.0})}
            for split, counts in layer.items()
        ]
    more = ""
    if len(labels) > MOST_LABELS:
        more = f" The chart has the first {MOST_LABELS}; the table has all."
    return Figure(
        title,
        "The share of each label in each split." + more,
        "A label whose shares differ between splits makes scores misleading: split again, at "
        "random. One with few examples in train is learned badly, whatever its score says.",
        table,
        name,
        _shares_chart(values, list(layer)),
    )


def _shares_chart(values: List[Dict[str, Any]], splits: List[str]) -> Spec:
    kind = {"field": "split", "type": "nominal", "title": None, "scale": {"domain": splits}}
    shapes = {"domain": splits, "range": ["circle", "diamond", "square", "cross"][: len(splits)]}
    return {
        "data": {"values": values},
        "height": {"step": STEP - 4},
        "mark": {"type": "point", "filled": True, "size": 70, "opacity": 0.9},
        "encoding": {
            "y": names(),
            "x": axis("share", "share", axis={"format": "%", "tickCount": 4}),
            "color": kind,
            "shape": {**kind, "scale": shapes},
            "tooltip": [
                tip("label"),
                tip("split"),
                tip("count", None, ","),
                tip("share", None, ".1%"),
            ],
        },
    }


def _findings(findings: Sequence[Numbers], name: str) -> Figure:
    table = Table("What is probably wrong", ["finding", "count", "for example"])
    table.rows = [
        [found["message"], found["count"], "; ".join(found["places"])] for found in findings
    ]
    return Figure(
        "What to look at before training again",
        "What the data doctor of `mtnlp stats` found, with the first places.",
        "Correct what is wrong, and leave what is meant.",
        table,
        name,
        wide=True,
    )

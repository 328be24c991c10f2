"""Tables of corpora, from the numbers of `mtnlp.data.statistics.corpus_statistics`."""

from typing import Any, Callable, Dict, List, Mapping

from .tables import Table

Numbers = Mapping[str, Any]


def statistics_tables(statistics: Numbers) -> List[Table]:
    """Sizes of all corpora, then the labels, tags and lengths of each.

    statistics: what `corpus_statistics` returns.
    """
    tables = [_sizes(statistics), _wordpieces(statistics), _duplicates(statistics)]
    for name, corpus in statistics.items():
        splits = corpus["splits"]
        tables.append(_annotation(name, splits))
        for key in _keys(splits, "entities"):
            layer = {split: counts["entities"].get(key, {}) for split, counts in splits.items()}
            tables.append(_distribution(f"{name}: entities in {key}", layer, "labels"))
            tables.append(_distribution(f"{name}: tags of {key}", layer, "tags"))
            tables.append(_lengths(f"{name}: entity lengths and nesting in {key}", layer))
        for task in _keys(splits, "categories"):
            layer = {split: counts["categories"].get(task, {}) for split, counts in splits.items()}
            tables.append(_distribution(f"{name}: {task}", layer, "labels"))
        layer = {split: counts["part_of_speech"] for split, counts in splits.items()}
        tables.append(_distribution(f"{name}: parts of speech", layer, "labels"))
    return [table for table in tables if table.rows]


def _sizes(statistics: Numbers) -> Table:
    columns = ["corpus", "split", "documents", "sentences", "tokens", "tokens/doc", "longest"]
    table = Table("Sizes", columns)
    for name, split, counts in _splits(statistics):
        lengths = counts["tokens_per_document"]
        table.rows.append(
            [
                name,
                split,
                counts["documents"],
                counts["sentences"],
                counts["tokens"],
                lengths["mean"],
                lengths["max"],
            ]
        )
    return table


def _wordpieces(statistics: Numbers) -> Table:
    columns = ["corpus", "split", "wordpieces", "per token", "median", "longest", "window"]
    table = Table("Wordpieces", [*columns, "longer than it", "share"])
    for name, split, counts in _splits(statistics):
        if "wordpieces" in counts:
            keys = ("total", "per_token", "median", "max", "window")
            numbers = counts["wordpieces"]
            over = [numbers["longer_than_window"], numbers["share_longer"]]
            table.rows.append([name, split, *[numbers[key] for key in keys], *over])
    return table


def _duplicates(statistics: Numbers) -> Table:
    table = Table("Exact duplicates", ["corpus", "where", "documents"])
    for name, corpus in statistics.items():
        for split, counts in corpus["splits"].items():
            table.rows.append([name, f"within {split}", counts["duplicates"]])
        for pair, number in corpus["duplicates_across"].items():
            first, second = pair.split("/")
            table.rows.append([name, f"{second}, also in {first}", number])
    return table


def _annotation(name: str, splits: Numbers) -> Table:
    """What each layer covers: documents with the annotation, and those that miss it."""
    table = Table(f"{name}: annotated documents", ["layer", *_both(splits, "annotated", "missing")])
    layers: Dict[str, Callable[[Numbers], Numbers]] = {}
    for kind in ("entities", "categories"):
        for key in _keys(splits, kind):
            layers[key] = lambda counts, kind=kind, key=key: counts[kind].get(key, {})  # type: ignore[misc]
    if any(counts.get("pairs", {}).get("documents") for counts in splits.values()):
        layers["pairs of texts"] = lambda counts: counts["pairs"]
    layers["parts of speech"] = lambda counts: counts["part_of_speech"]
    for layer, find in layers.items():
        row: List[Any] = [layer]
        for counts in splits.values():
            numbers = find(counts)
            row += [numbers.get("documents", 0), numbers.get("missing", counts["documents"])]
        table.rows.append(row)
    return table


def _distribution(title: str, layer: Mapping[str, Numbers], key: str) -> Table:
    """Counts and shares of labels or tags, a pair of columns per split."""
    table = Table(title, [key.rstrip("s"), *_both(layer, "n", "share")])
    names: Dict[str, None] = {}
    for numbers in layer.values():
        names.update(dict.fromkeys(numbers.get(key) or ()))
    for name in names:
        row: List[Any] = [name]
        for numbers in layer.values():
            found = (numbers.get(key) or {}).get(name, {"count": 0, "share": 0.0})
            row += [found["count"], found["share"]]
        table.rows.append(row)
    return table


def _lengths(title: str, layer: Mapping[str, Numbers]) -> Table:
    columns = ["split", "entities", "tokens: mean", "median", "max", "nested", "share", "depth"]
    table = Table(title, [*columns, "same boundaries", "crossing pairs"])
    for split, numbers in layer.items():
        if numbers:
            length, overlap = numbers["length"], numbers["overlap"]
            keys = ("nested", "nested_share", "depth", "same_boundaries", "crossing_pairs")
            sizes = [length["mean"], length["median"], length["max"]]
            row = [split, numbers["total"], *sizes, *[overlap[key] for key in keys]]
            table.rows.append(row)
    return table


def _splits(statistics: Numbers) -> List[Any]:
    return [
        (name, split, counts)
        for name, corpus in statistics.items()
        for split, counts in corpus["splits"].items()
    ]


def _keys(splits: Numbers, kind: str) -> List[str]:
    return sorted({key for counts in splits.values() for key in counts[kind]})


def _both(splits: Numbers, first: str, second: str) -> List[str]:
    return [f"{split} {what}" for split in splits for what in (first, second)]

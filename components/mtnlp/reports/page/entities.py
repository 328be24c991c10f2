"""The section on entities: one group of figures per component that finds them."""

from typing import Any, List, Mapping, Sequence

from ..tables import Table
from .blocks import Block, Example, Examples, Facts, Figure, Group, Section
from .boundaries import boundary_figure, breakdown_figures
from .cells import number, percent
from .charts import scores
from .entity_advice import EXAMPLES, advice_on_confusion, advice_on_types
from .heat import Matrix, folded, heat_map
from .names import slugs
from .trust import coverage_figure, reliability_figure

Numbers = Mapping[str, Any]

# Types that a chart shows at most.
MOST_TYPES = 40
# In brackets, as they are no types.
MISSED, SPURIOUS = "(missed)", "(spurious)"
SIDES = ("gold", "predicted")
KINDS = {
    "missed": ("Missed entities", "were annotated, and the pipeline found nothing like them there"),
    "spurious": (
        "Spurious entities",
        "were found by the pipeline, and nothing like them is annotated there",
    ),
    "fragmented": ("Fragmented entities", "are one in the gold, and were found in several pieces"),
    "merged": ("Merged entities", "are several in the gold, and were found as one"),
}


def entities_section(numbers: Numbers) -> Section:
    """A group per component. numbers: `entities` of a report."""
    names = slugs(numbers)
    groups = [
        Group(
            f"entities-{names[component]}",
            component,
            component_blocks(found, f"entities-{names[component]}"),
            _lead(found),
        )
        for component, found in numbers.items()
    ]
    lead = (
        "An entity counts as right where its first word, its last word and its label are all "
        "those of the gold."
    )
    return Section("entities", "Entities", groups=groups, lead=lead)


def component_blocks(numbers: Numbers, name: str) -> List[Block]:
    """All that there is to show of one component. name: what its tables' names begin with."""
    blocks: List[Block] = [_summary(numbers), _types(numbers, f"{name}-types")]
    if numbers["per_tag"]:
        blocks.append(_tags(numbers, f"{name}-tags"))
    blocks += [_confusion(numbers, f"{name}-confusion")]
    blocks += _pairs(numbers, f"{name}-pairs")
    if any(row["length"] for row in numbers["boundaries"]):
        blocks.append(boundary_figure(numbers["boundaries"], f"{name}-boundaries"))
    blocks += breakdown_figures(numbers["breakdowns"], name)
    if numbers["reliability"]:
        blocks.append(reliability_figure(numbers["reliability"], f"{name}-reliability", "entities"))
    if numbers["coverage"]:
        blocks.append(coverage_figure(numbers["coverage"], f"{name}-coverage"))
    return blocks + _error_examples(numbers["error_examples"])


def example(numbers: Numbers, note: str = "") -> Example:
    """An example of the numbers as one of the page."""
    readings = [("gold", numbers["gold"]), ("predicted", numbers["predicted"])]
    if numbers.get("score") is not None:
        which = "highest confidence" if len(numbers["predicted"]) > 1 else "confidence"
        confidence = f"{which} {number(float(numbers['score']))}"
        note = f"{note}, {confidence}" if note else confidence.capitalize()
    return Example(numbers["words"], numbers["spaces"], readings, note)


def _lead(numbers: Numbers) -> str:
    place = f'`doc.spans["{numbers["spans_key"]}"]`' if numbers["spans_key"] else "`doc.ents`"
    return (
        f"{numbers['entities']:,} gold entities of {len(numbers['types'])} types in "
        f"{numbers['documents']:,} documents; {numbers['predicted']:,} predicted. They stand "
        f"in {place}."
    )


def _summary(numbers: Numbers) -> Block:
    items = []
    for kind, says in (("micro", "all entities alike"), ("macro", "all types alike")):
        row = numbers[kind]
        figures = f"{number(row['f'])} (P {number(row['p'])}, R {number(row['r'])})"
        items.append((f"F1, {kind}: {says}", figures))
    accuracy = numbers["token_accuracy"]
    says = "not defined: entities nest" if accuracy is None else number(accuracy)
    return Facts([*items, ("Token accuracy", says)])


def _types(numbers: Numbers, name: str) -> Figure:
    rows = numbers["per_type"]
    columns = ["type", "precision", "recall", "F1", "gold", "predicted", "in train"]
    keys = ("label", "precision", "recall", "f", "support", "predicted", "train")
    table = Table("Scores per type", columns, [[row[key] for key in keys] for row in rows])
    for kind in ("micro", "macro"):
        mean = numbers[kind]
        sums = [numbers["entities"], numbers["predicted"]] if kind == "micro" else [None, None]
        table.rows.append([f"all, {kind}", mean["p"], mean["r"], mean["f"], *sums, None])
    shown = sorted(rows, key=lambda row: -row["support"])[:MOST_TYPES]
    left = len(rows) - len(shown)
    more = f" The chart has the {MOST_TYPES} most frequent; the table has all." if left else ""
    return Figure(
        "Scores per type",
        "The bar is F1. The diamond is precision: of what was predicted, how much is right. "
        "The circle is recall: of what is annotated, how much was found." + more,
        advice_on_types(numbers),
        table,
        name,
        scores(shown),
        wide=True,
    )


def _tags(numbers: Numbers, name: str) -> Figure:
    columns = ["tag", "precision", "recall", "F1", "gold"]
    keys = ("tag", "precision", "recall", "f", "support")
    rows = [[row[key] for key in keys] for row in numbers["per_tag"]]
    return Figure(
        "Scores per tag",
        "Each word by itself: B- begins an entity, I- goes on with it, O is outside.",
        "Where I- is much worse than B-, entities are cut short: see the boundary errors below.",
        Table("Scores per tag", columns, rows),
        name,
    )


def _confusion(numbers: Numbers, name: str) -> Figure:
    matrix = numbers["confusion"]
    labels, counts = matrix["labels"], matrix["counts"]
    shown, cells, left = folded(labels, counts, 1, 1)
    title = "Gold types and what they were taken for"
    whole = Matrix([*labels, SPURIOUS], [*labels, MISSED], counts, SIDES)
    table, files = whole.to_tables(title, name, by_column=1)
    exact = dict(zip(labels, matrix["exact"], strict=True))
    table.columns.append("exact boundaries")
    for row in table.rows:
        row.append(exact.get(row[0]) if row[0] == row[1] else None)
    more = f" {left} rare types stand together." if left else ""
    return Figure(
        "Confusion matrix",
        "A row is what is annotated, a column what was predicted. The diagonal, in blue, is the "
        "right type, with right or nearly right boundaries; the stronger the orange, the larger "
        "the share. The last column was missed; the last row was predicted where "
        "nothing is annotated." + more,
        advice_on_confusion(numbers),
        table,
        name,
        heat_map(Matrix([*shown, SPURIOUS], [*shown, MISSED], cells, SIDES), by_column=1),
        wide=len(cells) > 5,
        more=files,
    )


def _pairs(numbers: Numbers, name: str) -> List[Block]:
    pairs = numbers["confused_pairs"]
    if not pairs:
        return []
    table = Table(
        "Types taken for others", ["gold", "predicted", "count", "share of the gold type"]
    )
    table.rows = [[row[key] for key in ("gold", "predicted", "count", "share")] for row in pairs]
    first = pairs[0]
    says = (
        f"{first['gold']} was taken for {first['predicted']} most often: {first['count']:,} times, "
        f"{percent(first['share'])} of all {first['gold']}."
    )
    do = (
        "Say in the annotation guide how to tell the two types apart. Merge types that people "
        "confuse, too."
    )
    read = (
        "Where you would have decided as the pipeline did, correct the annotation. Where the text "
        "does not tell which type it is, no model can."
    )
    listed = [
        example(one, f"{pair['gold']} taken for {pair['predicted']}")
        for pair in pairs
        for one in pair["examples"]
    ]
    blocks: List[Block] = [Figure("Most confused types", says, do, table, name)]
    if listed:
        title, shows = (
            "Examples of confused types",
            "Each text as it is annotated, and as predicted.",
        )
        blocks.append(Examples(title, shows, read, listed))
    return blocks


def _error_examples(examples: Mapping[str, Sequence[Numbers]]) -> List[Block]:
    blocks: List[Block] = []
    for kind, (title, says) in KINDS.items():
        if examples.get(kind):
            items = [example(one) for one in examples[kind]]
            blocks.append(Examples(title, f"These {says}.", EXAMPLES[kind], items))
    return blocks

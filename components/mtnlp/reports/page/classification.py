"""The section on classification: one group of figures per task."""

from typing import Any, List, Mapping, Sequence

from ..tables import Table
from .blocks import Block, Examples, Facts, Figure, Group, LabelledText, Section
from .cells import number, percent
from .charts import lines, scores
from .heat import Matrix, folded, heat_map
from .names import slugs
from .shares import shares_figure, threshold_figure
from .trust import reliability_figure

Numbers = Mapping[str, Any]

# Labels that a chart shows at most, and below how many documents a score says little.
MOST_LABELS = 40
FEW = 10
# Scores of labels that differ by less say nothing.
ALIKE = 0.02
# In brackets, as it is no label.
NONE = "(none)"
# How a mistake is told behind its label.
ERRORS = {"other label": "instead"}
# Recalls at which the table behind the curves gives the precision.
RECALLS = (0.25, 0.5, 0.75, 0.9)


def classification_section(numbers: Numbers) -> Section:
    """A group per task. numbers: `classification` of a report, by "component: task"."""
    names = slugs(numbers)
    groups = [
        Group(
            f"classification-{names[task]}",
            task,
            task_blocks(found, f"classification-{names[task]}"),
            _lead(found),
        )
        for task, found in numbers.items()
    ]
    return Section("classification", "Classification", groups=groups)


def task_blocks(numbers: Numbers, name: str) -> List[Block]:
    """All that there is to show of one task. name: what its tables' names begin with."""
    blocks: List[Block] = [_summary(numbers), _labels(numbers, f"{name}-labels")]
    if numbers["confusion"]:
        blocks.append(_confusion(numbers, f"{name}-confusion"))
    if numbers["error_cooccurrence"]:
        blocks.append(_cooccurrence(numbers, f"{name}-errors-together"))
    if numbers["pr_curves"]:
        blocks.append(_curves(numbers, f"{name}-curves"))
    if numbers["reliability"]:
        blocks.append(reliability_figure(numbers["reliability"], f"{name}-reliability", "answers"))
    exclusive = bool(numbers["exclusive"])
    blocks.append(shares_figure(numbers["per_label"], f"{name}-shares", exclusive=exclusive))
    if any(row["threshold"] is not None for row in numbers["per_label"]):
        blocks.append(threshold_figure(numbers["per_label"], f"{name}-thresholds"))
    if numbers["mistakes"]:
        blocks.append(_mistakes(numbers["mistakes"]))
    return blocks


def _lead(numbers: Numbers) -> str:
    says = "exactly one label" if numbers["exclusive"] else "any number of labels"
    return (
        f"{numbers['documents']:,} documents with {says} of {len(numbers['labels'])}. "
        "Documents that nobody annotated for this task count for nothing."
    )


def _summary(numbers: Numbers) -> Block:
    items = []
    if numbers["accuracy"] is not None:
        says = "Accuracy" if numbers["exclusive"] else "Accuracy: all labels of a text right"
        items.append((says, number(numbers["accuracy"])))
    for kind, says in (("micro", "all answers alike"), ("macro", "all labels alike")):
        row = numbers[kind]
        figures = f"{number(row['f'])} (P {number(row['p'])}, R {number(row['r'])})"
        items.append((f"F1, {kind}: {says}", figures))
    return Facts(items)


def _labels(numbers: Numbers, name: str) -> Figure:
    rows = numbers["per_label"]
    columns = ["label", "precision", "recall", "F1", "gold", "predicted", "in train"]
    keys = ["label", "precision", "recall", "f", "support", "predicted", "train"]
    if any(row["threshold"] is not None for row in rows):
        columns.append("threshold")
        keys.append("threshold")
    table = Table("Scores per label", columns, [[row[key] for key in keys] for row in rows])
    shown = sorted(rows, key=lambda row: -row["support"])[:MOST_LABELS]
    more = ""
    if len(shown) < len(rows):
        more = f" The chart has the {MOST_LABELS} most frequent; the table has all."
    return Figure(
        "Scores per label",
        "The bar is F1. The diamond is precision: of the texts that got the label, how many "
        "should have it. The circle is recall: of those that should have it, how many got it."
        + more,
        _advice_on_labels(rows),
        table,
        name,
        scores(shown),
        wide=True,
    )


def _advice_on_labels(rows: Sequence[Numbers]) -> str:
    known = [row for row in rows if row["support"] >= FEW and row["f"] is not None]
    if not known:
        return f"No label has {FEW} documents here: score on more of them first."
    worst, best = (of(known, key=lambda row: row["f"]) for of in (min, max))
    if len(known) > 1 and best["f"] - worst["f"] < ALIKE:
        return f"No label is much weaker than another: all have an F1 near {number(best['f'])}."
    train = "" if worst["train"] is None else f", {worst['train']:,} in train"
    return (
        f"{worst['label']} is the weakest with at least {FEW} documents (F1 "
        f"{number(float(worst['f']))}{train}). If it is rare, annotate more of it; if not, its "
        "definition may overlap with another's: see the errors below."
    )


def _confusion(numbers: Numbers, name: str) -> Figure:
    matrix = numbers["confusion"]
    labels, counts = matrix["labels"], matrix["counts"]
    # The last column is there for documents that may stay without an answer.
    if not any(line[-1] for line in counts):
        counts = [line[:-1] for line in counts]
    none = [NONE] * (len(counts[0]) - len(labels))
    shown, cells, left = folded(labels, counts, 0, len(none))
    sides = ("gold", "predicted")
    whole = Matrix(labels, [*labels, *none], counts, sides)
    table, files = whole.to_tables("Gold labels and predicted ones", name)
    more = f" {left} rare labels stand together." if left else ""
    wrong = [
        (count, labels[row], [*labels, *none][column])
        for row, line in enumerate(counts)
        for column, count in enumerate(line)
        if row != column and count
    ]
    do = "Nothing: there is no error."
    if wrong:
        count, gold, predicted = max(wrong, key=lambda one: one[0])
        do = (
            f"Most often, {gold} was taken for {predicted}: {count:,} times. Read such texts, and "
            "see whether people would agree on them."
        )
    return Figure(
        "Confusion matrix",
        "A row is the gold label, a column the predicted one. The diagonal, in blue, is right; the "
        "stronger the orange, the larger the share of the row." + more,
        do,
        table,
        name,
        heat_map(Matrix(shown, [*shown, *none], cells, sides)),
        wide=len(cells) > 5,
        more=files,
    )


def _cooccurrence(numbers: Numbers, name: str) -> Figure:
    matrix = numbers["error_cooccurrence"]
    labels, counts = matrix["labels"], matrix["counts"]
    shown, cells, left = folded(labels, counts, 0, 0)
    sides = ("missed", "spurious")
    whole = Matrix(labels, labels, counts, sides)
    table, files = whole.to_tables("Missed labels with spurious ones", name)
    more = f" {left} rare labels stand together." if left else ""
    pairs = [
        (count, labels[row], labels[column])
        for row, line in enumerate(counts)
        for column, count in enumerate(line)
        if count
    ]
    do = "Nothing: no text misses one label and has a spurious one."
    if pairs:
        count, missed, spurious = max(pairs, key=lambda one: one[0])
        (row,) = (row for row in numbers["per_label"] if row["label"] == missed)
        lost = row["support"] - round(row["support"] * row["recall"])
        do = (
            f"Most often, texts that miss {missed} have {spurious} instead: {count:,} of {lost:,}. "
        )
        if count >= FEW and count >= lost / 2:
            do += (
                "Two labels that replace each other are one label to the pipeline, and perhaps to "
                "the annotators."
            )
        else:
            do += "That is no rule: look at each label by itself."
    return Figure(
        "Errors that come together",
        "Of texts that miss the label of the row: which label they were given instead." + more,
        do,
        table,
        name,
        heat_map(Matrix(shown, shown, cells, sides), diagonal=False),
        wide=True,
        more=files,
    )


def _curves(numbers: Numbers, name: str) -> Figure:
    support = {row["label"]: row["support"] for row in numbers["per_label"]}
    curves = sorted(numbers["pr_curves"], key=lambda curve: -support.get(curve["label"], 0))
    shown = curves[:MOST_LABELS]
    values = [
        {"x": recall, "y": precision, "of": curve["label"]}
        for curve in shown
        for recall, precision in zip(curve["recall"], curve["precision"], strict=True)
    ]
    points = Table("All points of the curves", ["label", "recall", "precision", "threshold"])
    points.rows = [
        [curve["label"], *point]
        for curve in curves
        for point in zip(curve["recall"], curve["precision"], curve["threshold"], strict=True)
    ]
    columns = ["label", "average precision", *(f"precision at recall {at}" for at in RECALLS)]
    table = Table("Precision that a recall allows", columns)
    table.rows = [
        [curve["label"], curve["average_precision"], *(_precision_at(curve, at) for at in RECALLS)]
        for curve in curves
    ]
    more = ""
    if len(shown) < len(curves):
        more = f" The chart has the {MOST_LABELS} most frequent labels; the table has all."
    use = "set the threshold of the label to it."
    if numbers["exclusive"]:
        use = "leave answers of a lower probability to a person."
    return Figure(
        "Precision and recall",
        "What each threshold gives: along a curve the threshold falls, more is found, and less of "
        "it is right. The nearer to the upper right corner, the better." + more,
        f"Choose the point that your use needs, and {use} A low curve needs more data or a clearer "
        "label; no threshold helps there.",
        table,
        name,
        lines(values, "recall", "precision", of=[curve["label"] for curve in shown]),
        more={f"{name}-points": points},
    )


def _precision_at(curve: Numbers, recall: float) -> Any:
    """The best precision with at least this recall; None where no threshold reaches it."""
    points = zip(curve["recall"], curve["precision"], strict=True)
    return max((precision for found, precision in points if found >= recall), default=None)


def _mistakes(mistakes: Sequence[Numbers]) -> Block:
    items = [
        LabelledText(
            one["text"],
            [("gold", one["gold"]), ("predicted", one["predicted"])],
            f"{one['label']} {ERRORS.get(one['error'], one['error'])}, "
            f"{percent(one['score'])} sure",
        )
        for one in mistakes
    ]
    return Examples(
        "Most confident mistakes",
        "Texts on which the pipeline was surest, and which the gold says are wrong.",
        "Check the gold of these first: where a pipeline is sure, the annotation is often wrong. "
        "What remains is what it does not understand, such as irony.",
        items,
        at_once=4,
    )

"""What one could do about the errors of a component that finds entities."""

from typing import Any, Dict, List, Mapping, Tuple

from .cells import number

Numbers = Mapping[str, Any]

# Below how many gold entities a score says little.
FEW = 10
EXAMPLES: Dict[str, str] = {
    "missed": "Look for what they have in common: a domain, a spelling, a length. Annotate more "
    "such texts.",
    "spurious": "Check the gold first: some of these may be right. Then ask for a minimum "
    "confidence.",
    "fragmented": "Long names come in pieces where few of their length are in train. Annotate more "
    "of them, or try a span classifier, which scores whole spans.",
    "merged": "Entities that stand side by side need B- tags in train. Check that the annotation "
    "keeps them apart.",
}


def advice_on_types(numbers: Numbers) -> str:
    """About the weakest type: what becomes of it most often. numbers: of a component."""
    rows = numbers["per_type"]
    known = [row for row in rows if row["support"] >= FEW and row["f"] is not None]
    if not known:
        return f"No type has {FEW} gold entities here: score on more documents first."
    worst = min(known, key=lambda row: row["f"])
    says = f"{worst['label']} is the weakest of those with at least {FEW} gold entities"
    says += f" (F1 {number(float(worst['f']))})."
    count, what = max(_errors_of(worst, numbers["confusion"]), key=lambda one: one[0])
    return f"{says} {what}" if count else says


def _errors_of(row: Numbers, confusion: Numbers) -> List[Tuple[int, str]]:
    """The errors that a type has part in: how many, and what they are and call for."""
    labels, counts = confusion["labels"], confusion["counts"]
    place = labels.index(row["label"])
    line, column = counts[place], [other[place] for other in counts]
    others = [other for other in range(len(labels)) if other != place]
    errors = [
        (
            line[-1],
            f"Most often it is missed: {line[-1]:,} of {row['support']:,}. Annotate more examples "
            "of it.",
        ),
        (
            column[-1],
            f"Most often it is predicted where nothing is annotated: {column[-1]:,} of "
            f"{row['predicted']:,}. Check whether the gold misses some, then ask for a minimum "
            "confidence.",
        ),
    ]
    wrong = line[place] - confusion["exact"][place]
    errors.append(
        (
            wrong,
            f"Most often its words are wrong: {wrong:,} of {row['support']:,}. Settle in the "
            "annotation guide where it begins and ends.",
        )
    )
    if others:
        to = max(others, key=lambda other: line[other])
        of = max(others, key=lambda other: column[other])
        see = "See the examples of confused types."
        errors += [
            (
                line[to],
                f"Most often it is taken for {labels[to]}: {line[to]:,} of {row['support']:,}. "
                f"{see}",
            ),
            (
                column[of],
                f"Most often {labels[of]} is taken for it: {column[of]:,} of the "
                f"{row['predicted']:,} predicted. {see}",
            ),
        ]
    return errors


def advice_on_confusion(numbers: Numbers) -> str:
    """About all errors of labels. numbers: of a component."""
    counts = numbers["confusion"]["counts"]
    missed = sum(line[-1] for line in counts[:-1])
    spurious = sum(counts[-1])
    confused = sum(
        count
        for row, line in enumerate(counts[:-1])
        for column, count in enumerate(line[:-1])
        if row != column
    )
    if not missed + spurious + confused:
        return "Nothing: there is no error."
    advice = {
        missed: "Missed ones are the largest part: more annotated text helps, or a lower threshold "
        "where the component has one.",
        spurious: "Spurious ones are the largest part: check whether the gold misses entities, or "
        "ask for a minimum confidence.",
        confused: "Wrong types are the largest part: sharpen the definitions of the types that "
        "are taken for each other.",
    }
    return (
        f"{missed:,} missed, {spurious:,} spurious, {confused:,} of the wrong type. "
        f"{advice[max(missed, spurious, confused)]}"
    )

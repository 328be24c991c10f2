"""What matters most about a task of a classifier."""

from typing import Any, Iterator, Mapping

from .finding import CLASSIFICATION, FEW, ErrorSums, Finding, confidence_findings

# A label that train has less often is rare.
RARE = 50


def category_findings(name: str, found: Mapping[str, Any]) -> Iterator[Finding]:
    """About a task of a classifier. found: of `CategoryReport.result`."""
    if found["exclusive"]:
        yield from _confused_classes(name, found)
    else:
        yield from _labels(name, found)
    labels = [
        (row["label"], found["documents"], row["mean_score"], row["gold_share"])
        for row in found["per_label"]
        if row["mean_score"] is not None
    ]
    yield from confidence_findings(name, found["reliability"], CLASSIFICATION, labels)


def _confused_classes(name: str, found: Mapping[str, Any]) -> Iterator[Finding]:
    labels, counts = found["confusion"]["labels"], found["confusion"]["counts"]
    pairs = {(i, j): counts[i][j] + counts[j][i] for i in range(len(labels)) for j in range(i)}
    if not pairs or max(pairs.values()) < FEW:
        return
    one, other = max(pairs, key=lambda pair: pairs[pair])
    if counts[one][other] < counts[other][one]:
        one, other = other, one
    points = (counts[one][other] + counts[other][one]) / found["documents"]
    yield Finding(
        f"{name}: {labels[one]} and {labels[other]} are confused most: {counts[one][other]:,} "
        f"{labels[one]} are taken for {labels[other]}, {counts[other][one]:,} the other way round; "
        f"{100 * points:.1f} points of accuracy. Read the most confident mistakes.",
        CLASSIFICATION,
        name,
        "confused",
        points,
    )


def _labels(name: str, found: Mapping[str, Any]) -> Iterator[Finding]:
    """The labels of a multi-label task that are missed, or seen, too often; and rare ones."""
    rows = found["per_label"]
    right = {row["label"]: round(row["recall"] * row["support"]) for row in rows}
    missed = {row["label"]: row["support"] - right[row["label"]] for row in rows}
    spurious = {row["label"]: row["predicted"] - right[row["label"]] for row in rows}
    sums = (sum(counts.values()) for counts in (right, missed, spurious))
    errors = ErrorSums(*sums)
    by_label = {row["label"]: row for row in rows}
    for kind, counts in (("missed", missed), ("spurious", spurious)):
        label = max(counts, key=lambda label: counts[label], default="")
        if counts.get(label, 0) < FEW:
            continue
        row, points = by_label[label], errors.gain(**{kind: counts[label]})
        # Missed although it is predicted often, or spurious although it is not.
        is_odd = (kind == "missed") == (row["predicted"] > row["support"])
        but = ", though" if is_odd and row["predicted"] != row["support"] else ":"
        yield Finding(
            f"{name}: {counts[label]:,} {label} are {kind}{but} it is predicted in "
            f"{row['predicted_share']:.0%} of the texts and gold in {row['gold_share']:.0%}; "
            f"{100 * points:.1f} points of F1. {_advise(kind, row)}",
            CLASSIFICATION,
            name,
            kind,
            points,
        )
    rare = [row for row in rows if row["train"] is not None and row["train"] < RARE]
    lost = sum(missed[row["label"]] for row in rare)
    if lost >= FEW:
        points = errors.gain(missed=lost)
        yield Finding(
            f"{name}: {len(rare)} labels have fewer than {RARE} examples in train; {lost:,} of "
            f"their {sum(row['support'] for row in rare):,} are missed, {100 * points:.1f} points "
            "of F1. More examples of these are worth most.",
            CLASSIFICATION,
            name,
            "rare",
            points,
        )


def _advise(kind: str, row: Mapping[str, Any]) -> str:
    """What could be done about a label that is missed, or spurious."""
    if kind == "missed" and row["predicted"] < row["support"]:
        return "A lower threshold would find more: `mtnlp calibrate` fits it."
    if kind == "spurious" and row["predicted"] > row["support"]:
        return "A higher threshold would drop some: `mtnlp calibrate` fits it."
    return "No threshold helps there: look at which other labels stand in its place."

"""What matters most about the entities of a component."""

from typing import Any, Dict, Iterator, Mapping

from .boundaries import OUTCOMES
from .breakdowns import SEEN, UNSEEN
from .finding import ENTITIES, FEW, ErrorSums, Finding, confidence_findings

WRONG_WORDS = ("too_long", "too_short", "shifted", "fragmented", "merged")


def entity_findings(name: str, found: Mapping[str, Any]) -> Iterator[Finding]:
    """About the entities of a component. found: of `EntityReport.result`."""
    right = sum(found["confusion"]["exact"])
    errors = ErrorSums(right, found["entities"] - right, found["predicted"] - right)
    total = max(1, errors.missed + errors.spurious)

    def finding(text: str, kind: str, missed: float = 0, spurious: float = 0) -> Finding:
        share = (missed + spurious) / total
        points = errors.gain(missed, spurious)
        end = f" That is {share:.0%} of its errors, {100 * points:.1f} points of F1."
        return Finding(f"{name}: {text}{end}", ENTITIES, name, kind, points)

    yield from _confused(found, finding)
    yield from _boundaries(found, finding)
    yield from _missed_and_spurious(found, finding)
    yield from _unseen(found, finding)
    labels = [
        (row["label"], row["predicted"], row["confidence"], row["precision"])
        for row in found["per_type"]
        if row["confidence"] is not None
    ]
    yield from confidence_findings(name, found["reliability"], ENTITIES, labels)


def _confused(found: Mapping[str, Any], finding: Any) -> Iterator[Finding]:
    """The two labels that are confused most."""
    both: Dict[tuple[str, str], int] = {}
    one_way = {(row["gold"], row["predicted"]): row["count"] for row in found["confused_pairs"]}
    for (gold, predicted), count in one_way.items():
        pair = (gold, predicted) if gold < predicted else (predicted, gold)
        both[pair] = both.get(pair, 0) + count
    if both and max(both.values()) >= FEW:
        first, second = min(both, key=lambda pair: (-both[pair], pair))
        if one_way.get((first, second), 0) < one_way.get((second, first), 0):
            first, second = second, first
        there, back = (one_way.get(pair, 0) for pair in ((first, second), (second, first)))
        yield finding(
            f"{first} and {second} are confused most: {there:,} {first} are taken for {second}, "
            f"{back:,} {second} for {first}. Look at how the two are told apart in the guidelines, "
            "and add examples of both.",
            "confused",
            missed=there + back,
            spurious=there + back,
        )


def _boundaries(found: Mapping[str, Any], finding: Any) -> Iterator[Finding]:
    """Entities whose words are wrong."""
    totals = {kind: sum(row[kind] for row in found["boundaries"]) for kind in WRONG_WORDS}
    wrong = sum(totals.values())
    if wrong < FEW:
        return
    most = max(WRONG_WORDS, key=lambda kind: totals[kind])
    long = found["boundaries"][-1]
    number = sum(long[outcome] for outcome in OUTCOMES)
    lost = number - long["right"]
    tail = ""
    if number >= FEW and lost:
        tail = (
            f" Of {number:,} entities with {long['length'].rstrip('+')} or more words {lost:,} are "
            f"not found as they are, {long['fragmented']:,} of them broken into pieces."
        )
    yield finding(
        f"{wrong:,} entities are found with other words, most often {most.replace('_', ' ')} "
        f"({totals[most]:,}).{tail} Check that long entities are annotated alike.",
        "boundaries",
        missed=wrong,
        spurious=wrong,
    )


def _missed_and_spurious(found: Mapping[str, Any], finding: Any) -> Iterator[Finding]:
    """The label that is missed most, and the one that is most seen where nothing is."""
    labels, counts = found["confusion"]["labels"], found["confusion"]["counts"]
    if not labels:
        return
    missed = max(range(len(labels)), key=lambda row: counts[row][-1])
    spurious = max(range(len(labels)), key=lambda column: counts[-1][column])
    rows = {row["label"]: row for row in found["per_type"]}
    if (count := counts[missed][-1]) >= FEW:
        row = rows[labels[missed]]
        text = f"{count:,} of {row['support']:,} {labels[missed]} are missed."
        if row["train"] is not None:
            text += f" Train has {row['train']:,} of them: more would help."
        yield finding(text, "missed", missed=count)
    if (count := counts[-1][spurious]) >= FEW:
        row = rows[labels[spurious]]
        yield finding(
            f"{count:,} of {row['predicted']:,} predicted {labels[spurious]} are seen where "
            "nothing is. A minimum confidence drops some; some may be missing annotations.",
            "spurious",
            spurious=count,
        )


def _unseen(found: Mapping[str, Any], finding: Any) -> Iterator[Finding]:
    """What it costs that train does not know a form: the recall of known ones would find more."""
    rows = {row["bucket"]: row for row in found["breakdowns"]["by_seen"]}
    if SEEN in rows and rows[UNSEEN]["support"] and rows[SEEN]["support"]:
        seen, unseen = rows[SEEN], rows[UNSEEN]
        lost = (seen["recall"] - unseen["recall"]) * unseen["support"]
        if lost >= FEW:
            yield finding(
                f"{unseen['support']:,} of the entities are names that train does not have: "
                f"{unseen['recall']:.0%} of these are found, of known ones {seen['recall']:.0%}. "
                "More varied names in train would help.",
                "missed",
                missed=lost,
            )

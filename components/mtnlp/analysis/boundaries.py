"""Whether entities are found with their boundaries, by how long they are."""

from collections import Counter
from typing import AbstractSet, Any, Dict, List, Sequence, Tuple

from ..evaluation.alignment import (
    BOUNDARIES,
    MISSED,
    OTHER_LABEL,
    OVERLAP,
    RIGHT,
    Match,
    overlap,
)
from ..scorers.entities import SpanKey
from .document import EntityDocument

OUTCOMES = (
    "right",
    "other_label",
    "too_long",
    "too_short",
    "shifted",
    "fragmented",
    "merged",
    "missed",
)
LENGTHS = ("1", "2", "3", "4", "5+")


class Boundaries:
    """Counts what became of gold entities, by label and length in tokens.

    right: found exactly. other_label: another label, with these words or most of them.
    fragmented: two or more wrong predictions that do not overlap lie within it, one of them with
    its label. merged: one wrong prediction with its label reaches over it and over another missed
    entity of that label. too_long, too_short, shifted: a prediction with its label covers it, lies
    within it, or is neither. missed: anything else.
    """

    def __init__(self) -> None:
        self.counts: Counter[Tuple[str, str, str]] = Counter()

    def add(self, document: EntityDocument) -> None:
        """Take up a document."""
        wrong = document.predicted - document.gold
        missed = document.gold - document.predicted
        for match in document.matches:
            if match.gold is not None:
                entity = match.gold
                outcome = find_outcome(entity, match, missed, wrong)
                self.counts[entity[2], length_name(entity), outcome] += 1

    def by_length(self) -> List[Dict[str, Any]]:
        """Returns: [{"length", each of OUTCOMES}], all lengths."""
        return [{"length": length, **self._row(length)} for length in LENGTHS]

    def by_type(self, labels: Sequence[str]) -> List[Dict[str, Any]]:
        """Returns: [{"label", "length", each of OUTCOMES}], of lengths that a label has."""
        rows = (
            {"label": label, "length": length, **self._row(length, label)}
            for label in labels
            for length in LENGTHS
        )
        return [row for row in rows if any(row[outcome] for outcome in OUTCOMES)]

    def _row(self, length: str, label: str = "") -> Dict[str, Any]:
        """How often each outcome was. label: of which, of all by default."""
        row: Dict[str, Any] = dict.fromkeys(OUTCOMES, 0)
        for (of, long, outcome), count in self.counts.items():
            if long == length and label in ("", of):
                row[outcome] += count
        return row


def find_outcome(
    entity: SpanKey, match: Match, missed: AbstractSet[SpanKey], wrong: AbstractSet[SpanKey]
) -> str:
    """What became of a gold entity; one of OUTCOMES.

    match: that it is in. missed: gold entities that are not predicted. wrong: predictions that are
    not gold.
    """
    if match.kind == RIGHT:
        return "right"
    if match.kind == OTHER_LABEL:
        return "other_label"
    if len(find_fragments(entity, wrong)) > 1:
        return "fragmented"
    if find_merged(entity, missed, wrong)[0]:
        return "merged"
    if match.kind == OVERLAP:
        return "other_label"
    if match.kind == BOUNDARIES and match.predicted is not None:
        return _compare(entity, match.predicted)
    return MISSED


def find_fragments(entity: SpanKey, wrong: AbstractSet[SpanKey]) -> List[SpanKey]:
    """The pieces that an entity was broken into: wrong predictions within it, one of them with its
    label, at least two of them apart; none where it was not broken."""
    pieces = [
        piece
        for piece in sorted(wrong)
        if entity[0] <= piece[0] and piece[1] <= entity[1] and piece[:2] != entity[:2]
    ]
    if not any(piece[2] == entity[2] for piece in pieces):
        return []
    # Some end before others begin.
    is_broken = min(piece[1] for piece in pieces) <= max(piece[0] for piece in pieces)
    return pieces if is_broken else []


def find_merged(
    entity: SpanKey, missed: AbstractSet[SpanKey], wrong: AbstractSet[SpanKey]
) -> Tuple[List[SpanKey], List[SpanKey]]:
    """What an entity was merged into, and with which.

    Returns: the wrong prediction with its label that reaches over it and over another missed entity
        of its label beside it; and all these entities in order. Both are empty where there is no
        such one.
    """
    for whole in sorted(wrong):
        if whole[2] == entity[2] and overlap(whole, entity):
            parts = [
                other
                for other in sorted(missed)
                if other[2] == entity[2] and overlap(whole, other)
                if other == entity or not overlap(other, entity)
            ]
            if len(parts) > 1:
                return [whole], parts
    return [], []


def length_name(entity: SpanKey) -> str:
    """One of LENGTHS."""
    return LENGTHS[min(max(entity[1] - entity[0], 1), len(LENGTHS)) - 1]


def _compare(entity: SpanKey, predicted: SpanKey) -> str:
    if predicted[0] <= entity[0] and entity[1] <= predicted[1]:
        return "too_long"
    if entity[0] <= predicted[0] and predicted[1] <= entity[1]:
        return "too_short"
    return "shifted"

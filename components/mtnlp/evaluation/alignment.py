"""Which predicted entity stands for which gold one."""

from dataclasses import dataclass
from typing import AbstractSet, Callable, List, Optional

from ..scorers.entities import SpanKey

RIGHT, OTHER_LABEL, BOUNDARIES, OVERLAP = "right", "other label", "boundaries", "overlap"
MISSED, SPURIOUS = "missed", "spurious"


@dataclass(frozen=True)
class Match:
    """A gold entity and the predicted one that stands for it.

    kind: RIGHT; OTHER_LABEL for the same words; BOUNDARIES for the same label; OVERLAP for another
    label on other words, at least half of which are shared; MISSED where predicted is None,
    SPURIOUS where gold is.
    """

    kind: str
    gold: Optional[SpanKey]
    predicted: Optional[SpanKey]


def align_entities(gold: AbstractSet[SpanKey], predicted: AbstractSet[SpanKey]) -> List[Match]:
    """Every gold and every predicted entity of a document, in one match each.

    A wrong prediction stands for a gold entity of the same words, else for one of its label that
    it overlaps, else for one that shares at least half of the words that either has; each time for
    the nearest one that is left.
    """
    missed, spurious = sorted(gold - predicted), sorted(predicted - gold)
    matches = [Match(RIGHT, entity, entity) for entity in sorted(gold & predicted)]
    for kind, stands_for in _STAGES:
        for wrong in list(spurious):
            near = [entity for entity in missed if stands_for(wrong, entity)]
            if near:
                entity = min(near, key=lambda entity: distance(wrong, entity))
                missed.remove(entity)
                spurious.remove(wrong)
                matches.append(Match(kind, entity, wrong))
    matches += [Match(MISSED, entity, None) for entity in missed]
    return matches + [Match(SPURIOUS, None, entity) for entity in spurious]


def overlap(one: SpanKey, other: SpanKey) -> int:
    """How many tokens two entities share."""
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))


def distance(one: SpanKey, other: SpanKey) -> int:
    """By how many tokens the boundaries differ."""
    return abs(one[0] - other[0]) + abs(one[1] - other[1])


def _same_words(one: SpanKey, other: SpanKey) -> bool:
    return one[:2] == other[:2]


def _same_label(one: SpanKey, other: SpanKey) -> bool:
    return one[2] == other[2] and overlap(one, other) > 0


def _half_shared(one: SpanKey, other: SpanKey) -> bool:
    # Two that overlap cover what lies between their outer edges.
    either = max(one[1], other[1]) - min(one[0], other[0])
    return overlap(one, other) > 0 and 2 * overlap(one, other) >= either


_STAGES: List[tuple[str, Callable[[SpanKey, SpanKey], bool]]] = [
    (OTHER_LABEL, _same_words),
    (BOUNDARIES, _same_label),
    (OVERLAP, _half_shared),
]

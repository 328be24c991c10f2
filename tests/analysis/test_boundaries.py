"""What becomes of entities, by hand, and that each of them is counted once."""

from collections import Counter
from typing import Dict, List, Set, Tuple

import pytest
from hypothesis import given

from mtnlp.analysis.boundaries import LENGTHS, OUTCOMES, Boundaries
from mtnlp.scorers.entities import SpanKey
from tests.analysis.documents import LABELS, PAIRS, make_document

Layer = Set[SpanKey]


def outcomes(gold: Layer, predicted: Layer) -> Dict[Tuple[str, str, str], int]:
    boundaries = Boundaries()
    boundaries.add(make_document(gold, predicted))
    return dict(boundaries.counts)


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        ({(1, 5, "A")}, {(1, 5, "A"), (1, 2, "A"), (3, 5, "A")}, {("A", "4", "right"): 1}),
        ({(1, 5, "A")}, {(1, 5, "B")}, {("A", "4", "other_label"): 1}),
        # Another label on most of its words.
        ({(1, 5, "A")}, {(2, 5, "B")}, {("A", "4", "other_label"): 1}),
        ({(1, 5, "A")}, {(0, 5, "A")}, {("A", "4", "too_long"): 1}),
        ({(1, 6, "A")}, {(2, 4, "A")}, {("A", "5+", "too_short"): 1}),
        ({(1, 4, "A")}, {(2, 5, "A")}, {("A", "3", "shifted"): 1}),
        ({(1, 7, "A")}, {(1, 3, "A"), (4, 7, "B")}, {("A", "5+", "fragmented"): 1}),
        # Pieces of other labels alone, or within one another, are no fragments.
        ({(1, 7, "A")}, {(1, 3, "C"), (5, 7, "B")}, {("A", "5+", "missed"): 1}),
        ({(1, 7, "A")}, {(1, 5, "A"), (2, 4, "A")}, {("A", "5+", "too_short"): 1}),
        # An inner entity that is right is no piece.
        (
            {(1, 7, "A"), (5, 7, "B")},
            {(1, 3, "A"), (5, 7, "B")},
            {("A", "5+", "too_short"): 1, ("B", "2", "right"): 1},
        ),
        (
            {(1, 2, "A"), (3, 5, "A")},
            {(1, 5, "A")},
            {("A", "1", "merged"): 1, ("A", "2", "merged"): 1},
        ),
        # One of the two is found: the other one is too long.
        (
            {(1, 2, "A"), (3, 5, "A")},
            {(1, 5, "A"), (3, 5, "A")},
            {("A", "1", "too_long"): 1, ("A", "2", "right"): 1},
        ),
        # One within the other is no neighbour.
        (
            {(1, 5, "A"), (3, 5, "A")},
            {(1, 6, "A")},
            {("A", "4", "too_long"): 1, ("A", "2", "missed"): 1},
        ),
        ({(1, 5, "A")}, {(5, 6, "A")}, {("A", "4", "missed"): 1}),
    ],
)
def test_outcomes_by_hand(
    gold: Layer, predicted: Layer, expected: Dict[Tuple[str, str, str], int]
) -> None:
    assert outcomes(gold, predicted) == expected


@given(PAIRS)
def test_every_gold_entity_has_one_outcome(pairs: List[Tuple[Layer, Layer]]) -> None:
    boundaries = Boundaries()
    for gold, predicted in pairs:
        boundaries.add(make_document(gold, predicted))
    lengths = Counter(min(end - start, 5) for gold, _ in pairs for start, end, _ in gold)
    rows = boundaries.by_length()
    assert [row["length"] for row in rows] == list(LENGTHS)
    assert [sum(row[kind] for kind in OUTCOMES) for row in rows] == [
        lengths[number] for number in range(1, 6)
    ]
    assert sum(row["right"] for row in rows) == sum(len(a & b) for a, b in pairs)
    by_type = boundaries.by_type(LABELS)
    for row in rows:
        of_length = [other for other in by_type if other["length"] == row["length"]]
        for kind in OUTCOMES:
            assert sum(other[kind] for other in of_length) == row[kind]
    labels = Counter(span[2] for gold, _ in pairs for span in gold)
    for label in LABELS:
        own = [row for row in by_type if row["label"] == label]
        assert sum(row[kind] for row in own for kind in OUTCOMES) == labels[label]

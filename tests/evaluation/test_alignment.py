"""Which prediction stands for which gold entity, by hand and by what holds of any."""

from typing import List, Set

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtnlp.evaluation.alignment import (
    BOUNDARIES,
    MISSED,
    OTHER_LABEL,
    OVERLAP,
    RIGHT,
    SPURIOUS,
    Match,
    align_entities,
)
from mtnlp.scorers.entities import SpanKey

SPANS = st.builds(
    lambda start, width, label: (start, start + width, label),
    st.integers(0, 6),
    st.integers(1, 4),
    st.sampled_from("AB"),
)


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        ({(0, 2, "A")}, {(0, 2, "A")}, [Match(RIGHT, (0, 2, "A"), (0, 2, "A"))]),
        ({(0, 2, "A")}, {(0, 2, "B")}, [Match(OTHER_LABEL, (0, 2, "A"), (0, 2, "B"))]),
        ({(0, 4, "A")}, {(3, 9, "A")}, [Match(BOUNDARIES, (0, 4, "A"), (3, 9, "A"))]),
        ({(0, 2, "A")}, {(0, 4, "B")}, [Match(OVERLAP, (0, 2, "A"), (0, 4, "B"))]),
        # Two of five words are less than half.
        (
            {(0, 2, "A")},
            {(0, 5, "B")},
            [Match(MISSED, (0, 2, "A"), None), Match(SPURIOUS, None, (0, 5, "B"))],
        ),
        # The same words come first, then the same label, then other words with another label.
        (
            {(0, 2, "A"), (1, 3, "B"), (4, 6, "A")},
            {(0, 2, "B"), (2, 3, "B"), (4, 7, "B")},
            [
                Match(OTHER_LABEL, (0, 2, "A"), (0, 2, "B")),
                Match(BOUNDARIES, (1, 3, "B"), (2, 3, "B")),
                Match(OVERLAP, (4, 6, "A"), (4, 7, "B")),
            ],
        ),
    ],
)
def test_matches_by_hand(
    gold: Set[SpanKey], predicted: Set[SpanKey], expected: List[Match]
) -> None:
    assert align_entities(gold, predicted) == expected


@given(st.sets(SPANS, max_size=6), st.sets(SPANS, max_size=6))
def test_every_entity_is_in_one_match(gold: Set[SpanKey], predicted: Set[SpanKey]) -> None:
    matches = align_entities(gold, predicted)
    assert sorted(match.gold for match in matches if match.gold) == sorted(gold)
    assert sorted(match.predicted for match in matches if match.predicted) == sorted(predicted)
    right = {match.gold for match in matches if match.kind == RIGHT}
    assert right == gold & predicted
    assert all((match.predicted is None) == (match.kind == MISSED) for match in matches)
    assert all((match.gold is None) == (match.kind == SPURIOUS) for match in matches)
    # What is left over shares no words with anything of its label that is left over, too.
    missed = [match.gold for match in matches if match.kind == MISSED and match.gold]
    spurious = [match.predicted for match in matches if match.kind == SPURIOUS and match.predicted]
    for one in missed:
        for other in spurious:
            assert one[2] != other[2] or one[1] <= other[0] or other[1] <= one[0]

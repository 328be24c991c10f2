"""Confusion matrices by hand, and what holds of any."""

from collections import Counter
from typing import List, Set, Tuple

import numpy as np
from hypothesis import given

from mtnlp.analysis.confusion_matrix import ConfusionMatrix
from mtnlp.scorers.entities import SpanKey
from tests.analysis.documents import LABELS, PAIRS, make_document


def matrix_of(pairs: List[Tuple[Set[SpanKey], Set[SpanKey]]]) -> ConfusionMatrix:
    matrix = ConfusionMatrix()
    for gold, predicted in pairs:
        matrix.add(make_document(gold, predicted))
    return matrix


def test_a_matrix_by_hand() -> None:
    matrix = matrix_of(
        [
            # Right; other words; another label on the same words; missed; spurious.
            (
                {(0, 1, "A"), (2, 4, "A"), (5, 6, "A"), (7, 8, "B")},
                {(0, 1, "A"), (2, 5, "A"), (5, 6, "B"), (9, 10, "C")},
            ),
            # Another label on two of three words.
            ({(0, 3, "B")}, {(1, 3, "A")}),
        ]
    )
    assert matrix.result(["A", "B", "C"]) == {
        "labels": ["A", "B", "C"],
        "counts": [[2, 1, 0, 0], [1, 0, 0, 1], [0, 0, 0, 0], [0, 0, 1, 0]],
        "exact": [1, 0, 0],
    }
    assert matrix.confused() == [("A", "B", 1), ("B", "A", 1)]


@given(PAIRS)
def test_rows_are_gold_and_columns_are_predicted(
    pairs: List[Tuple[Set[SpanKey], Set[SpanKey]]],
) -> None:
    found = matrix_of(pairs).result(LABELS)
    counts = np.array(found["counts"])
    gold = Counter(span[2] for side, _ in pairs for span in side)
    predicted = Counter(span[2] for _, side in pairs for span in side)
    right = Counter(span[2] for one, other in pairs for span in one & other)
    assert counts[:-1].sum(1).tolist() == [gold[label] for label in LABELS]
    assert counts[:, :-1].sum(0).tolist() == [predicted[label] for label in LABELS]
    assert found["exact"] == [right[label] for label in LABELS]
    assert (np.array(found["exact"]) <= counts.diagonal()[:-1]).all() and counts[-1, -1] == 0

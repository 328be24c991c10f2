"""Surface forms of a small train corpus, and what they find."""

from typing import List, Set

import pytest

from mtnlp.evaluation.dictionary import Dictionary
from mtnlp.scorers.entities import SpanKey


def learned(*documents: tuple[str, List[SpanKey]]) -> Dictionary:
    dictionary = Dictionary()
    for text, entities in documents:
        dictionary.learn(text.split(), entities)
    return dictionary


FLAT = learned(
    ("Jordan met Ann in New York", [(0, 1, "PER"), (3, 3, "PER"), (2, 3, "PER"), (4, 6, "LOC")]),
    ("Jordan borders Iraq", [(0, 1, "LOC"), (2, 3, "LOC")]),
    ("Jordan is a land", [(0, 1, "LOC")]),
    ("York lost , The Times said", [(0, 1, "ORG"), (3, 5, "ORG")]),
    ("The end of May", [(0, 1, "ORG"), (3, 4, "PER")]),
    ("In May The queen", []),
)


def test_frequencies_and_labels_of_forms() -> None:
    assert FLAT.frequency(("Jordan",)) == 3 and FLAT.frequency(("New", "York")) == 1
    assert FLAT.frequency(("New",)) == 0 and FLAT.frequency(()) == 0
    assert FLAT.has_label(("Jordan",), "PER") and not FLAT.has_label(("Iraq",), "PER")
    assert not FLAT.has_label(("end",), "PER")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The most frequent label, and the longest form.
        ("Jordan left New York", {(0, 1, "LOC"), (2, 4, "LOC")}),
        ("New Jordan York", {(1, 2, "LOC"), (2, 3, "ORG")}),
        # "The" and "May" are as often no entity as one; within a longer form it does not matter.
        ("The queen reads The Times in May", {(3, 5, "ORG")}),
        ("", set()),
    ],
)
def test_flat_entities(text: str, expected: Set[SpanKey]) -> None:
    assert FLAT.find(text.split()) == expected


def test_overlapping_entities_are_all_found() -> None:
    nested = learned(("Bank of Rome", [(0, 3, "ORG"), (2, 3, "CITY")]))
    assert nested.find(["The", "Bank", "of", "Rome", "in", "Rome"]) == {
        (1, 4, "ORG"),
        (3, 4, "CITY"),
        (5, 6, "CITY"),
    }

"""Breakdowns by hand, and that each adds up to all entities."""

from typing import Any, Dict, List, Set, Tuple

from hypothesis import given
from spacy.tokens import Doc

from mtnlp.analysis.breakdowns import FREQUENCIES, Breakdowns, bucket
from mtnlp.analysis.document import EntityDocument
from mtnlp.evaluation.dictionary import Dictionary
from mtnlp.scorers.entities import SpanKey
from tests.analysis.documents import PAIRS, VOCAB, make_document

Layer = Set[SpanKey]


def make_dictionary() -> Dictionary:
    dictionary = Dictionary()
    for _ in range(6):
        dictionary.learn(["Rome"], [(0, 1, "A")])
    dictionary.learn(["Ann", "Bell"], [(0, 2, "B")])
    return dictionary


def by_bucket(rows: List[Dict[str, Any]]) -> Dict[str, Tuple[int, Any, float]]:
    """Support, predictions and recall, of buckets with any."""
    found = {row["bucket"]: (row["support"], row["predicted"], row["recall"]) for row in rows}
    return {name: row for name, row in found.items() if row[0] or row[1]}


def test_breakdowns_by_hand() -> None:
    # "The Bank of New York said that Ann Bell left Rome today ."
    gold = {(1, 5, "C"), (3, 5, "A"), (4, 5, "B"), (7, 9, "A"), (10, 11, "A")}
    predicted = {(1, 5, "C"), (7, 9, "B"), (10, 11, "A")}
    breakdowns = Breakdowns(make_dictionary())
    breakdowns.add(make_document(gold, predicted))
    found = {name: by_bucket(rows) for name, rows in breakdowns.result().items()}
    assert found["by_frequency"] == {
        "0": (3, 1, 1 / 3),
        "1": (1, 1, 0.0),
        "5–19": (1, 1, 1.0),
    }
    assert found["by_seen"] == {
        "seen with this label": (1, 2, 1.0),
        "seen with other labels only": (1, 0, 0.0),
        "unseen": (3, 1, 1 / 3),
    }
    assert found["by_length"] == {"1": (2, 1, 0.5), "2": (2, 1, 0.0), "4": (1, 1, 1.0)}
    assert found["by_sentence_length"] == {"11–20": (5, 3, 0.4)}
    assert found["by_depth"] == {"1": (3, None, 2 / 3), "2": (1, None, 0.0), "3+": (1, None, 0.0)}
    row = next(row for row in breakdowns.result()["by_length"] if row["bucket"] == "4")
    assert (row["precision"], row["f"]) == (1.0, 1.0)


def test_sentences_are_those_of_the_reference() -> None:
    words, starts = ["Rome", "fell", ".", *["Ann"] * 11], [True, None, None, True, *[None] * 10]
    breakdowns = Breakdowns(None)
    annotated, bare = Doc(VOCAB, words=words, sent_starts=starts), Doc(VOCAB, words=words)
    for doc in (annotated, bare):
        breakdowns.add(EntityDocument(doc, {(0, 1, "A"), (5, 6, "B")}, set(), {}))
    # By punctuation where nobody has said so, and the document stays as it is.
    assert not bare.has_annotation("SENT_START")
    rows = by_bucket(breakdowns.result()["by_sentence_length"])
    assert rows == {"1–10": (2, 0, 0.0), "11–20": (2, 0, 0.0)}


def test_without_train_and_without_nesting() -> None:
    breakdowns = Breakdowns(None)
    # A prediction of white space alone stands at no token.
    breakdowns.add(make_document({(0, 1, "A")}, {(-3, -1, "A")}))
    found = breakdowns.result()
    assert found["by_frequency"] == found["by_seen"] == found["by_depth"] == []
    assert by_bucket(found["by_length"]) == {"1": (1, 1, 0.0)}
    assert by_bucket(found["by_sentence_length"]) == {"1–10": (0, 1, 0.0), "11–20": (1, 0, 0.0)}


def test_buckets() -> None:
    names = [bucket(number, FREQUENCIES) for number in (0, 1, 2, 4, 5, 19, 20, 999)]
    assert names == ["0", "1", "2–4", "2–4", "5–19", "5–19", "20+", "20+"]


@given(PAIRS)
def test_each_breakdown_counts_every_entity(pairs: List[Tuple[Layer, Layer]]) -> None:
    breakdowns = Breakdowns(make_dictionary())
    for gold, predicted in pairs:
        breakdowns.add(make_document(gold, predicted))
    sums = [sum(len(pair[side]) for pair in pairs) for side in (0, 1)]
    right = sum(len(gold & predicted) for gold, predicted in pairs)
    for name, rows in breakdowns.result().items():
        if name == "by_depth" and not rows:
            continue
        assert sum(row["support"] for row in rows) == sums[0]
        assert round(sum(row["recall"] * row["support"] for row in rows)) == right
        if name != "by_depth":
            assert sum(row["predicted"] for row in rows) == sums[1]

"""Spans that were counted in UTF-16 units or in bytes."""

from typing import List

import pytest
import spacy

from mtnlp.data.docbin import Written, to_doc
from mtnlp.types import Annotation, Record

NLP = spacy.blank("en")
TEXT = "😀 Łódź was where Ada sang loudly"


def warnings(text: str, spans: List[Annotation]) -> List[str]:
    written = Written()
    record = Record(text=text, spans={"x": spans}, meta={"path": "a.jsonl", "line": 7})
    to_doc(record, NLP, written)
    return written.units_of_offsets.warnings()


def spans_in(encoding: str, width: int) -> List[Annotation]:
    def count(at: int) -> int:
        return len(TEXT[:at].encode(encoding)) // width

    starts = [(TEXT.index(word), word) for word in ("Łódź", "Ada", "sang")]
    return [Annotation(count(at), count(at + len(word)), "X") for at, word in starts]


@pytest.mark.parametrize(
    "encoding, width, unit", [("utf-16-le", 2, "UTF-16 units"), ("utf8", 1, "bytes")]
)
def test_other_units_are_suspected(encoding: str, width: int, unit: str) -> None:
    (warning,) = warnings(TEXT, spans_in(encoding, width))
    assert warning.startswith("a.jsonl:7: [E173]")
    assert unit in warning and "would be 'Łódź'" in warning


def test_no_suspicion() -> None:
    assert warnings(TEXT, spans_in("utf-32-le", 4)) == []
    # Cut, but no unit explains it: an annotator's half word.
    assert warnings(TEXT, [Annotation(3, 5, "X")]) == []
    assert warnings("Newyorkers left", [Annotation(0, 7, "X")]) == []


def test_more_texts_against_than_for() -> None:
    written = Written()
    for spans in (spans_in("utf8", 1), [Annotation(3, 5, "X")], [Annotation(3, 5, "X")]):
        to_doc(Record(text=TEXT, spans={"x": spans}), NLP, written)
    assert written.units_of_offsets.warnings() == []

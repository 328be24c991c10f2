"""Records and Docs in the same words."""

import spacy
from spacy.tokens import Doc, Span

from mtnlp.data.checks.unit import Finding, Places, count_words, doc_unit, quote, record_unit
from mtnlp.data.docbin import to_doc
from mtnlp.types import Annotation, Record


def test_a_record_and_its_doc_are_the_same_unit() -> None:
    record = Record(
        text="Anna Bell left  Rome.",
        entities=[Annotation(0, 9, "PER"), Annotation(16, 20, "LOC")],
        spans={"deep": [Annotation(0, 4, "NAME")]},
        cats={"mood/good": 1.0},
        meta={"path": "a.jsonl", "line": 4},
    )
    read = record_unit(record)
    made = doc_unit(to_doc(record, spacy.blank("en")), "train", 7)
    assert (read.place, made.place) == ("a.jsonl:4", "train 7")
    assert (read.name, made.name) == ("a.jsonl:4", "train 7 'Anna Bell left Rome.'")
    assert read.text == made.text == "Anna Bell left Rome."
    assert read.cats == made.cats == frozenset({("mood/good", 1.0)})
    for unit in (read, made):
        (name,) = unit.layers["spans/deep"]
        first, second = unit.layers["ents"]
        assert (name.surface, name.label, name.words) == ("Anna", "NAME", 1)
        assert (first.surface, first.words, first.is_blank) == ("Anna Bell", 2, False)
        assert second.following == "."


def test_tokens_and_missing_layers() -> None:
    record = Record(tokens=["New", "York", ","], spans={"deep": [Annotation(0, 2, "LOC")]})
    unit = record_unit(record)
    (mention,) = unit.layers["spans/deep"]
    assert (mention.surface, mention.words, mention.following) == ("New York", 2, " ,")
    assert unit.words == 3 and set(unit.layers) == {"spans/deep"}
    doc = Doc(spacy.blank("en").vocab, words=["New", "\n", "York"])
    assert doc_unit(doc, "train", 0).layers == {}
    doc.spans["deep"] = [Span(doc, 0, 2, "LOC")]
    assert doc_unit(doc, "train", 0).layers["spans/deep"][0].is_blank


def test_a_finding_is_one_line() -> None:
    places = Places()
    for place in "abcd":
        places.add(place)
    assert str(Finding("kind", "Bad", places.count, places.first)) == "Bad: 4 (a, b, c, …)"
    assert str(Finding("kind", "Bad", 1200)) == "Bad: 1,200"
    assert str(Finding("kind", "Bad", 1, ["a"])) == "Bad: 1 (a)"
    assert str(Finding("kind", "Nothing counted", None)) == "Nothing counted"


def test_quotes_and_words() -> None:
    assert quote("a\nb") == "'a b'"
    assert quote("x" * 31) == f"'{'x' * 30}…'"
    assert count_words("Anna's mother-in-law, 3.5") == 12
    assert count_words("東京へ行く") == 5


def test_a_pair_of_sentences_is_no_entity() -> None:
    doc = Doc(spacy.blank("en").vocab, words=["One", ".", "Two", "."])
    doc.spans["pair"] = [Span(doc, 0, 2), Span(doc, 2, 4)]
    doc.spans["none"] = []
    doc.spans["deep"] = [Span(doc, 0, 1, "NUMBER")]
    assert set(doc_unit(doc, "train", 0).layers) == {"spans/none", "spans/deep"}

"""What is known of documents, sentences and entities."""

from typing import Any, Dict, Optional, Sequence

import pytest
import spacy
from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example

from mtnlp.analysis.points import NOTHING, SIDE, TEXT, Documents, Entities, Point, shown_text
from mtnlp.annotation.layers import EntsLayer, SpansLayer
from mtnlp.scorers.categories import CategoryTask

VOCAB = spacy.blank("en").vocab
TEXT_OF_ENTITIES = "Anna flew from Amman to Jordan with Tom ."


def pair(
    words: str,
    gold: Optional[Sequence[Any]] = None,
    predicted: Sequence[Any] = (),
    key: Optional[str] = None,
) -> Example:
    """gold: (start, end, label), None where not annotated. predicted: with a score each."""
    reference = Doc(VOCAB, words=words.split())
    doc = Doc(VOCAB, words=words.split())
    spans = [Span(doc, start, end, label) for start, end, label, _ in predicted]
    scores = [score for *_, score in predicted]
    if key is None:
        doc.set_ents(spans)
    doc.spans[key or "ner"] = SpanGroup(doc, spans=spans, attrs={"scores": scores})
    if gold is not None:
        spans = [Span(reference, *span) for span in gold]
        if key is None:
            reference.set_ents(spans, default="outside")
        else:
            reference.spans[key] = spans
    return Example(doc, reference)


def facts(point: Point) -> Any:
    """The marked words, and what is known of them."""
    assert point.mark
    words = point.text[slice(*point.mark)]
    return words, point.label, point.predicted, point.score, point.error


@pytest.mark.parametrize("key", [None, "multinerd"])
def test_entities(key: Optional[str]) -> None:
    gold = [(0, 1, "PER"), (3, 4, "LOC"), (5, 6, "LOC"), (7, 8, "PER")]
    predicted = [(0, 1, "PER", 0.9), (2, 4, "LOC", 0.5), (5, 6, "PER", 0.75), (6, 7, "ORG", 0.25)]
    source = Entities(EntsLayer() if key is None else SpansLayer(key), key or "ner", "ner")
    example = pair(TEXT_OF_ENTITIES, gold, predicted, key)
    found = source.points(example)
    assert [facts(point) for _, point in found] == [
        ("Anna", "PER", "PER", 0.9, "right"),
        ("from Amman", "LOC", "LOC", 0.5, "boundaries"),
        ("Jordan", "LOC", "PER", 0.75, "other label"),
        ("with", "ORG", "ORG", 0.25, "spurious"),
        ("Tom", "PER", None, None, "missed"),
    ]
    assert [part.text for part, _ in found] == [
        point.text[slice(*point.mark)] for _, point in found if point.mark
    ]
    assert all(part.doc is example.predicted for part, _ in found)


def test_entities_without_gold_and_without_predictions() -> None:
    source = Entities(EntsLayer(), "ner", "ner")
    found = source.points(pair("Anna slept", None, [(0, 1, "PER", 0.5)]))
    assert [facts(point) for _, point in found] == [("Anna", "PER", "PER", 0.5, None)]
    gold_alone = Entities(EntsLayer(), "", "doc.ents", is_predicted=False)
    found = gold_alone.points(pair("Anna slept", [(0, 1, "PER")]))
    assert [facts(point) for _, point in found] == [("Anna", "PER", None, None, None)]


def test_the_text_around_an_entity() -> None:
    doc = Doc(VOCAB, words=["far"] * 60 + ["Anna", "\n", "slept"] + ["long"] * 60)
    doc.set_ents([Span(doc, 60, 61, "PER")])
    ((_, point),) = Entities(EntsLayer(), "ner").points(Example(doc, Doc(VOCAB, words=["x"])))
    assert point.text.startswith("…") and point.text.endswith("…")
    assert "Anna slept long" in point.text and len(point.text) <= 2 * SIDE + 6
    assert point.mark and point.text[slice(*point.mark)] == "Anna"


def test_shown_text() -> None:
    assert shown_text(" a\n\tb ") == "a b"
    assert len(shown_text("word " * 100)) <= TEXT and shown_text("word " * 100).endswith("…")


def answer(
    task: CategoryTask, gold: Dict[str, float], given: Dict[str, float], **options: Any
) -> Any:
    example = pair("A film .")
    example.reference.cats, example.predicted.cats = gold, given
    ((part, point),) = Documents(task, "textcat: film", **options).points(example)
    assert part is example.predicted and point.text == "A film ." and point.mark is None
    score = None if point.score is None else round(point.score, 6)
    return point.label, point.predicted, score, point.error


def test_one_label_of_an_exclusive_task() -> None:
    task = CategoryTask("film", ("film/good", "film/bad"), exclusive=True)
    given = {"film/good": 0.8, "film/bad": 0.2}
    assert answer(task, {"film/good": 1.0}, given) == ("good", "good", 0.8, "right")
    assert answer(task, {"film/bad": 1.0}, given) == ("bad", "good", 0.8, "wrong")
    assert answer(task, {}, given) == ("good", "good", 0.8, None)
    assert answer(task, {}, given, is_predicted=False) == (None, None, None, None)
    assert answer(task, {"film/bad": 1.0}, {}, is_predicted=False) == ("bad", None, None, None)
    nothing = dict.fromkeys(given, 0.0)
    assert answer(task, {"film/bad": 1.0}, nothing) == ("bad", None, None, "wrong")
    other = {"topic/x": 1.0}
    assert answer(task, other, given) == ("good", "good", 0.8, None)


def test_several_labels() -> None:
    task = CategoryTask("film", ("film/long", "film/sad", "film/loud"), exclusive=False)
    given = {"film/long": 0.6, "film/sad": 0.9, "film/loud": 0.1}
    both = {"film/long": 1.0, "film/sad": 1.0, "film/loud": 0.0}
    assert answer(task, both, given) == ("sad", "sad", 0.9, "right")
    assert answer(task, {**both, "film/sad": 0.0}, given) == ("long", "sad", 0.9, "wrong")
    unsure = dict.fromkeys(given, 0.25)
    assert answer(task, dict.fromkeys(given, 0.0), unsure) == (NOTHING, NOTHING, 0.75, "right")


def test_sentences_have_the_label_of_their_document() -> None:
    task = CategoryTask("film", ("film/good", "film/bad"), exclusive=True)
    doc, reference = (Doc(VOCAB, words=["One", ".", "Two", ".", "\n"]) for _ in range(2))
    reference.cats, doc.cats = {"film/bad": 1.0}, {"film/good": 0.7, "film/bad": 0.3}
    source = Documents(task, "textcat: film", sentences=True)
    assert source.what == "sentences"
    found = source.points(Example(doc, reference))
    assert [(point.text, point.label, point.error) for _, point in found] == [
        ("One .", "bad", "wrong"),
        ("Two .", "bad", "wrong"),
    ]
    doc[3].is_sent_start = True
    for token in (doc[1], doc[2], doc[4]):
        token.is_sent_start = False
    assert [point.text for _, point in source.points(Example(doc, reference))] == [
        "One . Two",
        ".",
    ]


def test_documents_without_text_are_no_points() -> None:
    doc = Doc(VOCAB, words=[" "])
    assert Documents().points(Example(doc, Doc(VOCAB, words=[" "]))) == []
    assert Documents().points(Example(Doc(VOCAB), Doc(VOCAB))) == []

"""Which Docs are annotated for which layer, and gold that cannot be."""

from math import nan
from typing import Any, Dict, Optional, Sequence, Tuple

import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from mtnlp.annotation.categories import annotated_keys, split_key, task_of
from mtnlp.annotation.layers import (
    CategoriesLayer,
    EntsLayer,
    SpansLayer,
    describe,
    entity_layer,
    find_layer,
)
from mtnlp.errors import MtnlpError
from mtnlp.types import Task

VOCAB = Vocab()
LAYER = CategoriesLayer(
    {
        "mood": Task(labels=["bad", "good"], exclusive=True),
        "topic": Task(labels=["A", "B"], exclusive=False),
    }
)
Spans = Sequence[Tuple[int, int, str]]


def make_doc(
    text: str = "a b c",
    ents: Optional[Spans] = None,
    spans: Optional[Spans] = None,
    cats: Optional[Dict[str, Any]] = None,
    missing: Sequence[int] = (),
) -> Doc:
    doc = Doc(VOCAB, words=text.split())
    if ents is not None:
        unknown = [doc[i : i + 1] for i in missing]
        doc.set_ents([Span(doc, *span) for span in ents], missing=unknown, default="outside")
    if spans is not None:
        doc.spans["fine"] = [Span(doc, *span) for span in spans]
    doc.cats = cats or {}
    return doc


def test_missing_is_not_empty() -> None:
    ents, fine = entity_layer(None), entity_layer("fine")
    assert (ents, fine) == (EntsLayer(), SpansLayer("fine"))
    assert not ents.is_annotated(make_doc(spans=[(0, 1, "X")]))
    assert not fine.is_annotated(make_doc(ents=[(0, 1, "X")]))
    assert ents.is_annotated(make_doc(ents=[])) and fine.is_annotated(make_doc(spans=[]))
    assert not ents.spans(make_doc()) and not fine.spans(make_doc())


def test_a_text_without_tokens_has_no_entities_annotated() -> None:
    """spaCy says that it has every annotation."""
    empty = Doc(VOCAB)
    assert empty.has_annotation("ENT_IOB")
    assert not EntsLayer().is_annotated(empty) and not EntsLayer().is_complete(empty)


def test_tokens_may_be_missing_in_doc_ents() -> None:
    doc = make_doc(ents=[(0, 1, "X")], spans=[(0, 1, "X")], missing=[2])
    assert EntsLayer().missing(doc).tolist() == [False, False, True]
    assert EntsLayer().is_annotated(doc) and not EntsLayer().is_complete(doc)
    assert not SpansLayer("fine").missing(doc).any() and SpansLayer("fine").is_complete(doc)


@pytest.mark.parametrize(
    ("cats", "annotated"),
    [
        ({}, False),
        ({"plain": 1.0}, False),
        ({"other/x": 1.0}, False),
        ({"mood/good": 1.0}, True),
        ({"mood/unknown": 1.0}, True),  # annotated, whether or not a pipe knows the label
        ({"mood/good": 0.0}, False),  # which one holds nobody says
        ({"mood/good": 0.3, "mood/bad": 0.3}, False),
        ({"topic/A": 0.0}, True),
        ({"topic/unknown": 0.0}, True),
        ({"topic/A": nan}, False),
    ],
)
def test_annotated_categories(cats: Dict[str, float], annotated: bool) -> None:
    assert LAYER.is_annotated(make_doc(cats=cats)) == annotated


def test_what_is_annotated_of_the_known_labels() -> None:
    parts: Sequence[Dict[str, float]] = [
        {"mood/good": 1.0},
        {"mood/good": 0.0, "topic/B": 1.0},
        {"mood/unknown": 1.0, "mood/good": 0.0, "topic/unknown": 1.0},
        {},
    ]
    values, known = LAYER.read([make_doc(cats=dict(part)) for part in parts])
    assert values.tolist() == [[0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert known.tolist() == [
        [True, True, False, False],
        [False, False, False, True],
        [False] * 4,
        [False] * 4,
    ]
    assert LAYER.read([])[1].shape == (0, 4)


@pytest.mark.parametrize("value", [0.3, nan, -1.0, 2, None])
@pytest.mark.parametrize("key", ["mood/good", "topic/A"])
def test_values_between_yes_and_no(key: str, value: Any) -> None:
    docs = [make_doc(cats={"topic/B": 1.0}), make_doc("d e", cats={key: value})]
    with pytest.raises(MtnlpError, match=rf"E340.*'{key}'.*{value}.*the document 'd e'"):
        LAYER.read(docs)
    with pytest.raises(MtnlpError, match=rf"E340.*'{key}'.*{value}.*document 1 .*'d e'"):
        LAYER.check(docs[1], 1)


def test_values_of_other_tasks_do_not_matter() -> None:
    doc = make_doc(cats={"other/x": 0.3, "similarity": 0.7, "mood/good": True})
    LAYER.check(doc, 0)
    assert LAYER.read([doc])[0].tolist() == [[0, 1, 0, 0]]


def test_two_labels_of_an_exclusive_task() -> None:
    doc = make_doc(cats={"mood/good": 1.0, "mood/bad": 1.0, "topic/A": 1.0, "topic/B": 1.0})
    message = r"E341.*'mood'.*'a b c': 'mood/good', 'mood/bad'"
    with pytest.raises(MtnlpError, match=message):
        LAYER.read([make_doc(), doc])
    with pytest.raises(MtnlpError, match=message):
        LAYER.check(doc, 3)


def test_no_label_of_an_exclusive_task() -> None:
    doc = make_doc(cats={"mood/good": 0.0, "mood/bad": 0.0})
    with pytest.raises(MtnlpError, match=r"E342.*'mood'.*document 3 .*'mood/bad', 'mood/good'"):
        LAYER.check(doc, 3)
    # A label that has no key, or that is not known, may be the one.
    LAYER.check(make_doc(cats={"mood/good": 0.0}), 3)
    LAYER.check(make_doc(cats={"mood/good": 0.0, "mood/bad": 0.0, "mood/unknown": 1.0}), 3)
    LAYER.check(make_doc(cats={"topic/A": 0.0, "topic/B": 0.0}), 3)


def test_spans_without_a_label() -> None:
    doc = make_doc(spans=[(0, 1, "X"), (1, 3, "")])
    with pytest.raises(MtnlpError, match=r"E344.*'b c' of doc.spans\['fine'\].*document 7 "):
        SpansLayer("fine").check(doc, 7)
    EntsLayer().check(doc, 7)


def test_counted_labels() -> None:
    doc = make_doc(spans=[(0, 1, "X"), (0, 2, "X"), (1, 3, "Y")], ents=[(0, 1, "Z")])
    assert SpansLayer("fine").label_counts(doc) == {"X": 2, "Y": 1}
    assert EntsLayer().label_counts(doc) == {"Z": 1}
    doc.cats = {"mood/new": 1.0, "mood/bad": 0.0, "topic/A": 1.0, "topic/new": 0.0, "other/x": 1.0}
    assert LAYER.label_counts(doc) == {"mood/new": 1, "topic/A": 1}


def test_as_a_user_writes_them() -> None:
    assert [str(entity_layer(None)), str(entity_layer("fine"))] == ["doc.ents", "doc.spans['fine']"]
    assert str(LAYER) == "doc.cats, as mood/LABEL and topic/LABEL"


def test_keys() -> None:
    assert [split_key(key) for key in ("a/b", "a/b/c", "a", "/b")] == [
        ("a", "b"),
        ("a", "b/c"),
        (None, "a"),
        ("", "b"),
    ]
    assert task_of("similarity") is None
    assert annotated_keys({"a/x": 0.0, "a/y": nan, "ab/z": 1.0}, "a") == ["a/x"]


def test_long_texts_are_cut() -> None:
    text = " ".join("word" for _ in range(20))
    assert describe(make_doc(text)) == f"the document '{text[:40]}…'"
    assert describe(make_doc(), 4) == "document 4 of the training corpus (counted from 0), 'a b c'"


def test_layers_of_components_of_others() -> None:
    """spaCy's own `ner` and `spancat` have a layer, too; a setting's name alone makes none."""
    nlp = spacy.blank("en")
    assert find_layer(nlp.add_pipe("spancat", config={"spans_key": "fine"})) == SpansLayer("fine")
    assert find_layer(nlp.add_pipe("ner")) == EntsLayer()
    assert find_layer(nlp.add_pipe("tagger")) is None
    assert find_layer(nlp.add_pipe("span_finder", config={"spans_key": "fine"})) is None

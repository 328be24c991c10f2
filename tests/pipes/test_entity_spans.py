"""Entities and their scores on Docs; `mtnlp.confidence` and `span._.confidence`."""

from pathlib import Path
from typing import Any, Iterator, List

import numpy as np
import pytest
from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup

import mtnlp
from mtnlp.errors import MtnlpError
from mtnlp.pipes.entity_spans import Predictions, install_confidence, write_entities
from tests.pipes.cases import group_scores, listed, train
from tests.tiny import make_example, make_nlp

LABELS = ["LOC", "PER"]


@pytest.fixture(autouse=True)
def extension() -> None:
    install_confidence()


@pytest.fixture
def doc(trained_once: Language) -> Doc:
    return Doc(trained_once.vocab, words=["Anna", " ", "Keller", "met", "Tom", "\n", "."])


def predictions(*rows: List[Any]) -> Predictions:
    """Rows: document, start, end, label index, score."""
    table = np.array([row[:4] for row in rows], dtype="int64").reshape(-1, 4)
    return Predictions(table, np.array([row[4] for row in rows], dtype="float32"))


def test_write_ents(doc: Doc) -> None:
    write_entities([doc], predictions([0, 0, 3, 1, 0.9], [0, 4, 5, 0, 0.5]), LABELS, None, "ner")
    assert listed(doc.ents) == [(0, 3, "PER"), (4, 5, "LOC")]
    assert [token.ent_iob_ for token in doc] == ["B", "I", "I", "O", "B", "O", "O"]
    assert listed(doc.spans["ner"]) == listed(doc.ents)
    assert group_scores(doc.spans["ner"]) == pytest.approx([0.9, 0.5])


def test_write_spans(doc: Doc) -> None:
    write_entities([doc], predictions([0, 0, 3, 1, 0.9]), LABELS, "layer", "ner")
    assert listed(doc.spans["layer"]) == [(0, 3, "PER")]
    assert "ner" not in doc.spans
    assert not doc.has_annotation("ENT_IOB")


def test_white_space_is_no_part_of_an_entity(doc: Doc) -> None:
    rows = predictions([0, 0, 2, 1, 0.7], [0, 4, 6, 0, 0.6], [0, 5, 6, 0, 0.5])
    write_entities([doc], rows, LABELS, None, "ner")
    assert listed(doc.ents) == [(0, 1, "PER"), (4, 5, "LOC")]
    assert group_scores(doc.spans["ner"]) == pytest.approx([0.7, 0.6])
    write_entities([doc], predictions([0, 1, 2, 0, 0.5]), LABELS, None, "ner")
    assert len(doc.ents) == 0 and len(doc.spans["ner"]) == 0
    assert group_scores(doc.spans["ner"]) == []


def test_each_doc_gets_its_own(doc: Doc) -> None:
    docs = [Doc(doc.vocab), doc, Doc(doc.vocab, words=["x"]), Doc(doc.vocab, words=["Tom"])]
    rows = predictions([1, 0, 1, 1, 0.9], [1, 4, 5, 1, 0.8], [3, 0, 1, 1, 0.7])
    write_entities(docs, rows, LABELS, "layer", "ner")
    assert [len(one.spans["layer"]) for one in docs] == [0, 2, 0, 1]
    assert group_scores(docs[3].spans["layer"]) == pytest.approx([0.7])


def test_predictions_take_the_place_of_older_ones(doc: Doc) -> None:
    write_entities([doc], predictions([0, 0, 1, 1, 0.9]), LABELS, None, "ner")
    write_entities([doc], predictions([0, 4, 5, 0, 0.8]), LABELS, None, "ner")
    assert listed(doc.ents) == listed(doc.spans["ner"]) == [(4, 5, "LOC")]


def test_no_entities_is_annotated(doc: Doc) -> None:
    write_entities([doc], predictions(), LABELS, None, "ner")
    assert doc.has_annotation("ENT_IOB") and len(doc.ents) == 0


@pytest.fixture(scope="module")
def three(backbone: Path) -> Iterator[Doc]:
    """Three pipes, trained a different time, that tag the same two tokens alike."""
    names = ["ner", "one", "two"]
    configs = {"one": {"spans_key": "one"}, "two": {"spans_key": "two"}}
    nlp = make_nlp(backbone, [])
    for name in names:
        nlp.add_pipe("crf_ner", name=name, config=configs.get(name, {}))
    text = "Anna Keller flew to Paris ."
    golds = [make_example(nlp, text, ents=[(0, 2, "PER")])]
    for key in ("one", "two"):
        golds.append(make_example(nlp, text, spans=[(0, 2, "PER")], key=key))
    nlp.initialize(lambda: golds)
    train(nlp, golds, 15)
    train(nlp, golds[1:], 3)
    train(nlp, golds[2:], 3)
    yield nlp(text)


def test_three_pipes_keep_three_scores(three: Doc) -> None:
    keys = ("ner", "one", "two")
    assert all(listed(three.spans[key]) == [(0, 2, "PER")] for key in keys)
    scores = [group_scores(three.spans[key])[0] for key in keys]
    assert len(set(scores)) == 3 and all(0.5 < score <= 1 for score in scores)
    span = three.ents[0]
    assert [mtnlp.confidence(span, key=key) for key in keys] == scores
    for key in keys:
        assert mtnlp.confidence(three.spans[key][0], key=key) == scores[keys.index(key)]
    # The pipe that wrote doc.ents comes first, wherever its group stands.
    assert span._.confidence == scores[0]
    three.spans["ner"] = three.spans.pop("ner")
    assert list(three.spans) == ["one", "two", "ner"]
    assert span._.confidence == scores[0]


def test_confidence_of_other_spans(doc: Doc) -> None:
    write_entities([doc], predictions([0, 0, 3, 1, 0.9]), LABELS, None, "ner")
    write_entities([doc], predictions([0, 0, 3, 0, 0.4], [0, 4, 5, 1, 0.3]), LABELS, "a", "x")
    write_entities([doc], predictions([0, 4, 5, 1, 0.2]), LABELS, "b", "y")
    # By boundaries and label, so that layers that disagree keep apart.
    assert doc.ents[0]._.confidence == pytest.approx(0.9)
    assert doc.spans["a"][0]._.confidence == pytest.approx(0.4)
    # Not in doc.ents: the first group's.
    assert doc.spans["b"][0]._.confidence == pytest.approx(0.3)
    assert mtnlp.confidence(doc.spans["b"][0], key="b") == pytest.approx(0.2)
    # A span made by hand is the same entity.
    assert Span(doc, 0, 3, label="PER")._.confidence == pytest.approx(0.9)
    assert isinstance(doc.ents[0]._.confidence, float)


def test_spans_that_are_no_entities_have_no_confidence(doc: Doc) -> None:
    write_entities([doc], predictions([0, 0, 3, 1, 0.9]), LABELS, None, "ner")
    doc.spans["hand"] = SpanGroup(doc, spans=[Span(doc, 3, 4, label="PER")])
    for span in (doc[0:3], doc[0:1], Span(doc, 0, 2, label="PER"), doc.spans["hand"][0]):
        assert span._.confidence is None
    for key in ("ner", "hand", "nowhere"):
        with pytest.raises(MtnlpError, match=r"E305.*Groups with scores: ner"):
            mtnlp.confidence(doc.spans["hand"][0], key=key)


def test_confidence_before_any_pipe(doc: Doc) -> None:
    assert doc[0:1]._.confidence is None
    with pytest.raises(MtnlpError, match="E305"):
        mtnlp.confidence(doc[0:1], key="ner")


def test_scores_are_probabilities(trained_once: Language) -> None:
    doc = trained_once("Anna Keller flew to Paris . I saw a red fox near Rome .")
    for key in ("ner", "multinerd"):
        scores = group_scores(doc.spans[key])
        assert len(scores) == len(doc.spans[key]) > 0
        assert all(0 < score <= 1 for score in scores)
        assert doc.spans[key].attrs["scores"].dtype == "float32"

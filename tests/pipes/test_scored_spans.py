"""`span._.confidence` of many entities, and after what users do with a Doc and its groups."""

import copy
import pickle
from typing import Any, List, Optional

import numpy as np
import pytest
from spacy.pipeline.functions import merge_entities
from spacy.tokens import Doc, DocBin, Span, SpanGroup
from spacy.vocab import Vocab

import mtnlp
from mtnlp.errors import MtnlpError
from mtnlp.pipes import score_index
from mtnlp.pipes.entity_spans import Predictions, install_confidence, write_entities
from mtnlp.pipes.kept_entities import KeptEntities, own_entities
from tests.pipes.cases import group_scores, listed

WORDS = ["Anna", "Keller", "met", "Tom", "in", "New", "York", "."]


@pytest.fixture
def doc() -> Doc:
    """Three entities in `doc.ents` and `doc.spans["ner"]`, and two in `doc.spans["all"]`, one of
    them the same."""
    install_confidence()
    doc = Doc(Vocab(), words=WORDS)
    write([doc], [(0, 2, 0.9), (3, 4, 0.8), (5, 7, 0.7)], None, "ner")
    write([doc], [(1, 4, 0.4), (5, 7, 0.3)], "all", "x")
    return doc


def write(docs: List[Doc], entities: List[Any], key: Optional[str], name: str) -> None:
    write_entities(docs, predictions_of(entities), ["PER"], key, name)


def predictions_of(entities: List[Any]) -> Predictions:
    rows = [[0, start, end, 0] for start, end, _ in entities]
    scores = np.array([score for *_, score in entities], dtype="float32")
    return Predictions(np.array(rows, dtype="int64").reshape(-1, 4), scores)


def confidences(spans: Any) -> List[Optional[float]]:
    found = [span._.confidence for span in spans]
    return [None if score is None else round(score, 6) for score in found]


def entity(doc: Doc, start: int, end: int) -> Span:
    return Span(doc, start, end, label="PER")


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> List[int]:
    """The lengths of the groups that were read, one entry for each time."""
    found: List[int] = []
    read = score_index.entity_keys
    monkeypatch.setattr(score_index, "entity_keys", lambda g: found.append(len(g)) or read(g))
    return found


@pytest.mark.parametrize("plain", [False, True])
def test_groups_are_read_once(plain: bool, readings: List[int]) -> None:
    install_confidence()
    doc = Doc(Vocab(), words=["Tom", "and"] * 200)
    entities = [(2 * i, 2 * i + 1, 0.5) for i in range(200)]
    write([doc], entities, None, "ner")
    write([doc], entities[:-1], "all", "x")
    doc = doc.copy() if plain else doc
    assert confidences(doc.ents) == [0.5] * 200
    assert mtnlp.confidence(doc.ents[0], key="ner") == 0.5
    assert readings == [200, 199]
    # Spans that no group holds must not make it quadratic either.
    assert confidences(doc[i : i + 1] for i in range(400)) == [None] * 400
    assert len(readings) <= 2 + (2 * 9 if plain else 0)


@pytest.mark.parametrize("plain", [False, True])
def test_changed_groups(doc: Doc, plain: bool) -> None:
    doc = doc.copy() if plain else doc
    group = doc.spans["ner"]
    assert confidences(doc.ents) == [0.9, 0.8, 0.7]
    group.attrs["scores"][1] = 0.25
    assert confidences(doc.ents) == [0.9, 0.25, 0.7]
    # One without a score, then with one.
    group.append(entity(doc, 4, 5))
    assert confidences([entity(doc, 4, 5)]) == [None]
    group.attrs["scores"] = [0.1, 0.2, 0.3, 0.4]
    assert confidences([*doc.ents, entity(doc, 4, 5)]) == [0.1, 0.2, 0.3, 0.4]
    # Another order.
    first, last = group[0], group[3]
    group[0], group[3] = last, first
    assert confidences([*doc.ents, entity(doc, 4, 5)]) == [0.4, 0.2, 0.3, 0.1]
    # Another entity in the place of one.
    group[1] = entity(doc, 2, 3)
    assert confidences([entity(doc, 2, 3)]) == [0.2]
    assert confidences([entity(doc, 3, 4)]) == [None]
    spans = [entity(doc, 3, 4)]
    doc.spans["ner"] = SpanGroup(doc, spans=spans, attrs={"scores": [0.6], "is_ents": True})
    assert confidences(doc.ents) == [None, 0.6, 0.3]
    # Not in doc.ents any more, so another group's score comes first.
    doc.spans["ner"] = SpanGroup(
        doc, spans=[entity(doc, 5, 7)], attrs={"scores": [0.6], "is_ents": True}
    )
    assert confidences([entity(doc, 5, 7)]) == [0.6]
    doc.ents = [entity(doc, 0, 2)]
    assert confidences([entity(doc, 5, 7)]) == [0.3]
    del doc.spans["ner"], doc.spans["all"]
    assert confidences([entity(doc, 5, 7)]) == [None]


def test_deleted_from_a_group(doc: Doc) -> None:
    assert confidences(doc.ents) == [0.9, 0.8, 0.7]
    del doc.spans["ner"][1]
    assert listed(doc.spans["ner"]) == [(0, 2, "PER"), (5, 7, "PER")]
    assert group_scores(doc.spans["ner"]) == pytest.approx([0.9, 0.7])
    assert confidences(doc.ents) == [0.9, None, 0.7]
    del doc.spans["ner"][-1]
    assert confidences(doc.spans["ner"]) == [0.9]
    with pytest.raises(IndexError):
        del doc.spans["ner"][1]


COPIES = {
    "copy": lambda doc: doc.copy(),
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "pickle": lambda doc: pickle.loads(pickle.dumps(doc)),
    "bytes": lambda doc: Doc(doc.vocab).from_bytes(doc.to_bytes()),
    "docbin": lambda doc: next(
        DocBin().from_bytes(DocBin(docs=[doc]).to_bytes()).get_docs(doc.vocab)
    ),
}


@pytest.mark.parametrize("way", COPIES)
def test_copies_have_confidences(doc: Doc, way: str) -> None:
    other = COPIES[way](doc)
    assert confidences(other.ents) == confidences(doc.ents) == [0.9, 0.8, 0.7]
    assert confidences(other.spans["all"]) == [0.4, 0.7]
    assert not any("confidence" in str(key) for key in other.user_data)
    # They do not share what was found of one.
    other.spans["ner"].attrs["scores"] = [0.0, 0.0, 0.0]
    assert confidences(doc.ents) == [0.9, 0.8, 0.7]


def test_merged_entities_keep_their_confidence(doc: Doc) -> None:
    assert confidences(doc.ents) == [0.9, 0.8, 0.7]
    before = doc.spans["ner"][2]
    merge_entities(doc)
    assert [token.text for token in doc] == ["Anna Keller", "met", "Tom", "in", "New York", "."]
    assert confidences(doc.ents) == [0.9, 0.8, 0.7]
    assert [mtnlp.confidence(ent, key="ner") for ent in doc.ents] == pytest.approx([0.9, 0.8, 0.7])
    assert [span.text for span in doc.spans["ner"]] == ["Anna Keller", "Tom", "New York"]
    assert confidences(doc.spans["ner"]) == [0.9, 0.8, 0.7]
    # It began within "Anna Keller", so it is no longer there.
    assert listed(doc.spans["all"]) == [(4, 5, "PER")]
    assert confidences(doc.spans["all"]) == [0.7]
    assert mtnlp.confidence(doc.ents[2], key="all") == pytest.approx(0.3)
    assert before._.confidence == pytest.approx(0.7)
    for way, make in COPIES.items():
        other = make(doc)
        assert confidences(other.ents) == [0.9, 0.8, 0.7], way
        assert listed(other.spans["ner"]) == [(0, 1, "PER"), (2, 3, "PER"), (4, 5, "PER")]
    assert doc.to_json()["spans"]["ner"][2] == {"start": 23, "end": 31, "label": "PER", "kb_id": ""}


def test_merged_entities_of_a_loaded_doc(doc: Doc) -> None:
    """A plain group stays at its old tokens, some of them behind the end of the Doc."""
    doc = Doc(doc.vocab).from_bytes(doc.to_bytes())
    assert type(doc.spans["ner"]) is SpanGroup
    merge_entities(doc)
    with pytest.raises(IndexError):
        list(doc.spans["ner"])
    assert confidences(doc.ents) == [0.9, 0.8, 0.7]
    with pytest.raises(MtnlpError, match="E305"):
        mtnlp.confidence(doc[0:1], key="ner")


def test_what_is_known_of_spans_goes_with_them(doc: Doc) -> None:
    """Scores and `given`, where a span vanishes in a merged token and another has neither."""
    group = doc.spans["ner"]
    group.attrs["given"] = np.array([True, False, True])
    group.append(entity(doc, 4, 5))
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[1:3])
    assert [span.text for span in group] == ["Tom", "New York", "in"]
    assert group_scores(group) == pytest.approx([0.8, 0.7])
    assert confidences(group) == [0.8, 0.7, None]
    assert list(group.attrs["given"]) == [False, True]
    del group[0]
    assert list(group.attrs["given"]) == [True] and confidences(group) == [0.7, None]


@pytest.mark.parametrize("plain", [False, True])
def test_own_entities_of_merged_tokens(doc: Doc, plain: bool) -> None:
    """A pipe knows what it wrote itself, whatever became of tokens and of other entities."""
    label = doc.vocab.strings["PER"]
    kept = [KeptEntities([entity(doc, 1, 4)], [])]
    write_entities([doc], predictions_of([(5, 7, 0.7)]), ["PER"], "all", "x", kept)
    if plain:
        doc = Doc(doc.vocab).from_bytes(doc.to_bytes())
    assert own_entities(doc.spans["all"], "x") == {(23, 31, label)}
    merge_entities(doc)
    assert own_entities(doc.spans["all"], "x") == {(23, 31, label)}
    assert own_entities(doc.spans["all"], "y") == set()


def test_split_tokens(doc: Doc) -> None:
    with doc.retokenize() as retokenizer:
        retokenizer.split(doc[3], ["T", "om"], heads=[(doc[3], 1), doc[2]])
    assert [ent.text for ent in doc.ents] == ["Anna Keller", "Tom", "New York"]
    assert confidences(doc.ents) == [0.9, 0.8, 0.7]
    assert [span.text for span in doc.spans["all"]] == ["Keller met Tom", "New York"]


def test_entities_of_other_characters_have_no_confidence(doc: Doc) -> None:
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[1:3])
    assert [ent.text for ent in doc.ents] == ["Anna Keller met", "Tom", "New York"]
    assert confidences(doc.ents) == [None, 0.8, 0.7]
    assert [span.text for span in doc.spans["ner"]] == ["Tom", "New York"]
    assert confidences(doc.spans["ner"]) == [0.8, 0.7]


def test_docs_without_scores(doc: Doc) -> None:
    """Where spaCy leaves out what groups hold beside their spans, there is nothing to say."""
    joined = Doc.from_docs([doc, doc])
    read = Doc(doc.vocab).from_json(doc.to_json())
    for other in (doc[0:5].as_doc(), doc[0:5].as_doc(copy_user_data=True), joined, read):
        assert len(other.ents) >= 2
        assert set(confidences(other.ents)) == {None}
        for group in other.spans.values():
            assert set(confidences(group)) == {None}
    # A slice is of the Doc itself.
    assert confidences(doc[2:8].ents) == [0.8, 0.7]

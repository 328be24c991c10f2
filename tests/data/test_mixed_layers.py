"""`mtnlp.MixedCorpus.v1`: the mapping of layers."""

from pathlib import Path
from typing import Any, Dict

import pytest
import spacy
from spacy.tokens import Doc, Span, SpanGroup
from spacy.vocab import Vocab

from mtnlp.annotation.annotated_labels import annotated_labels
from mtnlp.data.corpus_settings import CorpusSettings
from mtnlp.data.mixed_corpus import create_mixed_corpus_v1
from mtnlp.errors import MtnlpError
from tests.data.mixed_cases import news, read_one, save, spans_of


def test_ents_move_to_a_spans_key(nlp, tmp_path):
    reference = read_one(nlp, news(nlp.vocab), tmp_path, ents_to="conll").reference
    assert spans_of(reference.spans["conll"]) == [(0, 1, "PER"), (2, 3, "LOC")]
    assert not reference.has_annotation("ENT_IOB")
    assert set(reference.spans) == {"conll", "fine", "nested"}


def test_a_layer_moves_to_ents(nlp, tmp_path):
    reference = read_one(nlp, news(nlp.vocab), tmp_path, spans_to_ents="fine").reference
    assert spans_of(reference.ents) == [(2, 3, "CITY")]
    assert [token.ent_iob_ for token in reference] == ["O", "O", "B", "O"]
    assert set(reference.spans) == {"nested"}


def test_layers_are_renamed_with_their_scores(nlp, tmp_path):
    reference = read_one(nlp, news(nlp.vocab), tmp_path, spans={"nested": "nerel"}).reference
    assert set(reference.spans) == {"fine", "nerel"}
    assert spans_of(reference.spans["nerel"]) == [(0, 3, "EVENT"), (0, 1, "PERSON")]
    assert reference.spans["nerel"].name == "nerel"
    assert reference.spans["nerel"].attrs["scores"] == [0.5, 1.0]
    assert spans_of(reference.ents) == [(0, 1, "PER"), (2, 3, "LOC")]


def test_all_mappings_happen_at_once(nlp, tmp_path):
    settings: Dict[str, Any] = {"ents_to": "fine", "spans_to_ents": "fine"}
    reference = read_one(nlp, news(nlp.vocab), tmp_path, **settings).reference
    assert spans_of(reference.ents) == [(2, 3, "CITY")]
    assert spans_of(reference.spans["fine"]) == [(0, 1, "PER"), (2, 3, "LOC")]
    swapped = {"fine": "nested", "nested": "fine"}
    reference = read_one(nlp, news(nlp.vocab), tmp_path, spans=swapped).reference
    assert spans_of(reference.spans["nested"]) == [(2, 3, "CITY")]
    assert len(reference.spans["fine"]) == 2


def test_a_mapped_layer_that_a_document_lacks_stays_missing(nlp, tmp_path):
    vocab = Vocab()
    bare = Doc(vocab, words=["Bare", "."])
    path = save(tmp_path / "a.spacy", [news(vocab), bare])

    def map_bare(**settings: Any) -> Doc:
        reader = create_mixed_corpus_v1({"a": {"path": path, **settings}}, shuffle=False)
        return list(reader(nlp))[1].reference

    assert not map_bare(ents_to="conll").spans
    assert not map_bare(spans={"fine": "new"}).spans
    assert not map_bare(spans_to_ents="fine").has_annotation("ENT_IOB")


def test_a_text_without_tokens_has_no_entities_to_move(nlp):
    corpus, empty = CorpusSettings("a", Path("a.spacy"), ents_to="conll"), Doc(nlp.vocab)
    corpus.map_layers(empty)
    assert not empty.spans
    with pytest.raises(MtnlpError, match="E193"):
        corpus.check_layers([empty])


def test_an_empty_layer_becomes_annotated_entities(nlp, tmp_path):
    doc = Doc(nlp.vocab, words=["Nothing", "."])
    doc.spans["fine"] = SpanGroup(doc, name="fine")
    reference = read_one(nlp, doc, tmp_path, spans_to_ents="fine").reference
    assert reference.has_annotation("ENT_IOB", require_complete=True)
    assert reference.ents == ()


@pytest.mark.parametrize(
    "settings, code",
    [
        ({"spans": {"absent": "new"}}, "E193.*'absent'.*entities, 'fine', 'nested'"),
        ({"spans_to_ents": "absent"}, "E193.*'absent'"),
        ({"ents_to": "fine"}, "E194.*'fine'"),
        ({"spans": {"nested": "fine"}}, "E194.*'fine'"),
        ({"spans_to_ents": "nested"}, "E196.*'nested'.*Anna left"),
    ],
)
def test_mappings_that_cannot_be_are_refused(nlp, tmp_path, settings, code):
    with pytest.raises(MtnlpError, match=code):
        read_one(nlp, news(nlp.vocab), tmp_path, **settings)


def test_ents_to_without_entities_or_with_half_of_them_is_refused(nlp, tmp_path):
    doc = Doc(nlp.vocab, words=["Anna", "left"])
    with pytest.raises(MtnlpError, match=r"E193.*the entities.*neither"):
        read_one(nlp, doc, tmp_path, ents_to="conll")
    doc.set_ents([Span(doc, 0, 1, "PER")], default="missing")
    with pytest.raises(MtnlpError, match=r"E195.*Anna"):
        read_one(nlp, doc, tmp_path, ents_to="conll")


def test_labels_that_a_corpus_is_annotated_for(nlp, tmp_path):
    doc = news(nlp.vocab)
    nlp = spacy.blank("en")
    nlp.add_pipe("ner")
    reference = read_one(nlp, doc, tmp_path, labels={"ner": ["LOC", "GPE"]}).reference
    assert annotated_labels(reference, "doc.ents") == {"LOC", "GPE"}
    for labels in ({"tagger": ["LOC"]}, {"sentencizer": ["LOC"]}):
        with pytest.raises(MtnlpError, match=r"E775.*'LOC'"):
            read_one(nlp, doc, tmp_path, labels=labels)
    for wrong in (["LOC"], {"ner": []}, {"ner": "LOC"}, {"ner": [1]}):
        with pytest.raises(MtnlpError, match=r"E192.*labels"):
            read_one(nlp, doc, tmp_path, labels=wrong)
    with pytest.raises(MtnlpError, match=r"E192.*places"):
        read_one(nlp, doc, tmp_path, places={})

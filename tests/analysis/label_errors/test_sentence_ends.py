"""Entities across the end of a sentence: against all tag sequences, in a pipeline, on the page."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, List, Optional, Tuple

import numpy as np
import pytest
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from spacy.vocab import Vocab

from mtnlp.analysis.label_errors import judging, sentence_ends
from mtnlp.analysis.label_errors.apply import ENDS, apply_reviewed
from mtnlp.analysis.label_errors.corpus import CheckedCorpus, Place
from mtnlp.analysis.label_errors.find import FindOptions, find_label_errors
from mtnlp.analysis.label_errors.judging import Judge, JudgedDoc, Question
from mtnlp.analysis.label_errors.ranking import describe, rank
from mtnlp.analysis.label_errors.sentence_ends import (
    CutSpot,
    annotated_there,
    cuts_of,
    find_neighbours,
    joined,
)
from mtnlp.analysis.label_errors.suggestions import read_suggestions, write_suggestions
from mtnlp.annotation.layers import entity_layer
from mtnlp.data.document_ids import DOCUMENT
from mtnlp.data.reading import copy_tokens
from mtnlp.reports.label_errors import layer_section
from mtnlp.types import Annotation
from tests.analysis.label_errors.test_spots import LABELS, all_readings, make_scores
from tests.tiny import make_nlp

CUT = "cut by the end of a sentence"


def make_doc(words: str, *spans: Tuple[int, int, str], text: Optional[str] = "a") -> Doc:
    doc = Doc(Vocab(), words=words.split())
    doc.set_ents([Span(doc, *span) for span in spans], default="outside")
    if text is not None:
        doc.user_data[DOCUMENT] = text
    return doc


def placed(*docs: Doc, first: int = 0) -> List[Tuple[Place, Doc]]:
    return [(Place("a.spacy", first + i), doc) for i, doc in enumerate(docs)]


@pytest.mark.parametrize("scheme", ["bio", "biluo"])
@pytest.mark.parametrize("seed", range(4))
def test_against_all_sequences(scheme: str, seed: int) -> None:
    scores, firsts = make_scores(seed, scheme, [4, 3, 2]), np.array([2, 1, 1])
    given: Any = [(Annotation(1, 2, "A"),)] * 3
    for row, spot in enumerate(cuts_of(scores, given, firsts, LABELS)):
        at = firsts[row]
        readings = all_readings(scores, row)
        across = [(spans, p) for spans, p in readings if any(s[0] < at < s[1] for s in spans)]
        total = sum(p for _, p in across)
        assert (spot is None) == (total < 0.01)
        if spot is None:
            continue
        assert spot.log_other == pytest.approx(np.log(total), abs=1e-6)
        assert spot.log_given == pytest.approx(np.log1p(-total), abs=1e-6)
        best, _ = max(across, key=lambda item: item[1])
        assert set(map(tuple, spot.other)) == {s for s in best if s[0] < at < s[1]}
        assert spot.start <= 1 and spot.end >= spot.other[0].end
        again = CutSpot.from_json(json.loads(json.dumps(spot.to_json())))
        assert again.to_json() == spot.to_json()


def test_an_improbable_one_is_none() -> None:
    scores = make_scores(0, "bio", [3])
    scores.emissions[0, 1] = [50.0, 0.0, 0.0, 0.0, 0.0]
    assert cuts_of(scores, [(Annotation(0, 1, "A"),)], np.array([1]), LABELS) == [None]


def test_neighbours_are_of_one_text() -> None:
    one, two = make_doc("Jamie"), make_doc("Spence")
    assert [n.number for n in find_neighbours(None, placed(one, two, two))] == [1, 2]
    (found,) = find_neighbours(placed(one)[0], placed(two, first=1))
    assert (found.number, found.first, found.second) == (0, one, two)
    assert not find_neighbours(None, placed(one, make_doc("Spence", text="b")))
    assert not find_neighbours(None, placed(make_doc("a", text=None), make_doc("b", text=None)))
    assert not find_neighbours(placed(one)[0], placed(two, first=2))
    assert not find_neighbours((Place("b.spacy", 0), one), placed(two, first=1))


def test_what_is_annotated_there() -> None:
    layer = entity_layer(None)

    def there(first: Doc, second: Doc) -> Any:
        (pair,) = find_neighbours(None, placed(first, second))
        found = annotated_there(pair, layer)
        return None if found is None else [tuple(span) for span in found]

    left, right = make_doc("said Jamie", (1, 2, "PER")), make_doc("Spence won", (0, 1, "PER"))
    assert there(left, right) == [(1, 2, "PER"), (2, 3, "PER")]
    assert there(left, make_doc("won it")) == [(1, 2, "PER")]
    assert there(make_doc("Jamie said", (0, 1, "PER")), right) == [(2, 3, "PER")]
    assert there(make_doc("he said"), make_doc("he won")) is None
    unknown = make_doc("said Jamie")
    unknown.set_ents([], missing=[unknown[1:2]], default="outside")
    assert there(unknown, right) is None
    bare = Doc(Vocab(), words=["Spence"])
    bare.user_data[DOCUMENT] = "a"
    assert there(left, bare) is None
    both = joined(left, right)
    assert [token.text for token in both] == ["said", "Jamie", "Spence", "won"]
    assert both[1].whitespace_ and not both.ents


def make_pipeline(backbone: Path, docs: List[Doc]) -> Language:
    nlp = make_nlp(backbone, ["ner"])
    nlp.initialize(lambda: [Example(copy_tokens(doc, nlp.vocab), doc) for doc in docs])
    return nlp


def test_docs_of_two_chunks_are_neighbours(backbone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the size of the chunks, each pair is asked about once, with the second Doc."""
    docs = [make_doc(f"Anna met {name}", (2, 3, "PER")) for name in ("Tom", "Eve", "Bob", "Al")]
    nlp = make_pipeline(backbone, docs)
    monkeypatch.setattr(sentence_ends, "LEAST", 0.0)
    found = []
    for size in (1, 3, 32):
        monkeypatch.setattr(judging, "CHUNK", size)
        judged = list(Judge(nlp, {})(placed(*docs)))
        found.append([item.spots.get(Question("ner", "sentences/ents")) for item in judged])
    assert found[0][0] is None and any(found[0][1:])
    for each in found[1:]:
        for mine, theirs in zip(found[0], each, strict=True):
            assert (mine is None) == (theirs is None)
            if mine is not None and theirs is not None:
                assert mine[0].given == theirs[0].given
                assert mine[0].log_given == pytest.approx(theirs[0].log_given, abs=1e-3)


def make_row() -> Tuple[JudgedDoc, Any]:
    first = make_doc("Anna saw Jamie", (0, 1, "PER"), (2, 3, "PER"))
    second = make_doc("Spence in Rome", (0, 1, "PER"), (2, 3, "LOC"))
    given = Annotation(2, 3, "PER"), Annotation(3, 4, "PER")
    judged = JudgedDoc(Place("a.spacy", 1))
    judged.spots[Question("ner", "sentences/ents")] = [
        CutSpot(2, 4, given, (Annotation(2, 4, "PER"),), -4.0, -0.02)
    ]
    return judged, dict(placed(first, second))


def test_what_a_reviewer_sees(tmp_path: Path) -> None:
    judged, docs = make_row()
    again = JudgedDoc.from_json(json.loads(json.dumps(judged.to_json())))
    assert again == judged and isinstance(next(iter(again.spots.values()))[0], CutSpot)
    (item,) = describe(rank([judged]), docs)
    assert (item.kind, item.layer, item.number, item.document) == (CUT, "sentences/ents", 1, "a")
    assert item.words == "Jamie Spence" and item.suggested_texts == ["Jamie Spence"]
    assert item.tokens == ["Anna", "saw", "Jamie", "Spence", "in", "Rome"]
    assert item.around == [[0, 1, "PER"], [5, 6, "LOC"]]
    write_suggestions(tmp_path / "s.jsonl", [item])
    assert read_suggestions(tmp_path / "s.jsonl") == [item]
    section = layer_section(item.layer, [asdict(item)])
    assert section.title == "Ends of sentences (ents)"


def test_accepted_ones_are_counted_and_change_nothing(tmp_path: Path) -> None:
    judged, docs = make_row()
    (item,) = describe(rank([judged]), docs)
    item.answer = "accept"
    write_suggestions(tmp_path / "s.jsonl", [item])
    path = tmp_path / "a.spacy"
    DocBin(docs=list(docs.values()), store_user_data=True).to_disk(path)
    applied = apply_reviewed(CheckedCorpus(path), tmp_path / "s.jsonl", tmp_path / "new.spacy")
    assert applied.left_out[ENDS] == 1 and applied.changed == 0
    made = [doc.to_json() for doc in DocBin().from_disk(tmp_path / "new.spacy").get_docs(Vocab())]
    assert [doc["ents"] for doc in made] == [doc.to_json()["ents"] for doc in docs.values()]


def test_no_export_has_them(backbone: Path, tmp_path: Path, monkeypatch: Any) -> None:
    docs = [make_doc(f"Anna met {name}", (2, 3, "PER")) for name in ("Tom", "Eve", "Bob", "Al")]
    path = tmp_path / "a.spacy"
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    make_pipeline(backbone, docs).to_disk(tmp_path / "model")
    monkeypatch.setattr(sentence_ends, "LEAST", 0.0)
    options = FindOptions(tmp_path / "out", models=[tmp_path / "model"], tools=["prodigy"])
    found = find_label_errors(path, None, {}, options)
    layers = {item.layer for item in found.suggestions}
    assert "sentences/ents" in layers
    assert not any("sentences" in str(file) for file in found.files)
    assert found.left_out["suggestions about ends of sentences, from the exports"] > 0

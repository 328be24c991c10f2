"""Confidences of entity pipes: temperature, threshold, n-best readings."""

import json
from pathlib import Path
from typing import Any, List

import numpy as np
import pytest
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc

from mtnlp.errors import MtnlpError
from mtnlp.pipes.nbest import Reading, make_readings
from mtnlp.types import Annotation
from tests.pipes.cases import (
    TEXTS,
    assert_same_answers,
    get_case_pipe,
    group_scores,
    initialized,
    listed,
    make_case,
    mixed_examples,
    train,
)

NER_CASES = ["crf_ents", "crf_spans", "biluo", "softmax", "span"]
GROUPS = {"crf_spans": "multinerd", "span": "nerel"}
TEXT = "Anna Keller flew to Paris ."


def make_trained(backbone: Path, name: str, steps: int = 8) -> Language:
    """Trained so little that it is not sure of anything."""
    nlp = initialized(make_case(backbone, name))
    train(nlp, mixed_examples(nlp), steps)
    return nlp


def entities_of(doc: Doc, name: str) -> List[Any]:
    return listed(doc.spans[GROUPS.get(name, "crf_ner")])


def scores_of(doc: Doc, name: str) -> List[float]:
    return group_scores(doc.spans[GROUPS.get(name, "crf_ner")])


# Temperature


@pytest.mark.parametrize("name", NER_CASES)
def test_temperature_survives_and_acts(name: str, backbone: Path, tmp_path: Path) -> None:
    nlp = make_trained(backbone, name)
    pipe = get_case_pipe(nlp, name)
    assert pipe.cfg["temperature"] == 1.0
    if name == "span":
        pipe.cfg["threshold"] = 0.0
    before = list(nlp.pipe(TEXTS))
    pipe.cfg["temperature"] = 2.5
    after = list(nlp.pipe(TEXTS))
    if name != "span":  # whose decoder goes by the probabilities
        assert [entities_of(doc, name) for doc in before] == [
            entities_of(doc, name) for doc in after
        ]
    assert [scores_of(doc, name) for doc in before] != [scores_of(doc, name) for doc in after]
    nlp.to_disk(tmp_path)
    for loaded in (spacy.load(tmp_path), make_case(backbone, name).from_bytes(nlp.to_bytes())):
        assert get_case_pipe(loaded, name).cfg["temperature"] == 2.5
        for text in TEXTS:
            assert_same_answers(nlp(text), loaded(text), 1e-6)


@pytest.mark.parametrize("name", NER_CASES)
def test_training_never_sees_it(name: str, backbone: Path) -> None:
    nlp = make_trained(backbone, name, 1)
    pipe = get_case_pipe(nlp, name)
    examples = mixed_examples(nlp)
    for example in examples:
        example.predicted = nlp.get_pipe("transformer")(example.predicted)  # type: ignore
    loss = pipe.loss_on(examples)
    pipe.cfg["temperature"] = 7.0
    assert pipe.loss_on(examples) == loss and loss[0] > 0
    # New weights have not been calibrated.
    nlp.initialize(lambda: mixed_examples(nlp))
    assert pipe.cfg["temperature"] == 1.0


@pytest.mark.parametrize("name", ["crf_ents", "span"])
def test_pipelines_saved_before_there_was_one(name: str, backbone: Path, tmp_path: Path) -> None:
    nlp = make_trained(backbone, name, 2)
    nlp.to_disk(tmp_path)
    factory = "span_ner" if name == "span" else "crf_ner"
    saved = tmp_path / factory / "cfg"
    cfg = json.loads(saved.read_text())
    cfg.pop("temperature")
    if name != "span":
        cfg.pop("threshold")
    saved.write_text(json.dumps(cfg))
    config = (tmp_path / "config.cfg").read_text()
    lines = [line for line in config.splitlines() if line != "threshold = 0.0"]
    (tmp_path / "config.cfg").write_text("\n".join(lines))
    loaded = spacy.load(tmp_path)
    assert get_case_pipe(loaded, name).cfg["temperature"] == 1.0
    for text in TEXTS:
        assert_same_answers(nlp(text), loaded(text), 1e-6)


# The threshold


@pytest.mark.parametrize("name", ["crf_ents", "crf_spans", "softmax"])
def test_threshold(name: str, backbone: Path, tmp_path: Path) -> None:
    nlp = make_trained(backbone, name)
    pipe = get_case_pipe(nlp, name)
    doc = nlp(TEXT)
    entities, scores = entities_of(doc, name), scores_of(doc, name)
    assert len(set(scores)) > 1
    pipe.cfg["threshold"] = (min(scores) + max(scores)) / 2
    nlp.to_disk(tmp_path)
    for pipeline in (nlp, spacy.load(tmp_path)):
        doc = pipeline(TEXT)
        sure = [score >= pipe.cfg["threshold"] for score in scores]
        assert 0 < sum(sure) < len(sure)
        kept = [entity for entity, keep in zip(entities, sure, strict=True) if keep]
        assert entities_of(doc, name) == kept
        assert scores_of(doc, name) == pytest.approx(
            [score for score, keep in zip(scores, sure, strict=True) if keep]
        )
        if name != "crf_spans":
            assert listed(doc.ents) == kept
            assert doc.has_annotation("ENT_IOB")
    # One that has just the confidence is kept.
    pipe.cfg["threshold"] = max(scores)
    assert scores_of(nlp(TEXT), name) == [max(scores)]
    pipe.cfg["threshold"] = 1.01
    for doc in nlp.pipe(TEXTS):
        assert not entities_of(doc, name) and not doc.ents


def test_threshold_is_a_setting(backbone: Path) -> None:
    nlp = make_case(backbone, "crf_ents", threshold=0.75)
    assert get_case_pipe(nlp, "crf_ents").cfg["threshold"] == 0.75
    assert nlp.config["components"]["crf_ner"]["threshold"] == 0.75


def test_threshold_under_its_earlier_name(
    backbone: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nlp = make_case(backbone, "crf_ents", min_confidence=0.75)
    assert "W334" in caplog.text and "0.75" in caplog.text
    pipe = get_case_pipe(nlp, "crf_ents")
    assert pipe.cfg["threshold"] == 0.75 and "min_confidence" not in pipe.cfg
    caplog.clear()
    make_case(backbone, "crf_ents", min_confidence=0.0)
    make_case(backbone, "crf_ents", min_confidence=0.5, threshold=0.5)
    assert not caplog.text
    with pytest.raises(MtnlpError, match=r"E333.*0\.25.*0\.75"):
        make_case(backbone, "crf_ents", min_confidence=0.75, threshold=0.25)


def test_earlier_threshold_in_a_saved_pipeline(backbone: Path, tmp_path: Path) -> None:
    nlp = make_trained(backbone, "crf_ents")
    scores = scores_of(nlp(TEXT), "crf_ents")
    least = (min(scores) + max(scores)) / 2
    nlp.to_disk(tmp_path)
    cfg = json.loads((tmp_path / "crf_ner" / "cfg").read_text())
    del cfg["threshold"]
    (tmp_path / "crf_ner" / "cfg").write_text(json.dumps({**cfg, "min_confidence": least}))
    loaded = spacy.load(tmp_path)
    assert get_case_pipe(loaded, "crf_ents").cfg["threshold"] == least
    get_case_pipe(nlp, "crf_ents").cfg["min_confidence"] = least  # by code that is older
    expected = [score for score in scores if score >= least]
    for pipeline in (loaded, nlp):
        assert 0 < len(expected) < len(scores)
        assert scores_of(pipeline(TEXT), "crf_ents") == pytest.approx(expected)


# N-best readings


@pytest.mark.parametrize("name", ["crf_ents", "crf_spans", "biluo"])
def test_nbest(name: str, backbone: Path) -> None:
    nlp = make_trained(backbone, name)
    pipe = get_case_pipe(nlp, name)
    pipe.cfg["temperature"] = 1.7
    docs = list(nlp.pipe(TEXTS))
    readings = pipe.nbest(docs, 4)
    assert len(readings) == len(docs)
    for doc, found in zip(docs, readings, strict=True):
        assert 0 < len(found) <= 4
        assert [r.probability for r in found] == sorted(
            (r.probability for r in found), reverse=True
        )
        assert len({tuple(r.entities) for r in found}) == len(found)
        assert sum(r.probability for r in found) <= 1.0 + 1e-6
        if not any(token.is_space for token in doc):
            assert found[0].entities == entities_of(doc, name)
        if not len(doc):
            assert found == [Reading(1.0, [])]
        (alone,) = pipe.nbest([doc], 4)
        assert [r.entities for r in alone] == [r.entities for r in found]
        assert [r.probability for r in alone] == pytest.approx([r.probability for r in found], 1e-4)
    assert pipe.nbest([], 3) == []


def test_all_readings_make_the_posteriors(backbone: Path) -> None:
    """An entity's confidence is the sum over the readings that hold it."""
    nlp = make_trained(backbone, "crf_ents")
    doc = nlp("Anna flew")
    (readings,) = get_case_pipe(nlp, "crf_ents").nbest([doc], 1000)
    # Nothing, four ways to tag one token of two labels, two spans of two tokens, four of both.
    assert len(readings) == 1 + 4 + 2 + 4
    assert sum(r.probability for r in readings) == pytest.approx(1.0)
    assert doc.ents
    entities, scores = entities_of(doc, "crf_ents"), scores_of(doc, "crf_ents")
    for entity, score in zip(entities, scores, strict=True):
        held = sum(r.probability for r in readings if entity in r.entities)
        assert held == pytest.approx(score, rel=1e-4)
    one = nlp("Anna")
    assert len(get_case_pipe(nlp, "crf_ents").nbest([one], 9)[0]) == 3


SPACED = [
    ["Anna", " "],
    [" ", "Anna"],
    ["Anna", " ", "\n", "Paris"],
    [" ", "Anna", " ", "Keller", " "],
    [" ", " "],
    ["Anna", "flew"],
]


@pytest.mark.parametrize("name", ["crf_ents", "biluo"])
def test_white_space_around_an_entity_adds_to_its_confidence(name: str, backbone: Path) -> None:
    """Readings that hold it with white space hold it, too: the sum over all readings is exact."""
    nlp = make_trained(backbone, name, 3)
    pipe = get_case_pipe(nlp, name)
    pipe.cfg["temperature"] = 3.0
    # Entities wherever they can be, and nothing sure.
    with torch.no_grad():
        pipe.module.output.bias[0] -= 2.0
    bare = [Doc(nlp.vocab, words=words) for words in SPACED]
    docs = list(nlp.pipe([doc.copy() for doc in bare]))
    checked = 0
    for doc, readings in zip(docs, pipe.nbest(docs, 10000), strict=True):
        assert sum(reading.probability for reading in readings) == pytest.approx(1.0)
        scores = scores_of(doc, name)
        for entity, score in zip(entities_of(doc, name), scores, strict=True):
            held = sum(reading.probability for reading in readings if entity in reading.entities)
            assert score == pytest.approx(held, rel=1e-4)
            checked += any(token.is_space for token in doc)
        alone = nlp(Doc(nlp.vocab, words=[token.text for token in doc]))
        assert entities_of(alone, name) == entities_of(doc, name)
        assert scores_of(alone, name) == pytest.approx(scores, rel=1e-4)
    assert checked >= 4 and [entity[:2] for entity in entities_of(docs[0], name)] == [(0, 1)]

    # No single span says as much, and it is this score that must be large enough.
    (score,) = scores_of(docs[0], name)
    output, mask = pipe.model.predict(docs[:1])
    label = pipe.labels.index(entities_of(docs[0], name)[0][2])
    each = pipe.module.crf.span_probabilities(
        output.scores, mask, torch.tensor([[0, 0, 1, label], [0, 0, 2, label]]), 3.0
    )
    assert max(each.tolist()) < 0.9 * score
    pipe.cfg["threshold"] = (max(each.tolist()) + score) / 2
    assert len(entities_of(nlp(bare[0].copy()), name)) == 1


def test_readings_that_differ_in_white_space_are_one() -> None:
    doc = Doc(spacy.blank("en").vocab, words=["Anna", " "])
    empty = Doc(doc.vocab)
    logs = np.log([[0.4, 0.3, 0.2], [1.0, 1.0, 1.0]])
    logs[1, 1:] = -np.inf
    # "Anna" is a PER; "Anna " is; " " is, which is nothing.
    spans = np.array([[0, 0, 1, 0], [1, 0, 2, 0], [2, 1, 2, 0]])
    both, none = make_readings([doc, empty], spans, logs, ["PER"])
    assert [reading.entities for reading in both] == [[Annotation(0, 1, "PER")], []]
    assert [reading.probability for reading in both] == pytest.approx([0.7, 0.2])
    assert none == [Reading(1.0, [])]


def test_nbest_needs_a_crf_and_vectors(backbone: Path) -> None:
    nlp = make_trained(backbone, "softmax", 1)
    with pytest.raises(MtnlpError, match="E233"):
        get_case_pipe(nlp, "softmax").nbest([nlp(TEXT)], 2)
    nlp = make_trained(backbone, "crf_ents", 1)
    pipe = get_case_pipe(nlp, "crf_ents")
    with pytest.raises(MtnlpError, match="E234"):
        pipe.nbest([nlp(TEXT)], 0)
    with pytest.raises(MtnlpError, match=r"E310.*crf_ner.*Anna Keller"):
        pipe.nbest([nlp.make_doc(TEXT)], 2)
    nlp.add_pipe("trf_data_cleaner")
    doc = nlp(TEXT)
    with pytest.raises(MtnlpError, match="E310"):
        pipe.nbest([doc], 2)
    with nlp.select_pipes(disable=["trf_data_cleaner"]):
        assert pipe.nbest([nlp(TEXT)], 2)

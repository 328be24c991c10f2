"""Trained pipes get further labels: what they know and what they say stays, new ones are learnt."""

import logging
import re
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc

from mtnlp.errors import MtnlpError
from tests.pipes.cases import (
    LONG_TEXT,
    TEXTS,
    adam,
    assert_same_answers,
    get_case_pipe,
    head_weights,
    initialized,
    listed,
    make_case,
    mixed_examples,
    train,
)
from tests.tiny import make_example

NEW: Dict[str, List[str]] = {
    "crf_ents": ["ANIM", "ORG"],
    "biluo": ["ANIM", "ORG"],
    "softmax": ["ANIM", "ORG"],
    "span": ["ANIM"],
    "marker": ["ANIM", "LOC"],
    "multitask": ["sentiment/mixed", "topic/FOOD", "topic/LAW"],
    "separate": ["sentiment/mixed", "topic/FOOD"],
    "attention": ["event/WEDDING"],
}

# Of one head of each kind.
SAVED = ("crf_ents", "span", "separate")


def opinionated(backbone: Path, name: str) -> Language:
    """A pipeline whose head says much, and nothing in particular."""
    nlp = initialized(make_case(backbone, name))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weights in get_case_pipe(nlp, name).module.parameters():
            weights.normal_(generator=generator)
    return nlp


def answers(nlp: Language) -> List[Doc]:
    return list(nlp.pipe([*TEXTS, LONG_TEXT]))


@pytest.mark.parametrize("name", NEW)
def test_what_a_grown_head_says(name: str, backbone: Path, tmp_path: Path) -> None:
    nlp = opinionated(backbone, name)
    pipe = get_case_pipe(nlp, name)
    labels, before = pipe.labels, head_weights(nlp, pipe.name)
    said = answers(nlp)
    assert pipe.grow([labels[0], *NEW[name], NEW[name][0]]) == NEW[name]
    assert pipe.grow(NEW[name]) == []
    # Old labels in their order, and in each task the new ones behind them.
    assert [label for label in pipe.labels if label in labels] == list(labels)
    assert set(pipe.labels) == {*labels, *NEW[name]}
    assert all(label in nlp.vocab.strings for label in pipe.labels)
    if not hasattr(pipe, "tasks"):
        assert list(pipe.labels) == [*labels, *NEW[name]]
    after = head_weights(nlp, pipe.name)
    assert sum(after[key].shape != known.shape for key, known in before.items()) > 0
    for key, known in before.items():
        np.testing.assert_array_equal(after[key][tuple(map(slice, known.shape))], known)
    now = answers(nlp)
    for one, other in zip(said, now, strict=True):
        assert listed(one.ents) == listed(other.ents)
        assert {k: listed(g) for k, g in one.spans.items()} == {
            k: listed(g) for k, g in other.spans.items()
        }
        for key, value in one.cats.items():
            assert other.cats[key] == pytest.approx(value, abs=0.002)
        if one.cats:
            assert max(other.cats[key] for key in NEW[name]) < 0.5
    assert any(listed(doc.ents) or any(map(listed, doc.spans.values())) or doc.cats for doc in now)
    if name not in SAVED:
        return
    nlp.to_disk(tmp_path)
    for one, other in zip(now, answers(spacy.load(tmp_path)), strict=True):
        assert_same_answers(one, other)


def test_probabilities_of_new_labels(backbone: Path) -> None:
    nlp = opinionated(backbone, "multitask")
    pipe = get_case_pipe(nlp, "multitask")
    pipe.grow(["topic/FOOD", "topic/LAW"])
    cats = nlp(TEXTS[0]).cats
    # A thousandth of what they may have, between them.
    share = 0.0005
    expected = share / (1 + share)
    assert cats["topic/FOOD"] == pytest.approx(expected) == cats["topic/LAW"]


def test_a_new_task(backbone: Path, tmp_path: Path) -> None:
    nlp = opinionated(backbone, "multitask")
    pipe = get_case_pipe(nlp, "multitask")
    said, labels = nlp(TEXTS[0]).cats, pipe.labels
    for tasks, wanted in (
        ({"mood": True}, ["mood/glad"]),  # one label is no choice
        ({"mood": True}, []),
        ({"mood": True}, ["mode/glad"]),
        ({"mo/od": True}, ["mo/od/glad"]),
    ):
        with pytest.raises(MtnlpError, match=r"E302|E304|E332|E343"):
            pipe.grow(wanted, exclusive=tasks)
        assert pipe.labels == labels and list(pipe.tasks) == ["sentiment", "topic"]
    pipe.grow(["mood/glad", "mood/sad"], exclusive={"mood": True})
    assert pipe.tasks["mood"] == {"labels": ["glad", "sad"], "exclusive": True}
    cats = nlp(TEXTS[0]).cats
    assert {key: cats[key] for key in said} == pytest.approx(said, abs=1e-6)
    assert cats["mood/glad"] + cats["mood/sad"] == pytest.approx(1.0)
    nlp.to_disk(tmp_path)
    assert spacy.load(tmp_path)(TEXTS[0]).cats == pytest.approx(cats, abs=1e-5)
    events = get_case_pipe(initialized(make_case(backbone, "events")), "events")
    with pytest.raises(MtnlpError, match="E304"):
        events.grow(["mood/glad", "mood/sad"], exclusive={"mood": True})


def test_a_head_that_is_not_built(backbone: Path) -> None:
    pipe = get_case_pipe(make_case(backbone, "crf_ents"), "crf_ents")
    with pytest.raises(MtnlpError, match=r"E776.*\(ORG\)"):
        pipe.grow(["ORG"])


def test_weights_of_classes(backbone: Path) -> None:
    """Those of new tags are the rarest one's where they follow from counts."""
    loss = {"@losses": "mtnlp.WeightedCrossEntropy.v1", "weights": "inverse_frequency"}
    nlp = initialized(make_case(backbone, "softmax", model={"decoder": "softmax", "loss": loss}))
    pipe = get_case_pipe(nlp, "softmax")
    before = pipe.module.criterion.weights.by_class.clone()
    pipe.grow(["ORG"])
    after = pipe.module.criterion.weights.by_class
    assert after[: len(before)].tolist() == before.tolist()
    assert after[len(before) :].tolist() == [float(before.max())] * 2


# What a trained pipeline does not know: a document that has it, by case.
UNKNOWN: Dict[str, Dict[str, Any]] = {
    "crf_ents": {"ents": [(3, 5, "ANIM"), (6, 7, "LOC")]},
    "span": {"spans": [(3, 5, "ANIM"), (6, 7, "CITY")], "key": "nerel"},
    "multitask": {"cats": {"topic/FOX": 1.0, "topic/SPORT": 0.0}},
    "events": {"cats": {"event/SIGHTING": 1.0, "event/BIRTH": 0.0}},
}
GROW = r"nlp\.get_pipe\('\w+'\)\.grow\(\[.+?\]\)"
INITIALIZE = r"nlp\.get_pipe\('\w+'\)\.initialize\(.+?\)"


@pytest.mark.parametrize("name", UNKNOWN)
def test_the_remedies_of_messages_work(
    name: str, backbone: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A loaded pipeline meets a label that it does not know: what the messages say is run as it is
    written."""
    initialized(make_case(backbone, name)).to_disk(tmp_path)
    for remedy in (GROW, INITIALIZE):
        nlp = spacy.load(tmp_path)
        nlp.resume_training()
        pipe = get_case_pipe(nlp, name)
        example = make_example(nlp, "I saw a red fox near Rome .", **UNKNOWN[name])
        (label,) = set(pipe.layer.label_counts(example.reference)) - {*pipe.labels}
        caplog.clear()
        with caplog.at_level(logging.WARNING, logger="spacy.mtnlp"):
            nlp.update([example], losses={})
        with pytest.raises(MtnlpError, match="E301") as raised:
            pipe.add_label(label)
        assert "`mtnlp extend MODEL DATA --output OUT`" in caplog.text
        (told,) = set(re.findall(remedy, caplog.text) + re.findall(remedy, str(raised.value)))
        examples = [*mixed_examples(nlp), example]
        eval(told, {"nlp": nlp, "get_examples": lambda examples=examples: examples})
        assert label in pipe.labels and pipe.labels != (label,)
        pipe.skipped_labels.clear()
        nlp.update([example], losses={})
        assert not pipe.skipped_labels


def test_a_component_without_labels(backbone: Path) -> None:
    nlp = make_case(backbone, "sentence_vectors")
    pipe = get_case_pipe(nlp, "sentence_vectors")
    for _ in range(2):
        with pytest.raises(MtnlpError, match=r"E782.*'sentence_vectors'.*objectives"):
            pipe.add_label("ANIM")
        with pytest.raises(MtnlpError, match="E782"):
            pipe.grow(["ANIM"])
        initialized(nlp)
    assert pipe.labels == ()


def test_a_grown_head_learns(backbone: Path) -> None:
    nlp = initialized(make_case(backbone, "crf_ents"))
    get_case_pipe(nlp, "crf_ents").grow(["ANIM"])
    fox = make_example(nlp, "I saw a red fox near Rome .", **UNKNOWN["crf_ents"])
    train(nlp, [fox], steps=20, sgd=adam(0.01))
    assert (3, 5, "ANIM") in listed(nlp(fox.reference.text).ents)

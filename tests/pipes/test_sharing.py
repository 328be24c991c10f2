"""Freezing, sourcing, selecting and own encoders."""

import copy
from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
from spacy.language import Language

from mtnlp.errors import MtnlpError
from tests.pipes.cases import (
    CASES,
    TEXTS,
    adam,
    assert_same_answers,
    encoder_weights,
    get_case_pipe,
    head_weights,
    initialized,
    make_case,
    mixed_examples,
    only,
    same_weights,
    step,
    train,
    weights,
)
from tests.tiny import PIPES, make_nlp

HEADS = [name for name in PIPES if name != "sentence_vectors"]


# Freezing


@pytest.mark.parametrize("frozen", HEADS)
def test_a_frozen_head(frozen: str, learning: Language) -> None:
    before = {name: head_weights(learning, name) for name in HEADS}
    encoder = encoder_weights(learning)
    train(learning, mixed_examples(learning), 3, exclude=[frozen])
    kept = [name for name in HEADS if same_weights(before[name], head_weights(learning, name))]
    assert kept == [frozen]
    assert not same_weights(encoder, encoder_weights(learning))
    # It still predicts, and is scored.
    assert "ents_f" in learning.evaluate(mixed_examples(learning))


def test_a_frozen_encoder_annotates(learning: Language) -> None:
    """Heads learn from what the frozen encoder writes on the predicted Docs."""
    before = {name: head_weights(learning, name) for name in HEADS}
    encoder = encoder_weights(learning)
    settings: Dict[str, List[str]] = {"exclude": ["transformer"], "annotates": ["transformer"]}
    losses = train(learning, mixed_examples(learning), 3, **settings)
    assert same_weights(encoder, encoder_weights(learning))
    for name in HEADS:
        assert losses[name] > 0
        assert not same_weights(before[name], head_weights(learning, name))


@pytest.mark.parametrize("name", CASES)
def test_a_frozen_encoder_teaches_every_head(name: str, backbone: Path) -> None:
    nlp = initialized(make_case(backbone, name))
    pipe: Any = get_case_pipe(nlp, name)
    examples = mixed_examples(nlp)
    sgd = adam(0.02)
    losses = [
        step(nlp, examples, sgd=sgd, exclude=["transformer"], annotates=["transformer"])[pipe.name]
        for _ in range(12)
    ]
    assert losses[-1] < 0.8 * losses[0] or name == "sentence_vectors"


def test_a_frozen_encoder_that_does_not_annotate(trained: Language) -> None:
    with pytest.raises(ValueError, match="E315"):
        step(trained, mixed_examples(trained), exclude=["transformer"])


# Selecting


@pytest.mark.parametrize("name", PIPES)
def test_a_pipe_alone(name: str, trained_once: Language) -> None:
    together = [trained_once(text) for text in TEXTS]
    with trained_once.select_pipes(enable=["transformer", name]):
        alone = list(trained_once.pipe(TEXTS))
    for doc, both in zip(alone, together, strict=True):
        if name == "ner":
            assert doc.ents == () or doc.ents[0].text == both.ents[0].text
            assert set(doc.spans) == {"ner"} and not doc.cats
        elif name == "fine_ner":
            assert set(doc.spans) == {"multinerd"} and not doc.ents
        elif name == "nested_ner":
            assert set(doc.spans) == {"nerel"} and not doc.ents
        elif name == "sentence_vectors":
            assert doc.vector == pytest.approx(both.vector, abs=1e-6) and not doc.cats
        else:
            tasks = {"textcat": {"sentiment", "topic"}, "events": {"event"}}[name]
            assert set(doc._.tasks) == (tasks if doc.text.strip() else set())
            assert {key.split("/")[0] for key in doc.cats} == tasks
            assert all(doc.cats[key] == pytest.approx(both.cats[key], abs=1e-5) for key in doc.cats)


def test_a_pipe_learns_while_others_are_disabled(trained: Language) -> None:
    before = {name: head_weights(trained, name) for name in HEADS}
    encoder = encoder_weights(trained)
    with trained.select_pipes(enable=["transformer", "ner"]):
        trained._link_components()  # spaCy does so by itself in nlp.initialize alone
        train(trained, mixed_examples(trained), 2)
    trained._link_components()
    assert not same_weights(encoder, encoder_weights(trained))
    kept = [name for name in HEADS if same_weights(before[name], head_weights(trained, name))]
    assert kept == [name for name in HEADS if name != "ner"]
    train(trained, mixed_examples(trained), 1)
    assert not same_weights(before["events"], head_weights(trained, "events"))


@pytest.mark.parametrize("name", ["span", "crf_ents", "sentence_vectors"])
def test_an_only_listener_without_gold_leaves_the_encoder_alone(name: str, backbone: Path) -> None:
    nlp, sgd = initialized(make_case(backbone, name)), adam()
    step(nlp, mixed_examples(nlp), sgd=sgd)
    before = encoder_weights(nlp)
    step(nlp, only(nlp, "textcat"), sgd=sgd)
    assert same_weights(before, encoder_weights(nlp))
    step(nlp, mixed_examples(nlp), sgd=sgd)
    assert same_weights(before, encoder_weights(nlp)) == (name == "sentence_vectors")


@pytest.mark.parametrize("name", CASES)
def test_a_disabled_encoder_is_an_error(name: str, backbone: Path) -> None:
    nlp = initialized(make_case(backbone, name))
    with nlp.select_pipes(disable=["transformer"]):
        with pytest.raises(MtnlpError, match="E310"):
            list(nlp.pipe(TEXTS))
        assert [doc.text for doc in nlp.pipe(["", ""])] == ["", ""]


# Encoders of their own


@pytest.mark.parametrize("name", CASES)
def test_replace_listeners(name: str, backbone: Path, tmp_path: Path) -> None:
    nlp = initialized(make_case(backbone, name))
    train(nlp, mixed_examples(nlp), 3)
    pipe: Any = get_case_pipe(nlp, name)
    docs = [nlp(text) for text in TEXTS]
    shared = encoder_weights(nlp)
    nlp.replace_listeners("transformer", pipe.name, ["model.tok2vec"])
    assert not nlp.get_pipe("transformer").listeners  # type: ignore[attr-defined]
    nlp.to_disk(tmp_path)
    for made in (nlp, spacy.load(tmp_path)):
        with made.select_pipes(disable=["transformer"]):
            for text, doc in zip(TEXTS, docs, strict=True):
                assert_same_answers(doc, made(text))
    # Its own encoder learns, the one it came from does not.
    before = weights(pipe.model)
    losses = train(nlp, mixed_examples(nlp), 2, exclude=["transformer"])
    assert same_weights(shared, encoder_weights(nlp))
    if name != "sentence_vectors":
        assert losses[pipe.name] > 0
        after = weights(pipe.model)
        assert all((before[key] != after[key]).any() for key in before if "attention" in key)


def test_every_listener_replaced(trained: Language, tmp_path: Path) -> None:
    docs = [trained(text) for text in TEXTS]
    for name in PIPES:
        trained.replace_listeners("transformer", name, ["model.tok2vec"])
    trained.remove_pipe("transformer")
    trained.to_disk(tmp_path)
    for made in (trained, spacy.load(tmp_path), copy.deepcopy(trained)):
        for text, doc in zip(TEXTS, docs, strict=True):
            assert_same_answers(doc, made(text))


# Sourcing


def test_sourced_pipes(trained: Language, tmp_path: Path) -> None:
    docs = [trained(text) for text in TEXTS]
    nlp = spacy.blank("en")
    for name in ("transformer", *PIPES):
        nlp.add_pipe(name, source=trained)
    for text, doc in zip(TEXTS, docs, strict=True):
        assert_same_answers(doc, nlp(text))
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    for text, doc in zip(TEXTS, docs, strict=True):
        assert_same_answers(doc, loaded(text))


def test_a_sourced_pipe_beside_another_of_its_kind(trained: Language, backbone: Path) -> None:
    """A pipe with its own encoder keeps its answers in a pipeline with another encoder."""
    text = TEXTS[0]
    expected = trained(text)
    trained.replace_listeners("transformer", "ner", ["model.tok2vec"])
    nlp = initialized(make_nlp(backbone, ["fine_ner"]))
    nlp.add_pipe("ner", name="sourced", source=trained)
    doc = nlp(text)
    assert doc.ents == nlp.make_doc(text).ents or doc.ents[0].text == expected.ents[0].text
    assert doc.spans["sourced"].attrs["scores"] == pytest.approx(
        expected.spans["ner"].attrs["scores"], abs=1e-5
    )
    assert doc.ents[0]._.confidence == pytest.approx(expected.ents[0]._.confidence, abs=1e-5)

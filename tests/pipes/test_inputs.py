"""Texts of every shape: empty, of one token, of white space alone, longer than the encoder."""

from pathlib import Path
from typing import Any, List

import numpy as np
import pytest
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from mtnlp.errors import MtnlpError
from tests.pipes.cases import (
    CASES,
    LONG_TEXT,
    TEXTS,
    WITH_LABELS,
    assert_same_answers,
    encoder_weights,
    get_case_pipe,
    initialized,
    make_case,
    mixed_examples,
    same_weights,
    train,
)
from tests.tiny import make_nlp

ALL_TEXTS = [*TEXTS, LONG_TEXT, "x" * 3000, "\u200b", "Rome"]


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_pipe_does_what_call_does(trained_once: Language, batch_size: int) -> None:
    piped = list(trained_once.pipe(ALL_TEXTS, batch_size=batch_size))
    assert [doc.text for doc in piped] == ALL_TEXTS
    for text, doc in zip(ALL_TEXTS, piped, strict=True):
        assert_same_answers(trained_once(text), doc)


def test_a_long_document_is_read_to_its_end(trained_once: Language) -> None:
    doc = trained_once(LONG_TEXT)
    people = [span for span in doc.ents if span.label_ == "PER"]
    assert max(span.start for span in people) > len(doc) - 20
    assert len({span.sent.start if span.doc.has_annotation("SENT_START") else 0 for span in people})
    assert len(people) > 50


@pytest.mark.parametrize("texts", [[""], ["", ""], [" "], ["\n\n", "\t"], ["", "Hi"]])
def test_nothing_to_read(trained_once: Language, texts: List[str]) -> None:
    for doc in trained_once.pipe(texts):
        assert all(not span.text.isspace() for span in doc.ents)
        assert set(doc.spans) == {"ner", "multinerd", "nerel"}
        assert len(doc.spans["ner"].attrs["scores"]) == len(doc.ents)
        assert len(doc.cats) == 6
        assert isinstance(doc._.events, list)
        assert doc.vector.shape == (32,)
        assert bool(doc.vector.any()) == (doc.text == "Hi")
        assert any(doc.cats.values()) == (doc.text == "Hi")


@pytest.mark.parametrize("name", CASES)
def test_empty_docs_in_training(name: str, backbone: Path) -> None:
    nlp = initialized(make_case(backbone, name))
    pipe: Any = get_case_pipe(nlp, name)
    empty = Example(Doc(nlp.vocab), Doc(nlp.vocab))
    annotated_empty = Example(Doc(nlp.vocab), Doc(nlp.vocab))
    annotated_empty.reference.spans["multinerd"] = []
    annotated_empty.reference.spans["nerel"] = []
    annotated_empty.reference.cats = {
        "event/DEATH": 1.0,
        "sentiment/positive": 1.0,
        "topic/SPORT": 1.0,
    }
    before = encoder_weights(nlp)
    losses = train(nlp, [empty, annotated_empty], 1)
    assert losses[pipe.name] == 0.0
    assert same_weights(before, encoder_weights(nlp))

    examples = mixed_examples(nlp)
    losses = train(nlp, [empty, *examples, annotated_empty], 1)
    assert (losses[pipe.name] > 0) == (name in WITH_LABELS)
    # Without a loss nothing is learnt, and the encoder stays.
    assert same_weights(before, encoder_weights(nlp)) == (name not in WITH_LABELS)
    scored = nlp.evaluate([empty, *examples])
    assert scored == {**nlp.evaluate(examples), "speed": scored["speed"]}


@pytest.mark.parametrize("name", ["crf_ents", "multitask", "sentence_vectors"])
def test_empty_docs_at_initialization(name: str, backbone: Path) -> None:
    nlp = make_case(backbone, name)
    empty = [Example(Doc(nlp.vocab), Doc(nlp.vocab)) for _ in range(12)]
    for example in empty:
        example.reference.cats = dict.fromkeys(("sentiment/positive", "topic/SPORT"), 1.0)
    nlp.initialize(lambda: [*empty, *mixed_examples(nlp)])
    assert get_case_pipe(nlp, name).cfg["width"] == 32
    assert nlp(TEXTS[0]).text == TEXTS[0]
    if name != "crf_ents":
        with pytest.raises(MtnlpError, match="E306"):
            make_case(backbone, name).initialize(lambda: empty)


@pytest.mark.parametrize("name", CASES)
def test_a_batch_of_docs_without_annotation(name: str, backbone: Path) -> None:
    nlp = initialized(make_case(backbone, name))
    pipe: Any = get_case_pipe(nlp, name)
    words = ["Nobody", "said", "anything", "."]
    bare = Example(Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words))
    assert train(nlp, [bare], 1)[pipe.name] == 0.0
    assert nlp("Nobody said anything.").text


@pytest.mark.parametrize("name", CASES)
def test_not_initialized(name: str, backbone: Path) -> None:
    nlp = make_nlp(backbone, [])
    nlp.initialize()
    nlp.add_pipe(CASES[name].factory, config=CASES[name].config)
    with pytest.raises(MtnlpError, match="E205"):
        nlp("Anna Keller flew to Paris .")
    with pytest.raises(MtnlpError, match="E205"):
        nlp.update(mixed_examples(nlp), sgd=nlp.create_optimizer())


@pytest.mark.parametrize("name", CASES)
def test_bad_examples(name: str, backbone: Path) -> None:
    nlp = make_case(backbone, name)
    for bad in (None, lambda: None, lambda: [1], list):
        with pytest.raises((TypeError, ValueError)):
            get_case_pipe(nlp, name).initialize(bad)
    initialized(nlp)
    with pytest.raises(TypeError):
        get_case_pipe(nlp, name).update([Doc(nlp.vocab, words=["a"])])


def test_tokens_of_another_tokenizer(trained: Language) -> None:
    """Gold tokens and predicted ones differ: training and scoring go by their alignment."""
    gold = Doc(trained.vocab, words=["Anna", "Kel", "ler", "flew", "to", "Paris", "."])
    gold.spans["multinerd"] = []
    gold.set_ents([gold.char_span(0, 12, "PER")], default="outside")
    example = Example(
        Doc(trained.vocab, words=["Anna", "Kel", "ler", "flew", "to Paris", "."]), gold
    )
    assert np.isfinite(train(trained, [example], 1)["ner"])
    assert 0 <= trained.evaluate([example])["ents_f"] <= 1

"""Documents that hold nothing to read: no claim from any document head."""

from pathlib import Path
from typing import Any, Dict

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import Adam

from mtnlp.calibration.collected_scores import CategoryScores, collect
from tests.pipes.cases import (
    EXACT_ENCODER,
    TASKS,
    encoder_weights,
    initialized,
    mixed_examples,
    same_weights,
    train,
)
from tests.pipes.test_cnn import CNN
from tests.tiny import make_example, make_nlp

HEADS = ["textcat", "events", "sentence_vectors"]
TEXT = "Anna Keller flew to Paris ."
BLANK = ["", " ", "  \n ", "\t"]
# The tokenizer of BERT makes no wordpiece of these.
UNKNOWN = ["\u200b", "\x00 \u200d"]
LISTENER = {"@architectures": "mtnlp.TransformerListener.v1"}
POOLERS: Dict[str, Dict[str, Any]] = {
    "mean": {},
    "max": {"pooling": "max"},
    "mean_max": {"pooling": "mean_max"},
    "cls": {"pooling": "cls"},
    "attention": {"pooling": "attention"},
    "tokens": {"@architectures": "mtnlp.TokenPooler.v1", "tok2vec": LISTENER},
    "cnn": {"@architectures": "mtnlp.TokenPooler.v1", "tok2vec": CNN},
    "cnn_attention": {
        "@architectures": "mtnlp.TokenPooler.v1",
        "tok2vec": CNN,
        "pooling": "attention",
    },
}


def make(backbone: Path, pooler: str = "mean") -> Language:
    """All document heads over one encoder, trained a little, without dropout."""
    configs: Dict[str, Any] = {name: {"model": {"tok2vec": POOLERS[pooler]}} for name in HEADS}
    configs["textcat"]["tasks"] = TASKS
    configs["textcat"]["model"] = configs["events"]["model"] = {
        **configs["events"]["model"],
        "dropout": 0.0,
    }
    configs["transformer"] = EXACT_ENCODER
    nlp = initialized(make_nlp(backbone, HEADS, configs))
    train(nlp, mixed_examples(nlp), 2)
    return nlp


def assert_no_claim(nlp: Language, doc: Doc) -> None:
    labels = [*nlp.get_pipe("textcat").labels, *nlp.get_pipe("events").labels]  # type: ignore
    assert doc.cats == dict.fromkeys(labels, 0.0) and len(labels) == 6
    assert doc._.tasks == {} and doc._.events == []
    assert len(doc.vector) in (32, 64) and not doc.vector.any()
    assert doc.vector.tolist() == doc._.sentence_vector.tolist()
    assert not doc.has_vector and doc.similarity(doc) == 0.0
    assert not doc.tensor.any() and len(doc.tensor) == len(doc)


def assert_claims(doc: Doc) -> None:
    assert all(value > 0 for value in doc.cats.values()) and len(doc.cats) == 6
    assert set(doc._.tasks) == {"sentiment", "topic", "event"} and doc.has_vector


@pytest.mark.parametrize("pooler", POOLERS)
def test_no_claim(pooler: str, backbone: Path, tmp_path: Path) -> None:
    nlp = make(backbone, pooler)
    events: Any = nlp.get_pipe("events")
    events.cfg["threshold"] = 0.0
    events.cfg["thresholds"] = {events.labels[0]: 0.0}
    nlp.get_pipe("textcat").cfg["temperatures"] = {"sentiment": 3.0, "topic": 0.5}  # type: ignore
    texts = BLANK if pooler.startswith("cnn") else BLANK + UNKNOWN
    nlp.to_disk(tmp_path)
    for pipeline in (nlp, spacy.load(tmp_path)):
        alone = [pipeline(text) for text in texts]
        *beside, last = pipeline.pipe([*texts, TEXT])
        for doc in [*alone, *pipeline.pipe(texts), *beside]:
            assert_no_claim(pipeline, doc)
        # The others are what they are alone.
        assert_claims(last)
        assert last._.events == events.event_labels
        expected = pipeline(TEXT)
        assert last.cats == pytest.approx(expected.cats, abs=1e-5)
        np.testing.assert_allclose(last.vector, expected.vector, atol=1e-5)
        # A wordpiece for what is unknown is one, and so is a character.
        for text in ("\u263a", "a", " a \u200b"):
            assert_claims(pipeline(text))


def test_white_space_in_any_family(any_backbone: Path) -> None:
    """Byte-level tokenizers have wordpieces for white space."""
    nlp = make(any_backbone)
    for doc in nlp.pipe(BLANK):
        assert_no_claim(nlp, doc)
    assert_claims(nlp(TEXT))


def test_an_encoder_of_its_own(backbone: Path) -> None:
    nlp = make(backbone)
    for name in HEADS:
        nlp.replace_listeners("transformer", name, ["model.tok2vec"])
    for doc in nlp.pipe([*BLANK, *UNKNOWN]):
        assert_no_claim(nlp, doc)


@pytest.mark.parametrize("pooler", ["mean", "attention", "tokens", "cnn"])
def test_nothing_is_learnt_from_them(pooler: str, backbone: Path) -> None:
    nlp = make(backbone, pooler)
    gold = {"sentiment/positive": 1.0, "topic/SPORT": 1.0, "event/DEATH": 1.0}
    blank = [make_example(nlp, "x", cats=gold) for _ in range(3)]
    for example, text in zip(blank, BLANK[1:], strict=True):
        example.predicted = Doc(nlp.vocab, words=[text])
        example.reference = Doc(nlp.vocab, words=[text])
        example.reference.cats = dict(gold)
    before = encoder_weights(nlp)
    losses = train(nlp, blank, 2, sgd=Adam(0.01, L2=0.0))
    assert [losses[name] for name in HEADS] == [0.0] * 3
    assert same_weights(before, encoder_weights(nlp))
    alone = train(make(backbone, pooler), mixed_examples(nlp), 1)
    together = train(make(backbone, pooler), [*blank, *mixed_examples(nlp)], 1)
    assert together == pytest.approx(alone, rel=1e-4)


@pytest.mark.parametrize("pooler", ["mean", "tokens"])
def test_no_gradient_from_characters_without_wordpieces(pooler: str, backbone: Path) -> None:
    """Their gold is known, but the encoder cannot be what is wrong with the answer."""
    configs: Dict[str, Any] = {
        "transformer": EXACT_ENCODER,
        "events": {"model": {"tok2vec": POOLERS[pooler]}},
    }
    nlp = initialized(make_nlp(backbone, ["events"], configs))
    example = make_example(nlp, UNKNOWN[0], cats={"event/DEATH": 1.0})
    before = encoder_weights(nlp)
    losses = train(nlp, [example, example], 2, sgd=Adam(0.01, L2=0.0))
    assert losses["events"] > 0
    assert same_weights(before, encoder_weights(nlp))


def test_fits_and_scores_leave_them_out(backbone: Path) -> None:
    nlp = make(backbone)
    gold = {"event/BIRTH": 1.0, "event/DEATH": 0.0, "sentiment/positive": 1.0}
    examples = [make_example(nlp, text, cats=gold) for text in (TEXT, UNKNOWN[0], "Anna")]
    collected = [CategoryScores(nlp.get_pipe(name)) for name in ("textcat", "events")]
    collect(nlp, collected, examples)
    for item in collected:
        assert item.documents == 2
        assert all(len(task.logits) == len(task.gold) == 2 for task in item.tasks().values())
        assert all(len(values) == 2 for values in item.probabilities().values())
    events: Any = nlp.get_pipe("events")
    events.cfg["threshold"] = 0.0
    scores = nlp.evaluate(examples)
    # All labels of two documents, none of the third.
    assert scores["cats_event_micro_r"] == pytest.approx(2 / 3)
    assert scores["cats_event_micro_p"] == pytest.approx(2 / 4)

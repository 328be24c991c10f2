"""Our heads on spaCy's own encoder, the CNN tok2vec."""

from pathlib import Path
from typing import Any, Dict

import pytest
import spacy
from spacy.language import Language

from tests.pipes.cases import (
    CASES,
    TEXTS,
    Case,
    assert_same_answers,
    get_case_pipe,
    initialized,
    mixed_examples,
    same_weights,
    step,
    train,
    weights,
)

WIDTH = 32
CNN = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    "width": WIDTH,
    "depth": 1,
    "embed_size": 300,
    "window_size": 1,
    "maxout_pieces": 2,
    "subword_features": True,
    "pretrained_vectors": None,
}
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": WIDTH, "upstream": "*"}
TOKEN_HEADS = [name for name, case in CASES.items() if case.factory in ("crf_ner", "span_ner")]


def on_tokens(case: Case, name: str, layer: Dict[str, Any]) -> Dict[str, Any]:
    """The config of a pipe over a tok2vec layer."""
    if name not in TOKEN_HEADS:
        layer = {"@architectures": "mtnlp.TokenPooler.v1", "pooling": "mean", "tok2vec": layer}
    return {**case.config, "model": {**case.config.get("model", {}), "tok2vec": layer}}


def make_cnn(name: str, shared: bool) -> Language:
    """A pipe over a CNN that it shares or has for itself."""
    nlp = spacy.blank("en")
    if shared:
        nlp.add_pipe("tok2vec", config={"model": CNN})
    case = CASES[name]
    nlp.add_pipe(case.factory, config=on_tokens(case, name, LISTENER if shared else CNN))
    return nlp


@pytest.mark.parametrize(
    "name, shared",
    # One head of each kind has an encoder for itself.
    [*((name, True) for name in CASES), ("crf_ents", False), ("span", False), ("events", False)],
    ids=lambda value: {True: "listener", False: "own"}.get(value, value),
)
def test_on_a_cnn(name: str, shared: bool, tmp_path: Path) -> None:
    nlp = initialized(make_cnn(name, shared))
    examples = mixed_examples(nlp)
    encoder: Any = nlp.get_pipe("tok2vec") if shared else get_case_pipe(nlp, name)
    before = weights(encoder.model)
    train(nlp, examples, 40)
    assert not same_weights(before, weights(encoder.model)) or name == "sentence_vectors"
    scores = nlp.evaluate(examples)
    assert [scores[key] for key in CASES[name].scores] == [1.0] * len(CASES[name].scores)

    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    for text, doc in zip(TEXTS, nlp.pipe(TEXTS), strict=True):
        assert_same_answers(doc, loaded(text))
        assert_same_answers(doc, nlp(text))


@pytest.mark.parametrize("name", CASES)
def test_replace_listeners(name: str, tmp_path: Path) -> None:
    nlp = initialized(make_cnn(name, shared=True))
    step(nlp, mixed_examples(nlp))
    docs = [nlp(text) for text in TEXTS]
    path = "model.tok2vec" if name in TOKEN_HEADS else "model.tok2vec.tok2vec"
    try:
        nlp.replace_listeners("tok2vec", CASES[name].factory, [path])
    except KeyError:
        pytest.fail("the listener's block was not found")
    nlp.remove_pipe("tok2vec")
    nlp.to_disk(tmp_path)
    for made in (nlp, spacy.load(tmp_path)):
        for text, doc in zip(TEXTS, docs, strict=True):
            assert_same_answers(doc, made(text))


def test_all_heads_on_one_cnn(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": CNN})
    for name in ("crf_ents", "crf_spans", "span", "multitask", "events", "sentence_vectors"):
        case = CASES[name]
        nlp.add_pipe(case.factory, name=name, config=on_tokens(case, name, LISTENER))
    train(initialized(nlp), mixed_examples(nlp), 40)
    scores = nlp.evaluate(mixed_examples(nlp))
    for name in ("crf_ents", "crf_spans", "span", "multitask", "events"):
        assert all(scores[key] == 1.0 for key in CASES[name].scores)
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    for text, doc in zip(TEXTS, nlp.pipe(TEXTS), strict=True):
        assert_same_answers(doc, loaded(text))


@pytest.mark.parametrize("layer", ["crf_ents", "multitask"])
def test_only_the_annotated_learn(layer: str) -> None:
    nlp = initialized(make_cnn(layer, shared=True))
    step(nlp, mixed_examples(nlp))
    pipe: Any = get_case_pipe(nlp, layer)
    before = weights(pipe.model)
    others = [eg for eg in mixed_examples(nlp) if "multinerd" in eg.reference.spans]
    step(nlp, others)
    assert same_weights(before, weights(pipe.model))


@pytest.mark.parametrize("pooling", ["max", "mean_max", "cls", "attention"])
@pytest.mark.parametrize("name", ["multitask", "sentence_vectors"])
def test_pooling(name: str, pooling: str) -> None:
    case = CASES[name]
    config = on_tokens(case, name, CNN)
    config["model"]["tok2vec"]["pooling"] = pooling
    nlp = spacy.blank("en")
    nlp.add_pipe(case.factory, config=config)
    initialized(nlp)
    losses = [step(nlp, mixed_examples(nlp))[case.factory] for _ in range(8)]
    assert losses[-1] < losses[0] or name == "sentence_vectors"
    for text, doc in zip(TEXTS, nlp.pipe(TEXTS), strict=True):
        assert_same_answers(doc, nlp(text))
        if name == "sentence_vectors" and len(doc):
            assert doc.tensor.mean(0) == pytest.approx(doc.vector, abs=1e-5)

"""`Language.replace_listeners`: the pipe with an encoder of its own says what it said before."""

import copy
from pathlib import Path
from typing import Any, Dict, List

import numpy
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy_transformers.layers import TransformerListener

from ..tiny import PIPES, make_examples, make_nlp
from .test_listener import STOCK

TEXTS = ["Anna Keller flew to Paris.", "What a film!", "The grey wolf slept near Rome. " * 20, ""]
OWN = {"@architectures": "mtnlp.TransformerListener.v1", "grad_factor": 0.5}

# What stands at [components.X.model.tok2vec], and where in it the listener is.
LISTENERS = {
    "ner with own listener": ("ner", OWN, "model.tok2vec"),
    "ner with stock listener": ("ner", STOCK, "model.tok2vec"),
    "textcat with transformer pooler": (
        "textcat",
        {"@architectures": "mtnlp.TransformerPooler.v1", "pooling": "cls"},
        "model.tok2vec",
    ),
    "vectors with transformer pooler": (
        "sentence_vectors",
        {"@architectures": "mtnlp.TransformerPooler.v1"},
        "model.tok2vec",
    ),
    "textcat with token pooler over own listener": (
        "textcat",
        {"@architectures": "mtnlp.TokenPooler.v1", "tok2vec": OWN},
        "model.tok2vec.tok2vec",
    ),
    "events with token pooler over stock listener": (
        "events",
        {"@architectures": "mtnlp.TokenPooler.v1", "tok2vec": STOCK},
        "model.tok2vec.tok2vec",
    ),
    "vectors with token pooler over own listener": (
        "sentence_vectors",
        {"@architectures": "mtnlp.TokenPooler.v1", "tok2vec": OWN, "pooling": "max"},
        "model.tok2vec.tok2vec",
    ),
}


@pytest.fixture(params=list(LISTENERS))
def case(request: pytest.FixtureRequest) -> Any:
    return LISTENERS[request.param]


def answers(doc: Doc) -> Dict[str, Any]:
    """All that the pipes wrote."""
    return {
        "ents": [(ent.start, ent.end, ent.label_) for ent in doc.ents],
        "scores": [score for group in doc.spans.values() for score in group.attrs["scores"]],
        "cats": dict(doc.cats),
        "vector": doc._.sentence_vector if Doc.has_extension("sentence_vector") else None,
    }


def assert_same(nlp: Language, expected: List[Dict[str, Any]]) -> None:
    for doc, before in zip(nlp.pipe(TEXTS), expected, strict=True):
        after = answers(doc)
        assert after["ents"] == before["ents"]
        numpy.testing.assert_allclose(after["scores"], before["scores"], atol=1e-5)
        assert after["cats"] == pytest.approx(before["cats"], abs=1e-5)
        if before["vector"] is None:
            assert after["vector"] is None
        else:
            numpy.testing.assert_allclose(after["vector"], before["vector"], atol=1e-5)


def build(backbone: Path, name: str, tok2vec: Dict[str, Any]) -> Language:
    """A pipeline of one pipe, trained for two steps."""
    nlp = make_nlp(backbone, [name])
    config = copy.deepcopy(nlp.config["components"][name])
    config.pop("factory")
    config["model"]["tok2vec"] = tok2vec
    factory = nlp.get_pipe_meta(name).factory
    nlp.remove_pipe(name)
    nlp.add_pipe(factory, name=name, config=config)
    examples = make_examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(2):
        nlp.update(examples, sgd=optimizer)
    return nlp


def test_same_answers_before_and_after(backbone: Path, tmp_path: Path, case: Any) -> None:
    name, tok2vec, path = case
    nlp = build(backbone, name, tok2vec)
    expected = [answers(doc) for doc in nlp.pipe(TEXTS)]
    nlp.replace_listeners("transformer", name, [path])
    layers = nlp.get_pipe(name).model.walk()
    assert not any(isinstance(layer, TransformerListener) for layer in layers)
    assert_same(nlp, expected)
    nlp.remove_pipe("transformer")
    assert_same(nlp, expected)
    nlp.to_disk(tmp_path)
    assert_same(spacy.load(tmp_path), expected)
    assert_same(spacy.blank("en").from_config(nlp.config).from_bytes(nlp.to_bytes()), expected)


def test_own_encoder_is_trained(backbone: Path, case: Any) -> None:
    name, tok2vec, path = case
    nlp = build(backbone, name, tok2vec)
    nlp.replace_listeners("transformer", name, [path])
    pipe = nlp.get_pipe(name)
    shared = nlp.remove_pipe("transformer")[1].model.transformer
    encoders = [layer for layer in pipe.model.walk() if layer.name == "transformer"]
    (own,) = [layer.transformer for layer in encoders]
    assert own is not shared
    before = {key: value.clone() for key, value in own.state_dict().items()}
    untouched = {key: value.clone() for key, value in shared.state_dict().items()}
    examples = make_examples(nlp)
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.001
    nlp.update(examples, sgd=optimizer)
    moved = [key for key, value in own.state_dict().items() if not value.equal(before[key])]
    # Sentence vectors have no loss of their own.
    assert bool(moved) == (name != "sentence_vectors")
    assert all(value.equal(untouched[key]) for key, value in shared.state_dict().items())


def test_batches_of_empty_docs(backbone: Path, case: Any) -> None:
    name, tok2vec, path = case
    nlp = build(backbone, name, tok2vec)
    nlp.replace_listeners("transformer", name, [path])
    nlp.remove_pipe("transformer")
    assert [len(doc) for doc in nlp.pipe(["", ""])] == [0, 0]


def test_one_pipe_of_several(any_backbone: Path, tmp_path: Path) -> None:
    """The others go on listening, in every family."""
    nlp = make_nlp(any_backbone)
    nlp.initialize(lambda: make_examples(nlp))
    expected = [answers(doc) for doc in nlp.pipe(TEXTS)]
    nlp.replace_listeners("transformer", "ner", ["model.tok2vec"])
    nlp.replace_listeners("transformer", "events", ["model.tok2vec"])
    listening = set(nlp.get_pipe("transformer").listening_components)
    assert listening == set(PIPES) - {"ner", "events"}
    assert_same(nlp, expected)
    nlp.to_disk(tmp_path)
    assert_same(spacy.load(tmp_path), expected)

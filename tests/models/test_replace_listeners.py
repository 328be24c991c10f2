"""`Language.replace_listeners`: the pipe with an encoder of its own says what it said before."""

import copy
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

import numpy as np
import pytest
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy_transformers.layers import TransformerListener

from mtnlp.trainer.weights_state import parameter_names, thinc_parameters, torch_modules
from mtnlp.training.adamw import create_adamw_v1
from tests.models.test_listener import STOCK
from tests.tiny import PIPES, make_examples, make_nlp

TEXTS = ["Anna Keller flew to Paris.", "What a film!", "The grey wolf slept near Rome. " * 20, ""]
OWN = {"@architectures": "mtnlp.TransformerListener.v1", "grad_factor": 0.5}
SHAPE = {"@architectures": "mtnlp.ShapeEmbedding.v1", "width": 8, "rows": 50}


def beside_shape(listener: Dict[str, Any]) -> Dict[str, Any]:
    parts = {"shape": SHAPE, "listener": listener}
    return {"@architectures": "mtnlp.ConcatTok2Vec.v1", "parts": parts}


# What stands at [components.X.model.tok2vec], and where in it the listener is.
LISTENERS = {
    "ner with own listener": ("ner", OWN, "model.tok2vec"),
    "ner with stock listener": ("ner", STOCK, "model.tok2vec"),
    "ner with own listener beside shapes": (
        "ner",
        beside_shape(OWN),
        "model.tok2vec.parts.listener",
    ),
    "nested ner with stock listener beside shapes": (
        "nested_ner",
        beside_shape(STOCK),
        "model.tok2vec.parts.listener",
    ),
    "textcat with token pooler over own listener beside shapes": (
        "textcat",
        {"@architectures": "mtnlp.TokenPooler.v1", "tok2vec": beside_shape(OWN)},
        "model.tok2vec.tok2vec.parts.listener",
    ),
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
        np.testing.assert_allclose(after["scores"], before["scores"], atol=1e-5)
        assert after["cats"] == pytest.approx(before["cats"], abs=1e-5)
        if before["vector"] is None:
            assert after["vector"] is None
        else:
            np.testing.assert_allclose(after["vector"], before["vector"], atol=1e-5)


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


class Case(NamedTuple):
    """A pipe that has got an encoder of its own, and the encoder it listened to before."""

    name: str
    nlp: Language
    shared: torch.nn.Module
    expected: List[Dict[str, Any]]


@pytest.fixture(scope="module", params=list(LISTENERS))
def case(request: pytest.FixtureRequest, backbone: Path) -> Case:
    name, tok2vec, path = LISTENERS[request.param]
    nlp = build(backbone, name, tok2vec)
    expected = [answers(doc) for doc in nlp.pipe(TEXTS)]
    nlp.replace_listeners("transformer", name, [path])
    return Case(name, nlp, nlp.remove_pipe("transformer")[1].model.transformer, expected)


def test_same_answers_before_and_after(case: Case, tmp_path: Path) -> None:
    layers = case.nlp.get_pipe(case.name).model.walk()
    assert not any(isinstance(layer, TransformerListener) for layer in layers)
    assert_same(case.nlp, case.expected)
    case.nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert_same(loaded, case.expected)
    assert_same(loaded.from_bytes(case.nlp.to_bytes()), case.expected)


def test_batches_of_empty_docs(case: Case) -> None:
    assert [len(doc) for doc in case.nlp.pipe(["", ""])] == [0, 0]
    docs = [case.nlp.make_doc("") for _ in range(2)]
    assert case.nlp.update([Example(doc, doc) for doc in docs]) == {case.name: 0.0}


def test_own_encoder_is_trained(case: Case) -> None:
    layers = case.nlp.get_pipe(case.name).model.walk()
    (own,) = [layer.transformer for layer in layers if layer.name == "transformer"]
    assert own is not case.shared
    before = {key: value.clone() for key, value in own.state_dict().items()}
    untouched = {key: value.clone() for key, value in case.shared.state_dict().items()}
    optimizer = case.nlp.resume_training()
    optimizer.learn_rate = 0.001
    case.nlp.update(make_examples(case.nlp), sgd=optimizer)
    moved = [key for key, value in own.state_dict().items() if not value.equal(before[key])]
    # Sentence vectors have no loss of their own.
    assert bool(moved) == (case.name != "sentence_vectors")
    assert all(value.equal(untouched[key]) for key, value in case.shared.state_dict().items())


def test_one_pipe_of_several(backbone: Path, tmp_path: Path) -> None:
    """The others go on listening."""
    nlp = make_nlp(backbone)
    nlp.initialize(lambda: make_examples(nlp))
    expected = [answers(doc) for doc in nlp.pipe(TEXTS)]
    nlp.replace_listeners("transformer", "ner", ["model.tok2vec"])
    nlp.replace_listeners("transformer", "events", ["model.tok2vec"])
    listening = set(nlp.get_pipe("transformer").listening_components)
    assert listening == set(PIPES) - {"ner", "events"}
    assert_same(nlp, expected)
    nlp.to_disk(tmp_path)
    assert_same(spacy.load(tmp_path), expected)


def test_an_optimizer_tells_the_encoders_apart(backbone: Path) -> None:
    """Each has moments of its own: with shared ones AdamW would be given a parameter twice."""
    nlp = make_nlp(backbone)
    nlp.initialize(lambda: make_examples(nlp))
    nlp.replace_listeners("transformer", "ner", ["model.tok2vec"])
    nlp.replace_listeners("transformer", "events", ["model.tok2vec"])
    count = sum(len(list(m.parameters())) for _, _, m in torch_modules(nlp))
    count += len(list(thinc_parameters(nlp)))
    assert len(parameter_names(nlp)) == count
    optimizer = create_adamw_v1(0.001)
    losses: Dict[str, float] = {}
    nlp.update(make_examples(nlp), sgd=optimizer, losses=losses)
    optimizer.step_schedules()
    assert losses["ner"] > 0 and losses["events"] > 0 and losses["textcat"] > 0


@pytest.mark.parametrize("name", ["ner", "nested_ner"])
def test_a_head_that_reads_shapes(name: str, backbone: Path, tmp_path: Path) -> None:
    """`shapes = true` stands beside the listener's block, which is found and replaced as ever."""
    nlp = make_nlp(backbone, [name], {name: {"model": {"shapes": True}}})
    nlp.initialize(lambda: make_examples(nlp))
    assert any(layer.name == "hashembed" for layer in nlp.get_pipe(name).model.walk())
    expected = [answers(doc) for doc in nlp.pipe(TEXTS)]
    nlp.replace_listeners("transformer", name, ["model.tok2vec"])
    nlp.remove_pipe("transformer")
    assert_same(nlp, expected)
    nlp.to_disk(tmp_path)
    assert_same(spacy.load(tmp_path), expected)

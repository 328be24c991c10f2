"""`mtnlp.ConcatTok2Vec.v1` in a pipe: case beside an uncased encoder."""

import copy
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.training import Example
from spacy.util import load_config
from thinc.api import Model, Optimizer, fix_random_seed

from mtnlp.models.concat_tok2vec import NAME
from mtnlp.training.fused_adam import create_fused_adam_v1
from tests.pipes.cases import (
    EXACT_ENCODER,
    TEXTS,
    WITH_SHAPE,
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
    without,
)
from tests.tiny import make_example, make_nlp

LISTENER = "model.tok2vec.parts.listener"
# spaCy's own layer in the place of ours.
HASHES = {
    "@architectures": "spacy.MultiHashEmbed.v2",
    "width": 8,
    "attrs": ["SHAPE", "PREFIX", "SUFFIX"],
    "rows": [50, 50, 50],
    "include_static_vectors": False,
}
LAYERS = {"shape": "ner", "span_shape": "nested_ner"}


def parts(nlp: Language, factory: str) -> List[Model]:
    """The parts of the pipe's concatenation: listener or encoder, and shapes."""
    pipe: Any = nlp.get_pipe(factory)
    (layer,) = [node for node in pipe.model.walk() if node.name == NAME]
    return list(layer.layers)


def shape_weights(nlp: Language, factory: str) -> Dict[str, np.ndarray]:
    return weights(parts(nlp, factory)[1])


def case_examples(nlp: Language) -> List[Example]:
    """A word is an entity where it has a capital."""
    frames = ["I like {} a lot .", "They sold {} today .", "{} is near ."]
    examples = []
    for frame in frames:
        at = frame.split(" ").index("{}")
        for word in ("apple", "orange", "shell"):
            entity = [(at, at + 1, "ORG")]
            examples.append(make_example(nlp, frame.format(word.title()), ents=entity))
            examples.append(make_example(nlp, frame.format(word), ents=[]))
    return examples


@pytest.mark.parametrize("shapes", [None, WITH_SHAPE["parts"]["shape"], HASHES])
def test_an_uncased_encoder_learns_case(shapes: Any, backbone: Path) -> None:
    """Every text stands there twice and looks the same to the encoder: at best, half of what it
    finds is right."""
    model = {} if shapes is None else {"tok2vec": copy.deepcopy(WITH_SHAPE)}
    if shapes is not None:
        model["tok2vec"]["parts"]["shape"] = shapes
    nlp = make_nlp(backbone, ["crf_ner"], {"crf_ner": {"model": model}})
    examples = case_examples(nlp)
    fix_random_seed(0)
    nlp.initialize(lambda: examples)
    train(nlp, examples, 40)
    score = nlp.evaluate(examples)["ents_f"]
    assert score == 1.0 if shapes else score <= 2 / 3


@pytest.mark.parametrize("name", LAYERS)
def test_encoder_and_embedding_learn_with_their_head(name: str, backbone: Path) -> None:
    nlp = initialized(make_case(backbone, name))
    factory = nlp.pipe_names[-1]
    encoder, shapes = encoder_weights(nlp), shape_weights(nlp, factory)
    step(nlp, only(nlp, LAYERS[name]))
    assert not same_weights(encoder, encoder_weights(nlp))
    assert not same_weights(shapes, shape_weights(nlp, factory))


@pytest.mark.parametrize("name", LAYERS)
def test_nothing_annotated_moves_nothing(name: str, backbone: Path) -> None:
    """Nor does it leave anything for the next step."""
    nlp = initialized(make_case(backbone, name))
    pipe = get_case_pipe(nlp, name)
    sgd = adam()
    step(nlp, mixed_examples(nlp), sgd=sgd)
    before = weights(pipe.model)
    step(nlp, without(nlp, LAYERS[name]), without(nlp, LAYERS[name])[:1], sgd=sgd)
    assert same_weights(before, weights(pipe.model))
    for node in parts(nlp, pipe.name)[1].walk():
        assert not any(node.get_grad(key).any() for key in node.grad_names)


def test_sub_batches_add_up(backbone: Path) -> None:
    """The embedding's gradient over a batch is the sum over its parts."""
    found = []
    exact = {"transformer": EXACT_ENCODER, "crf_ner": {"model": {"dropout": 0.0}}}
    exact["crf_ner"]["model"]["tok2vec"] = WITH_SHAPE
    for batches in (1, 2):
        nlp = initialized(make_nlp(backbone, ["crf_ner"], exact))
        examples = only(nlp, "ner")
        for i in range(batches):
            nlp.update(examples[i::batches], sgd=False)  # type: ignore[arg-type]
        found.append(
            [
                node.get_grad(key).copy()
                for node in parts(nlp, "crf_ner")[1].walk()
                for key in node.grad_names
            ]
        )
    assert found[0]
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("name", LAYERS)
def test_a_frozen_encoder(name: str, backbone: Path) -> None:
    nlp = initialized(make_case(backbone, name))
    pipe = get_case_pipe(nlp, name)
    encoder, shapes = encoder_weights(nlp), shape_weights(nlp, pipe.name)
    frozen: Dict[str, Any] = {"exclude": ["transformer"], "annotates": ["transformer"]}
    first = step(nlp, mixed_examples(nlp), **frozen)[pipe.name]
    last = train(nlp, mixed_examples(nlp), 10, **frozen)[pipe.name]
    assert last < first
    assert same_weights(encoder, encoder_weights(nlp))
    assert not same_weights(shapes, shape_weights(nlp, pipe.name))


@pytest.mark.parametrize("name", LAYERS)
def test_beside_other_listeners(name: str, backbone: Path) -> None:
    """The last listener's backward pass is everybody's, wherever the concatenation stands."""
    factory = "crf_ner" if name == "shape" else "span_ner"
    case = {**make_case(backbone, name).config["components"][factory]}
    case.pop("factory")
    for pipes in (["textcat", factory], [factory, "textcat"]):
        nlp = initialized(make_nlp(backbone, pipes, {factory: case}))
        for layer in ("textcat", LAYERS[name]):
            encoder = encoder_weights(nlp)
            losses = step(nlp, only(nlp, layer))
            assert losses["textcat" if layer == "textcat" else factory] > 0
            assert not same_weights(encoder, encoder_weights(nlp))


@pytest.mark.parametrize("name", LAYERS)
def test_empty_docs(name: str, backbone: Path) -> None:
    nlp = initialized(make_case(backbone, name))
    assert [len(doc) for doc in nlp.pipe(["", ""])] == [0, 0]
    empty = [Example(nlp.make_doc(""), nlp.make_doc("")) for _ in range(2)]
    assert nlp.update(empty)[nlp.pipe_names[-1]] == 0.0
    step(nlp, [*empty, *mixed_examples(nlp), *empty])
    for text, doc in zip(TEXTS, nlp.pipe(TEXTS), strict=True):
        assert_same_answers(doc, nlp(text))


def test_under_spacys_own_ner(backbone: Path, tmp_path: Path) -> None:
    model = {"@architectures": "spacy.TransitionBasedParser.v2", "tok2vec": WITH_SHAPE}
    model.update(state_type="ner", extra_state_tokens=False, hidden_width=32, maxout_pieces=2)
    nlp = make_nlp(backbone, [])
    nlp.add_pipe("ner", config={"model": {**model, "use_upper": True, "nO": None}})
    examples = case_examples(nlp)
    fix_random_seed(0)
    nlp.initialize(lambda: examples)
    train(nlp, examples, 40)
    assert nlp.evaluate(examples)["ents_f"] == 1.0
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    for text in TEXTS:
        assert_same_answers(nlp(text), loaded(text))


# The heads' rate


def heads_stand_still() -> Optimizer:
    return create_fused_adam_v1(0.01, head_factor=0.0)


@pytest.mark.parametrize("own", [False, True], ids=["shared", "own"])
@pytest.mark.parametrize("name", LAYERS)
def test_the_embedding_has_the_heads_rate(name: str, own: bool, backbone: Path) -> None:
    """The encoder has its own, shared or inside the concatenation."""
    nlp = initialized(make_case(backbone, name))
    factory = nlp.pipe_names[-1]
    if own:
        nlp.replace_listeners("transformer", factory, [LISTENER])

    def all_weights() -> List[Dict[str, np.ndarray]]:
        encoder = weights(parts(nlp, factory)[0]) if own else encoder_weights(nlp)
        return [encoder, shape_weights(nlp, factory), head_weights(nlp, factory)]

    before = all_weights()
    step(nlp, mixed_examples(nlp), sgd=heads_stand_still())
    moved = [not same_weights(*pair) for pair in zip(before, all_weights(), strict=True)]
    assert moved == [True, False, False]
    before = all_weights()
    step(nlp, mixed_examples(nlp), sgd=create_fused_adam_v1(0.01, head_factor=2.0))
    moved = [not same_weights(*pair) for pair in zip(before, all_weights(), strict=True)]
    assert moved == [True, True, True]


def test_the_rate_is_the_factors(backbone: Path) -> None:
    """Adam's first step is the rate itself, whatever the gradient."""
    for factor in (1.0, 10.0):
        nlp = initialized(make_case(backbone, "shape"))
        before = shape_weights(nlp, "crf_ner")
        step(nlp, only(nlp, "ner"), sgd=create_fused_adam_v1(0.001, L2=0.0, head_factor=factor))
        steps = [
            float(np.abs(new - before[key]).max())
            for key, new in shape_weights(nlp, "crf_ner").items()
        ]
        assert max(steps) == pytest.approx(0.001 * factor, rel=1e-2)


# Encoders of their own, and sources


@pytest.mark.parametrize("name", LAYERS)
def test_replace_listeners(name: str, backbone: Path, tmp_path: Path) -> None:
    nlp = initialized(make_case(backbone, name))
    train(nlp, mixed_examples(nlp), 3)
    docs = [nlp(text) for text in TEXTS]
    factory = nlp.pipe_names[-1]
    with pytest.raises(ValueError, match="E886"):
        nlp.replace_listeners("transformer", factory, ["model.tok2vec.listener"])
    nlp.replace_listeners("transformer", factory, [LISTENER])
    nlp.remove_pipe("transformer")
    nlp.to_disk(tmp_path)
    for made in (nlp, spacy.load(tmp_path), copy.deepcopy(nlp)):
        for text, doc in zip(TEXTS, docs, strict=True):
            assert_same_answers(doc, made(text))
    # The loaded one goes on learning, encoder included.
    loaded = spacy.load(tmp_path)
    before = weights(get_case_pipe(loaded, name).model)
    step(loaded, mixed_examples(loaded))
    after = weights(get_case_pipe(loaded, name).model)
    assert all((before[key] != after[key]).any() for key in before if "attention" in key)


def test_sourced(backbone: Path, tmp_path: Path) -> None:
    trained = initialized(make_case(backbone, "shape"))
    train(trained, mixed_examples(trained), 3)
    nlp = spacy.blank("en")
    for name in trained.pipe_names:
        nlp.add_pipe(name, source=trained)
    nlp.to_disk(tmp_path)
    for made in (nlp, spacy.load(tmp_path)):
        for text in TEXTS:
            assert_same_answers(trained(text), made(text))


def test_the_order_of_the_blocks_does_not_matter(backbone: Path, tmp_path: Path) -> None:
    """The parts find their weights again by name."""
    nlp = initialized(make_case(backbone, "shape"))
    train(nlp, mixed_examples(nlp), 3)
    nlp.to_disk(tmp_path)
    config = load_config(tmp_path / "config.cfg")
    block = config["components"]["crf_ner"]["model"]["tok2vec"]
    assert list(block["parts"]) == ["listener", "shape"]
    block["parts"] = dict(reversed(block["parts"].items()))
    config.to_disk(tmp_path / "config.cfg")
    loaded = spacy.load(tmp_path)
    for text in TEXTS:
        assert_same_answers(nlp(text), loaded(text))

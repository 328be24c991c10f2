"""What nobody annotated trains nothing and counts for nothing."""

from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest
from spacy.language import Language
from spacy.training import Example

from tests.pipes.cases import (
    EXACT,
    TASKS,
    adam,
    encoder_weights,
    gradients,
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

HEADS = ["ner", "fine_ner", "nested_ner", "textcat", "events"]
ORDERS = [
    [*HEADS, "sentence_vectors"],
    ["sentence_vectors", *HEADS],
    ["textcat", "events", "nested_ner", "sentence_vectors", "ner", "fine_ner"],
    ["fine_ner", "sentence_vectors", "events", "ner", "textcat", "nested_ner"],
    ["events", "nested_ner", "fine_ner", "ner", "textcat"],
    ["textcat", "fine_ner", "ner", "nested_ner", "events"],
]


def joint(backbone: Path, order: List[str]) -> Language:
    configs: Dict[str, Any] = {"textcat": {"tasks": TASKS}}
    return initialized(make_nlp(backbone, order, configs))


@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
def test_only_the_annotated_learn(order: List[str], backbone: Path) -> None:
    """With momentum and decay, a head without annotation keeps its weights bit for bit, and the
    encoder moves whichever head it was that had some, wherever it stands."""
    nlp = joint(backbone, order)
    sgd = adam()
    step(nlp, mixed_examples(nlp), sgd=sgd)
    for head in HEADS:
        for batch, moving in ((only(nlp, head), {head}), (without(nlp, head), {*HEADS} - {head})):
            before = {name: weights(nlp.get_pipe(name).model) for name in HEADS}  # type: ignore
            encoder = encoder_weights(nlp)
            losses = step(nlp, batch, sgd=sgd)
            moved = {
                name
                for name in HEADS
                if not same_weights(before[name], weights(nlp.get_pipe(name).model))  # type: ignore
            }
            assert moved == moving
            assert {name for name in HEADS if losses[name] > 0} == moving
            assert not same_weights(encoder, encoder_weights(nlp))


@pytest.mark.parametrize("layer", HEADS)
def test_the_encoder_has_a_gradient(layer: str, backbone: Path) -> None:
    """It moves by what a head says, not by momentum or decay."""
    nlp = joint(backbone, ORDERS[0])
    nlp.update(only(nlp, layer), sgd=False)  # type: ignore[arg-type]
    found = gradients(nlp.get_pipe("transformer").model.transformer)  # type: ignore[attr-defined]
    assert any(gradient.any() for gradient in found.values())
    for head in HEADS:
        assert bool(gradients(nlp.get_pipe(head).module)) == (head == layer)  # type: ignore


def test_nothing_annotated_at_all(backbone: Path) -> None:
    nlp = joint(backbone, ORDERS[0])
    nlp.update([make_example(nlp, "Nobody said anything .")], sgd=False)  # type: ignore[arg-type]
    found = gradients(nlp.get_pipe("transformer").model.transformer)  # type: ignore[attr-defined]
    assert not any(gradient.any() for gradient in found.values())
    assert not any(gradients(nlp.get_pipe(head).module) for head in HEADS)  # type: ignore


def test_annotation_in_one_of_the_sub_batches(backbone: Path) -> None:
    nlp = joint(backbone, ORDERS[0])
    sgd = adam()
    step(nlp, mixed_examples(nlp), sgd=sgd)
    before = {name: weights(nlp.get_pipe(name).model) for name in HEADS}  # type: ignore
    step(nlp, without(nlp, "ner"), only(nlp, "ner"), without(nlp, "ner"), sgd=sgd)
    for name in HEADS:
        assert not same_weights(before[name], weights(nlp.get_pipe(name).model))  # type: ignore


def test_an_unannotated_doc_does_not_weigh(backbone: Path) -> None:
    """A batch gives a head the same gradient with unannotated Docs in it as without them."""
    found = []
    for extra in (False, True):
        nlp = initialized(make_nlp(backbone, HEADS, EXACT))
        examples = only(nlp, "ner")
        if extra:
            examples = [without(nlp, "ner")[-1], *examples, without(nlp, "ner")[0]]
        losses: Dict[str, float] = {}
        nlp.update(examples, sgd=False, losses=losses)  # type: ignore[arg-type]
        found.append((losses["ner"], gradients(nlp.get_pipe("ner").module)))  # type: ignore
    assert found[0][0] == pytest.approx(found[1][0], abs=1e-5)
    for name, gradient in found[0][1].items():
        np.testing.assert_allclose(gradient, found[1][1][name], atol=1e-5)


@pytest.mark.parametrize("name", ["crf_ents", "multitask"])
def test_an_encoder_of_its_own_keeps_still_too(name: str, backbone: Path) -> None:
    nlp = initialized(make_case(backbone, name))
    factory = nlp.pipe_names[-1]
    pipe: Any = nlp.get_pipe(factory)
    nlp.replace_listeners("transformer", factory, ["model.tok2vec"])
    sgd = adam()
    step(nlp, mixed_examples(nlp), sgd=sgd)
    before = weights(pipe.model)
    step(nlp, only(nlp, "fine_ner"), sgd=sgd)
    assert same_weights(before, weights(pipe.model))
    step(nlp, only(nlp, "ner" if name == "crf_ents" else "textcat"), sgd=sgd)
    after = weights(pipe.model)
    assert all(not np.array_equal(before[key], after[key]) for key in before if "attention" in key)


def test_a_task_of_a_head_keeps_still_too(backbone: Path) -> None:
    """One task of `multitask_textcat` is annotated, the other keeps its weights bit for bit."""
    nlp = joint(backbone, ORDERS[0])
    sgd = adam()
    step(nlp, mixed_examples(nlp), sgd=sgd)
    head: Any = nlp.get_pipe("textcat").module  # type: ignore[attr-defined]
    for task in TASKS:
        batch = [
            example
            for example in mixed_examples(nlp)
            if {key.partition("/")[0] for key in example.reference.cats} == {task}
        ]
        assert batch
        before = [output.weight.detach().clone() for output in head.outputs]
        step(nlp, batch, sgd=sgd)
        same = [
            bool((old == new.weight).all()) for old, new in zip(before, head.outputs, strict=True)
        ]
        assert same == [name != task for name in TASKS]


def test_scores_leave_the_unannotated_out(trained: Language) -> None:
    examples = mixed_examples(trained)
    alone = {
        "ner": ["ents_p", "ents_r", "ents_f", "ents_per_type"],
        "fine_ner": ["spans_multinerd_f", "spans_multinerd_per_type"],
        "nested_ner": ["spans_nerel_f", "spans_nerel_per_type"],
        "textcat": ["cats_sentiment_acc", "cats_sentiment_macro_f", "cats_topic_micro_f"],
        "events": ["cats_event_micro_f", "cats_event_macro_f", "cats_event_f_per_type"],
    }
    train(trained, examples, 2, sgd=adam(0.05))  # spoil it: scores that could differ
    joint_scores = trained.evaluate(examples)
    for layer, keys in alone.items():
        own = trained.evaluate(only(trained, layer))
        others = trained.evaluate(without(trained, layer))
        for key in keys:
            assert joint_scores[key] == own[key]
            assert not others[key]


def test_missing_tokens_are_neither_right_nor_wrong(backbone: Path) -> None:
    """A token of unknown annotation gives the softmax head no gradient."""

    def gradient_of(nlp: Language, example: Example) -> Dict[str, np.ndarray]:
        pipe: Any = nlp.get_pipe("crf_ner")
        pipe.module.zero_grad(set_to_none=True)
        nlp.update([example], sgd=False)  # type: ignore[arg-type]
        return gradients(pipe.module)

    config = {"decoder": "softmax", "dropout": 0.0}
    nlp = initialized(
        make_nlp(backbone, ["crf_ner"], {**EXACT, "crf_ner": {"model": config}})  # type: ignore
    )
    text = "Paris welcomed Anna and Tom ."
    one = make_example(nlp, text, ents=[(0, 1, "LOC")], missing=[1, 2, 3, 4, 5])
    as_if_negative = make_example(nlp, text, ents=[(0, 1, "LOC")])
    units = []
    for example in (one, as_if_negative):
        units.append(nlp.get_pipe("crf_ner").get_target([example]).units)  # type: ignore[attr-defined]
    assert units == [1.0, 6.0]
    first, second = gradient_of(nlp, one), gradient_of(nlp, as_if_negative)
    assert not np.allclose(first["output.bias"], second["output.bias"])
    # One token's softmax gradient: all but its own tag are pushed down, by less than 1 in sum.
    assert (np.sort(first["output.bias"])[1:] > 0).all()

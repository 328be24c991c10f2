"""The tasks' gradients on the shared encoder: measured, and freed of conflicts."""

import copy
from pathlib import Path
from typing import Any, Dict, List, Sequence

import numpy as np
import pytest
import spacy
from spacy import registry
from spacy.language import Language
from spacy.training import Example
from spacy.training.loop import train_while_improving
from thinc.api import fix_random_seed

from mtnlp.errors import MtnlpError
from mtnlp.training.task_gradients import create_task_gradients_v1, remove_task_gradients
from tests.pipes.cases import (
    EXACT,
    adam,
    assert_close,
    encoder_weights,
    initialized,
    mixed_examples,
    same_weights,
    step,
    weights,
)
from tests.tiny import PIPES, make_example, make_nlp

HEADS = [name for name in PIPES if name != "sentence_vectors"]
LONG = " ".join(["Anna Keller flew to Paris , and Tom saw a red fox near Rome ."] * 12)


class Recorder:
    """An optimizer that only looks. gradients: what it was given, by parameter."""

    def __init__(self) -> None:
        self.gradients: Dict[str, np.ndarray] = {}

    def __call__(self, key: Any, weights: Any, gradient: Any, **kwargs: Any) -> Any:
        self.gradients[str(key[1])] = gradient.copy()
        return weights, gradient


def pipe_of(nlp: Language) -> Any:
    return nlp.get_pipe("transformer")


def applied(nlp: Language, *batches: Sequence[Example]) -> Dict[str, np.ndarray]:
    """The encoder's gradients that an optimizer sees after a step on some sub-batches."""
    recorder = Recorder()
    for batch in batches:
        nlp.update(batch, sgd=False)  # type: ignore[arg-type]
    pipe_of(nlp).finish_update(recorder)
    for name, pipe in nlp.pipeline:
        if name != "transformer" and hasattr(pipe, "module"):
            pipe.module.zero_grad()
    return recorder.gradients


def alone(nlp: Language, name: str, *batches: Sequence[Example]) -> Dict[str, np.ndarray]:
    """What one component gives the encoder when the listeners of all others pass nothing on."""
    nodes = [
        (pipe_name, node)
        for pipe_name, pipe in nlp.pipeline
        if pipe_name != "transformer"
        for node in pipe.model.walk()  # type: ignore[attr-defined]
        if "grad_factor" in node.attrs
    ]
    for pipe_name, node in nodes:
        node.attrs["grad_factor"] = float(pipe_name == name)
    found = applied(nlp, *batches)
    for _, node in nodes:
        node.attrs["grad_factor"] = 1.0
    return found


def flat(gradients: Dict[str, np.ndarray]) -> np.ndarray:
    return np.concatenate([gradients[name].ravel() for name in sorted(gradients)]).astype(float)


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / np.sqrt((one @ one) * (other @ other)))


def long_examples(nlp: Language) -> List[Example]:
    """The mixed corpus, and Docs of several windows: windows of several lengths, in groups."""
    cats = {"sentiment/positive": 1.0, "sentiment/negative": 0.0}
    return [
        *mixed_examples(nlp),
        make_example(nlp, LONG, ents=[(0, 2, "PER"), (4, 5, "LOC")]),
        make_example(nlp, LONG, cats=cats),
    ]


@pytest.fixture(scope="module")
def exact_once(backbone: Path) -> Language:
    return initialized(make_nlp(backbone, PIPES, EXACT))


@pytest.fixture
def exact(exact_once: Language) -> Language:
    """A pipeline of all pipes without dropout, initialized."""
    return copy.deepcopy(exact_once)


# Measuring


@pytest.mark.parametrize("pcgrad", [False, True])
@pytest.mark.parametrize("sub_batches", [1, 3])
def test_cosines_are_those_of_the_components_alone(
    pcgrad: bool, sub_batches: int, exact: Language
) -> None:
    examples = long_examples(exact)
    batches = [examples[i::sub_batches] for i in range(sub_batches)]
    singly = {name: flat(alone(exact, name, *batches)) for name in HEADS}
    create_task_gradients_v1(pcgrad=pcgrad)(exact)
    applied(exact, *batches)
    pipe = pipe_of(exact)
    assert list(pipe.gradient_norms) == HEADS
    for name in HEADS:
        assert pipe.gradient_norms[name] == pytest.approx(np.linalg.norm(singly[name]), rel=1e-4)
    pairs = [(one, two) for i, one in enumerate(HEADS) for two in HEADS[i + 1 :]]
    assert list(pipe.gradient_cosines) == pairs
    for one, two in pairs:
        expected = cosine(singly[one], singly[two])
        assert pipe.gradient_cosines[one, two] == pytest.approx(expected, abs=1e-4)


def test_measuring_changes_nothing(backbone: Path) -> None:
    """With dropout, to the bit: weights and losses."""
    made = []
    for watched in (False, True):
        nlp = initialized(make_nlp(backbone, PIPES))
        if watched:
            create_task_gradients_v1(every=2)(nlp)
        fix_random_seed(1)
        sgd = adam()
        examples = mixed_examples(nlp)
        losses = [step(nlp, examples[::2], examples[1::2], sgd=sgd) for _ in range(3)]
        made.append((losses, {name: weights(pipe.model) for name, pipe in nlp.pipeline}))  # type: ignore[attr-defined]
    (plain, before), (losses, after) = made
    assert all(same_weights(before[name], after[name]) for name in before)
    for one, other in zip(plain, losses, strict=True):
        assert one.pop("transformer") == pytest.approx(other.pop("transformer"))
        assert one == other


def test_every_so_many_steps(exact: Language, caplog: pytest.LogCaptureFixture) -> None:
    create_task_gradients_v1(every=2)(exact)
    passes = count_passes(exact)
    found = []
    for _ in range(4):
        with caplog.at_level("INFO", logger="spacy"):
            step(exact, mixed_examples(exact))
        found.append(len(passes))
        passes.clear()
    assert found == [len(HEADS) + 1, 1, len(HEADS) + 1, 1]
    lines = [record.getMessage() for record in caplog.records if "gradients" in record.message]
    assert [line[:6] for line in lines] == ["Step 0", "Step 2"]
    assert all(name in line for name in HEADS for line in lines)
    assert f"ner/events {pipe_of(exact).gradient_cosines['ner', 'events']:+.2f}" in lines[1]


def test_what_is_not_annotated_costs_no_pass(exact: Language) -> None:
    create_task_gradients_v1(pcgrad=True)(exact)
    passes = count_passes(exact)
    examples = mixed_examples(exact)
    step(exact, [examples[0], examples[5]])
    assert len(passes) == 2
    assert list(pipe_of(exact).gradient_norms) == ["ner", "textcat"]
    assert list(pipe_of(exact).gradient_cosines) == [("ner", "textcat")]


def count_passes(nlp: Language) -> List[int]:
    """A list that grows by one with each backward pass through the encoder."""
    passes: List[int] = []
    lookup = pipe_of(nlp).model.transformer.get_input_embeddings()  # all groups at once
    lookup.weight.register_hook(lambda gradient: passes.append(1))
    return passes


def test_frozen_and_empty(exact: Language) -> None:
    create_task_gradients_v1(pcgrad=True)(exact)
    before = encoder_weights(exact)
    step(exact, mixed_examples(exact), exclude=["textcat"])
    assert list(pipe_of(exact).gradient_norms) == [name for name in HEADS if name != "textcat"]
    assert not same_weights(before, encoder_weights(exact))
    # Nothing there, and nothing annotated.
    for text in ("", "Anna"):
        step(exact, [Example.from_dict(exact.make_doc(text), {})])


# PCGrad


def planted(backbone: Path, agree: bool, weight: float = 1.0) -> Language:
    """Two classifiers with the same weights, each of a task of its own. They learn the same label
    from one Doc, and from a like one the same or the other."""
    nlp = make_nlp(backbone, [], {"transformer": EXACT["transformer"]})
    for name, factor in (("left", 1.0), ("right", weight)):
        config = {"task": name, "task_weight": factor, "model": {"dropout": 0.0}}
        nlp.add_pipe("event_textcat", name=name, config=config)
    fix_random_seed(0)
    nlp.initialize(lambda: planted_examples(nlp, agree))
    left, right = (nlp.get_pipe(name).module for name in ("left", "right"))  # type: ignore
    right.load_state_dict(left.state_dict())
    return nlp


def planted_examples(nlp: Language, agree: bool) -> List[Example]:
    answer = 1.0 if agree else 0.0
    return [
        make_example(nlp, "What a great film .", cats={"left/GOOD": 1.0}),
        make_example(nlp, "What a good film !", cats={"right/GOOD": answer}),
    ]


def test_a_planted_conflict(backbone: Path) -> None:
    """The weaker task loses by the plain sum, and by PCGrad nobody does."""
    nlp = planted(backbone, agree=False, weight=0.3)
    examples = planted_examples(nlp, agree=False)
    left, right = (flat(alone(nlp, name, examples)) for name in ("left", "right"))
    plain = flat(applied(nlp, examples))
    assert cosine(left, right) < -0.4
    assert min(plain @ left, plain @ right) < 0

    create_task_gradients_v1(pcgrad=True)(nlp)
    found = flat(applied(nlp, examples))
    assert pipe_of(nlp).gradient_cosines["left", "right"] == pytest.approx(cosine(left, right))
    tolerance = 1e-6 * np.linalg.norm(found)
    assert found @ left >= -tolerance * np.linalg.norm(left)
    assert found @ right >= -tolerance * np.linalg.norm(right)
    by_hand = left - (left @ right) / (right @ right) * right
    by_hand += right - (left @ right) / (left @ left) * left
    assert found == pytest.approx(by_hand, abs=1e-6)
    # Doc by Doc as in one batch.
    assert flat(applied(nlp, *([eg] for eg in examples))) == pytest.approx(found, abs=1e-6)


def test_without_conflict_it_is_the_plain_sum(backbone: Path) -> None:
    nlp = planted(backbone, agree=True)
    examples = planted_examples(nlp, agree=True)
    plain = applied(nlp, examples)
    create_task_gradients_v1(pcgrad=True)(nlp)
    assert_close(plain, applied(nlp, examples))
    assert pipe_of(nlp).gradient_cosines["left", "right"] > 0.4


@pytest.mark.parametrize("pcgrad", [False, True])
def test_switched_off_again(pcgrad: bool, backbone: Path) -> None:
    nlp = planted(backbone, agree=False)
    create_task_gradients_v1(every=1, pcgrad=pcgrad)(nlp)
    applied(nlp, planted_examples(nlp, False))
    remove_task_gradients(nlp)
    remove_task_gradients(nlp)
    plain = planted(backbone, agree=False)
    assert pipe_of(nlp).__dict__.keys() == pipe_of(plain).__dict__.keys()
    for made in (nlp, plain):
        for _ in range(2):
            step(made, planted_examples(made, False))
    for name in nlp.pipe_names:
        one, other = (weights(made.get_pipe(name).model) for made in (nlp, plain))  # type: ignore
        assert same_weights(one, other)


def test_heads_are_left_alone(exact: Language) -> None:
    """The step of a head does not know of it."""
    plain = copy.deepcopy(exact)
    create_task_gradients_v1(pcgrad=True)(exact)
    for nlp in (plain, exact):
        step(nlp, mixed_examples(nlp))
    for name in HEADS:
        one, other = (weights(nlp.get_pipe(name).model) for nlp in (plain, exact))  # type: ignore
        assert same_weights(one, other)
    assert not same_weights(encoder_weights(plain), encoder_weights(exact))


# As a callback


@pytest.mark.parametrize("place", ["before_update", "after_init"])
def test_in_spacys_training_loop(place: str, backbone: Path) -> None:
    nlp = make_nlp(backbone, ["ner", "textcat"])
    block = {"@callbacks": "mtnlp.TaskGradients.v1", "every": 3, "pcgrad": True, "seed": 5}
    callback = registry.resolve({"callback": block})["callback"]
    initialized(nlp)
    if place == "after_init":
        callback(nlp)
    examples = [eg for eg in mixed_examples(nlp) if eg.reference.has_annotation("ENT_IOB")]
    examples += [eg for eg in mixed_examples(nlp) if eg.reference.cats]
    loop = train_while_improving(
        nlp,
        adam(),
        ((0, examples) for _ in range(5)),
        evaluate=lambda: (0.0, {}),
        dropout=0.1,
        eval_frequency=10,
        accumulate_gradient=2,
        patience=0,
        max_steps=0,
        exclude=[],
        annotating_components=[],
        before_update=callback if place == "before_update" else None,
    )
    before = encoder_weights(nlp)
    steps = [dict(pipe_of(nlp).gradient_cosines) for _ in loop]
    assert len(steps) == 5 and all(list(found) == [("ner", "textcat")] for found in steps)
    assert len({found["ner", "textcat"] for found in steps}) == 5
    assert not same_weights(before, encoder_weights(nlp))
    assert pipe_of(nlp).task_gradients.step == 5


def test_other_settings_take_the_place_of_the_first(exact: Language) -> None:
    create_task_gradients_v1(every=7)(exact)
    first = pipe_of(exact).task_gradients
    create_task_gradients_v1(every=7)(exact, {"step": 3, "epoch": 0})
    assert pipe_of(exact).task_gradients is first and first.step == 3
    create_task_gradients_v1(every=7, pcgrad=True)(exact)
    second = pipe_of(exact).task_gradients
    assert second is not first and second.settings.pcgrad
    assert second.plain_update.__func__ is type(pipe_of(exact)).update


def test_a_watched_pipeline_can_be_copied_and_saved(exact: Language, tmp_path: Path) -> None:
    create_task_gradients_v1(pcgrad=True)(exact)
    copied = copy.deepcopy(exact)
    before = encoder_weights(exact)
    step(copied, mixed_examples(copied))
    assert pipe_of(copied).gradient_cosines and not pipe_of(exact).gradient_cosines
    assert same_weights(before, encoder_weights(exact))
    copied.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert same_weights(encoder_weights(copied), encoder_weights(loaded))
    assert "task_gradients" not in pipe_of(loaded).__dict__


def test_wrong_settings(backbone: Path) -> None:
    with pytest.raises(MtnlpError, match="E443"):
        create_task_gradients_v1(every=0)
    nlp = make_nlp(backbone, ["ner"])
    model = {"@architectures": "spacy-transformers.TransformerModel.v3", "name": str(backbone)}
    nlp.add_pipe("transformer", name="other", config={"model": model})
    with pytest.raises(MtnlpError, match="E442"):
        create_task_gradients_v1(component="other")(nlp)

"""Weights of tasks in the pipes: fixed ones, and learned ones."""

from itertools import pairwise
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest
import spacy
import torch
from spacy.language import Language

from mtnlp.errors import MtnlpError
from tests.pipes.cases import (
    EXACT,
    TASKS,
    VARIANTS,
    adam,
    assert_close,
    gradients,
    initialized,
    mixed_examples,
    only,
    train,
    without,
)
from tests.tiny import make_nlp

HEADS = ["ner", "nested_ner", "textcat", "events"]
LEARNED = {"weighting": "uncertainty"}


def make(backbone: Path, name: str, **config: Any) -> Language:
    """A pipeline without dropout of the encoder and one pipe."""
    own = {**EXACT[name], **config}
    return initialized(make_nlp(backbone, [name], {**EXACT, name: own}))


def update(nlp: Language, *batches: Any) -> Dict[str, Any]:
    """What batches give without a step. Returns: `losses`, `head`, `encoder`."""
    losses: Dict[str, float] = {}
    for batch in batches:
        nlp.update(batch, sgd=False, losses=losses)  # type: ignore[arg-type]
    encoder: Any = nlp.get_pipe("transformer")
    parts = {"head": last(nlp).module, "encoder": encoder.model.transformer}
    found = {name: gradients(module) for name, module in parts.items()}
    for module in parts.values():
        module.zero_grad()
    return {"loss": losses[nlp.pipe_names[-1]], **found}


def last(nlp: Language) -> Any:
    return nlp.get_pipe(nlp.pipe_names[-1])


def log_variances(nlp: Language) -> List[float]:
    return [value.item() for value in last(nlp).module.weighting.log_variances]


def set_log_variances(nlp: Language, *values: float) -> None:
    parameters = last(nlp).module.weighting.log_variances
    with torch.no_grad():
        for parameter, value in zip(parameters, values, strict=True):
            parameter.fill_(value)


def scaled(part: Dict[str, np.ndarray], factor: float) -> Dict[str, np.ndarray]:
    return {name: value * factor for name, value in part.items()}


# Fixed weights


@pytest.mark.parametrize("name", HEADS)
def test_a_weight_multiplies_the_gradients(name: str, backbone: Path) -> None:
    plain, weighted = make(backbone, name), make(backbone, name, task_weight=0.25)
    one, other = (update(nlp, mixed_examples(nlp)) for nlp in (plain, weighted))
    assert_close(scaled(one["head"], 0.25), other["head"])
    assert_close(scaled(one["encoder"], 0.25), other["encoder"])
    assert any(value.any() for value in other["encoder"].values())
    assert other["loss"] == one["loss"], "the loss is told unweighted"
    assert set(last(plain).task_weights.values()) == {1.0}
    assert set(last(weighted).task_weights.values()) == {0.25}


def test_names_of_tasks(backbone: Path) -> None:
    names = {"ner": {"ner"}, "textcat": {"sentiment", "topic"}, "events": {"event"}}
    for name, expected in names.items():
        assert set(last(make(backbone, name)).task_weights) == expected
    nlp = initialized(make_nlp(backbone, ["sentence_vectors"]))
    assert last(nlp).task_weights == {}


def test_weights_of_the_tasks_of_a_classifier(backbone: Path) -> None:
    """Each task's part of the gradient is what it would be alone, times its weight."""
    tasks = {"sentiment": {"exclusive": True}, "topic": {"exclusive": False, "weight": 0.5}}
    plain = make(backbone, "textcat")
    nlp = make(backbone, "textcat", tasks=tasks, task_weight=3.0)
    assert last(nlp).task_weights == {"sentiment": 3.0, "topic": 1.5}
    for task, factor in last(nlp).task_weights.items():
        parts = []
        for part in (plain, nlp):
            examples = mixed_examples(part)
            own = [eg for eg in examples if any(key.startswith(task) for key in eg.reference.cats)]
            assert 0 < len(own) < len(only(part, "textcat"))
            parts.append(update(part, own))
        assert_close(scaled(parts[0]["encoder"], factor), parts[1]["encoder"])
        assert_close(scaled(parts[0]["head"], factor), parts[1]["head"])


def test_a_weight_of_zero(backbone: Path) -> None:
    nlp = make(backbone, "events", task_weight=0.0)
    before = last(nlp).model.get_ref("head").to_bytes()
    train(nlp, mixed_examples(nlp), 2)
    assert last(nlp).model.get_ref("head").to_bytes() == before


@pytest.mark.parametrize("name", HEADS)
def test_wrong_weights(name: str, backbone: Path) -> None:
    with pytest.raises(MtnlpError, match=r"E440.*-1"):
        make(backbone, name, task_weight=-1.0)
    with pytest.raises(MtnlpError, match="E441"):
        make(backbone, name, task_weight=2.0, **LEARNED)
    with pytest.raises(ValueError, match="weighting"):
        make(backbone, name, weighting="dynamic")


def test_wrong_weights_of_tasks(backbone: Path) -> None:
    for weight, code in ((-1.0, "E440"), (2.0, "E441")):
        tasks = {**TASKS, "topic": {"exclusive": False, "weight": weight}}
        with pytest.raises(MtnlpError, match=code):
            make(backbone, "textcat", tasks=tasks, **LEARNED)


# Learned weights


@pytest.mark.parametrize("name", HEADS)
def test_learned_weights_begin_as_ones(name: str, backbone: Path) -> None:
    plain, learned = make(backbone, name), make(backbone, name, **LEARNED)
    one, other = (update(nlp, mixed_examples(nlp)) for nlp in (plain, learned))
    assert set(last(learned).task_weights.values()) == {1.0}
    own = {key: other["head"].pop(key) for key in list(other["head"]) if key not in one["head"]}
    assert len(own) == len(last(learned).task_weights)
    assert_close(one["head"], other["head"])
    assert_close(one["encoder"], other["encoder"])


@pytest.mark.parametrize("name", HEADS)
def test_a_log_variance_weighs_the_gradient(name: str, backbone: Path) -> None:
    """Of everything: exp(-s). Of s: the annotated units' share / 2 - exp(-s) · loss."""
    nlp = make(backbone, name, **LEARNED)
    examples = mixed_examples(nlp)
    tasks = len(last(nlp).task_weights)
    one = update(nlp, examples)
    set_log_variances(nlp, *[-0.5] * tasks)
    assert list(last(nlp).task_weights.values()) == pytest.approx([np.exp(0.5)] * tasks)
    other = update(nlp, examples)
    assert_close(scaled(one["encoder"], np.exp(0.5)), other["encoder"], 1e-5)
    found = sum(value for key, value in other["head"].items() if "weighting" in key)
    units = last(nlp).get_target(examples).units / last(nlp).cfg["loss_normalization"]
    assert other["loss"] == pytest.approx(one["loss"])
    assert found == pytest.approx(units / 2 - np.exp(0.5) * other["loss"], rel=1e-4)


@pytest.mark.parametrize("name", HEADS)
def test_sub_batches_add_up(name: str, backbone: Path) -> None:
    nlp = make(backbone, name, **LEARNED)
    set_log_variances(nlp, *[0.3] * len(last(nlp).task_weights))
    examples = mixed_examples(nlp)
    whole = update(nlp, examples)
    for cuts in ([6], [2, 5, 11]):
        ends = [0, *cuts, len(examples)]
        parts = [examples[a:b] for a, b in pairwise(ends)]
        summed = update(nlp, *parts)
        assert_close(whole["head"], summed["head"], 1e-5)
        assert_close(whole["encoder"], summed["encoder"], 1e-5)


@pytest.mark.parametrize("name", HEADS)
def test_what_nobody_annotated_moves_nothing(name: str, backbone: Path) -> None:
    """Not even with the momentum of earlier steps."""
    nlp = make(backbone, name, **LEARNED)
    sgd = adam()
    train(nlp, mixed_examples(nlp), 2, sgd=sgd)
    before = log_variances(nlp)
    assert all(before), "they have moved"
    train(nlp, without(nlp, name), 2, sgd=sgd)
    assert log_variances(nlp) == before


def test_one_task_of_two(backbone: Path) -> None:
    nlp = make(backbone, "textcat", **LEARNED)
    sgd = adam()
    train(nlp, mixed_examples(nlp), 2, sgd=sgd)
    before = log_variances(nlp)
    topic = [eg for eg in mixed_examples(nlp) if "topic/SPORT" in eg.reference.cats]
    train(nlp, topic, 2, sgd=sgd)
    after = log_variances(nlp)
    assert after[0] == before[0] and after[1] != before[1]


@pytest.mark.parametrize("case", ["crf_ents", "span", "multitask", "events"])
def test_learned_weights_are_saved(case: str, backbone: Path, tmp_path: Path) -> None:
    factory, config, _ = VARIANTS[case]
    nlp = initialized(make_nlp(backbone, [factory], {factory: {**config, **LEARNED}}))
    train(nlp, mixed_examples(nlp), 3)
    weights = last(nlp).task_weights
    assert all(weight != 1.0 for weight in weights.values())
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert last(loaded).task_weights == weights
    train(loaded, mixed_examples(loaded), 1)
    assert last(loaded).task_weights != weights
    nlp.initialize(lambda: mixed_examples(nlp))
    assert set(last(nlp).task_weights.values()) == {1.0}

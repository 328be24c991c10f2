"""The number of steps, the warm-up and the evaluations follow from the training data."""

from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np
import pytest
import spacy
from spacy import registry
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training.initialize import resolve_dot_names
from spacy.training.loop import create_train_batches, train_while_improving
from thinc.api import Config

from mtnlp.errors import MtnlpError
from mtnlp.training.fit_schedule import create_fit_schedule_v1, fit_frequency
from mtnlp.training.step_count import count_steps

TRAINING = """
[training]
train_corpus = "corpora.train"
max_epochs = 3
max_steps = 0
eval_frequency = 100
patience = 0
accumulate_gradient = 1

[training.batcher]
@batchers = "spacy.batch_by_sequence.v1"
size = 4

[training.optimizer]
@optimizers = "Adam.v1"

[training.optimizer.learn_rate]
@schedules = "warmup_linear.v1"
initial_rate = 0.001
warmup_steps = 0
total_steps = 1
"""


@pytest.fixture
def nlp(tmp_path: Path) -> Language:
    """A pipeline with 10 training documents: 3 batches an epoch."""
    nlp = spacy.blank("en")
    docs = [Doc(nlp.vocab, words=["a", "word"]) for _ in range(10)]
    DocBin(docs=docs).to_disk(tmp_path / "train.spacy")
    corpora = nlp.config["corpora"]
    corpora["train"]["path"] = str(tmp_path / "train.spacy")
    del corpora["dev"]
    nlp.config["training"] = Config().from_str(TRAINING)["training"]
    return nlp


def rate(nlp: Language) -> Any:
    return nlp.config["training"]["optimizer"]["learn_rate"]


def test_steps_are_counted(nlp: Language) -> None:
    create_fit_schedule_v1(warmup=0.1)(nlp)
    assert rate(nlp)["total_steps"] == 9
    assert rate(nlp)["warmup_steps"] == 1


@pytest.mark.parametrize(
    ("batches", "epochs", "most", "steps"),
    [(5, 3, 0, 15), (5, 3, 7, 8), (5, 3, 100, 15), (5, 0, 9, 10), (4, -1, 3, 4), (5, 0, 0, None)],
)
def test_steps(batches: int, epochs: int, most: int, steps: int) -> None:
    assert count_steps(batches, epochs, most) == steps


def run_loop(nlp: Language) -> Tuple[int, List[int]]:
    """spaCy's own loop, with nothing to train. Returns: its steps, and those with an evaluation."""
    config = nlp.config.interpolate()
    training = config["training"]
    (corpus,) = resolve_dot_names(config, [training["train_corpus"]])
    batcher = registry.resolve({"batcher": training["batcher"]})["batcher"]
    loop = train_while_improving(
        nlp,
        registry.resolve({"optimizer": training["optimizer"]})["optimizer"],
        create_train_batches(nlp, corpus, batcher, training["max_epochs"]),
        lambda: (0.0, {}),
        dropout=0.0,
        eval_frequency=training["eval_frequency"],
        accumulate_gradient=training["accumulate_gradient"],
        patience=training["patience"],
        max_steps=training["max_steps"],
        exclude=[],
        annotating_components=[],
        before_update=None,
    )
    evaluated = [is_best is not None for _, _, is_best in loop]
    return len(evaluated), [step for step, is_one in enumerate(evaluated) if is_one]


# 10 documents of 2 tokens.
GROWING = {
    "@batchers": "spacy.batch_by_sequence.v1",
    "size": {"@schedules": "compounding.v1", "start": 1, "stop": 4, "compound": 1.3},
}
BY_WORDS = {"@batchers": "spacy.batch_by_words.v1", "size": 5, "tolerance": 0.2}
LOOPS: Dict[str, Tuple[Dict[str, Any], int]] = {
    "epochs": ({}, 9),
    "spacy_defaults": ({"max_steps": 20000, "patience": 1600, "eval_frequency": 200}, 9),
    "steps": ({"max_epochs": 0, "max_steps": 20}, 21),
    "streamed_steps": ({"max_epochs": -1, "max_steps": 20}, 21),
    "steps_before_epochs": ({"max_steps": 5}, 6),
    "as_many_steps_as_epochs": ({"max_steps": 8}, 9),
    "sub_batches": ({"max_steps": 20000, "accumulate_gradient": 3}, 9),
    "one_step": ({"max_epochs": 1, "batcher": {**GROWING, "size": 10}}, 1),
    "growing_batches": ({"max_steps": 20000, "batcher": GROWING}, 12),
    "growing_batches_up_to_steps": (
        {"max_epochs": 10**9, "max_steps": 20, "batcher": GROWING},
        21,
    ),
    "by_words": ({"max_steps": 20000, "batcher": {**BY_WORDS, "discard_oversize": False}}, 15),
}


@pytest.mark.parametrize("name", LOOPS)
def test_the_loop_makes_the_steps_that_were_counted(name: str, nlp: Language) -> None:
    settings, expected = LOOPS[name]
    nlp.config["training"].update(settings)
    create_fit_schedule_v1(warmup=0.5)(nlp)
    steps, evaluated = run_loop(nlp)
    assert (steps, rate(nlp)["total_steps"]) == (expected, expected)
    assert rate(nlp)["warmup_steps"] == -(-expected // 2)
    # spaCy keeps the best of the evaluated weights: those of step 0 alone are untrained.
    assert len(evaluated) > 1 or expected == 1
    assert steps - 1 - evaluated[-1] <= 3


def test_a_batch_less_than_counted_does_not_take_the_evaluation_away(nlp: Language) -> None:
    """Documents of other lengths, in the order of another epoch, may make fewer batches."""
    batcher = {**BY_WORDS, "discard_oversize": False}
    nlp.config["training"].update(max_steps=20000, batcher=batcher)
    create_fit_schedule_v1()(nlp)
    assert nlp.config["training"]["eval_frequency"] == 15 - 1 - 3


def test_patience_does_not_end_it_before_the_second_evaluation(nlp: Language) -> None:
    nlp.config["training"].update(max_epochs=0, max_steps=300, patience=20, eval_frequency=100)
    create_fit_schedule_v1()(nlp)
    steps, evaluated = run_loop(nlp)
    assert evaluated[:2] == [0, 20] and steps == 21


def test_evaluations_per_epoch_of_a_training_by_steps(nlp: Language) -> None:
    nlp.config["training"].update(max_epochs=0, max_steps=17)
    create_fit_schedule_v1(evaluations=1)(nlp)
    assert run_loop(nlp)[1] == [0, 2, 4, 6, 8, 10, 12, 14, 16]


@pytest.mark.parametrize(
    "warmup, expected", [(0, 0), (0.5, 5), (0.99, 9), (1, 1), (1.0, 1), (7, 7), (9.0, 9)]
)
def test_warmup_by_share_or_by_steps(warmup: float, expected: int, nlp: Language) -> None:
    create_fit_schedule_v1(warmup=warmup)(nlp)
    assert (rate(nlp)["total_steps"], rate(nlp)["warmup_steps"]) == (9, expected)


@pytest.mark.parametrize("warmup", [-0.1, 1.5, -3])
def test_a_warmup_that_is_neither(warmup: float) -> None:
    with pytest.raises(MtnlpError, match="E456"):
        create_fit_schedule_v1(warmup=warmup)


def test_the_rates_of_adamw_are_those_of_the_schedule(nlp: Language) -> None:
    """Up for the number of steps asked for, then down to nothing."""
    nlp.config["training"]["optimizer"]["@optimizers"] = "mtnlp.AdamW.v1"
    create_fit_schedule_v1(warmup=3)(nlp)
    optimizer = registry.resolve({"o": nlp.config["training"]["optimizer"]})["o"]
    rates = []
    for _ in range(9):
        weights, gradient = np.ones((2, 1, 1), dtype="float32")
        optimizer((0, "w"), weights, gradient)
        optimizer.step_schedules()
        rates.append(optimizer.learn_rates["encoder"])
    up, down = [0, 1 / 3, 2 / 3], [i / 6 for i in range(6, 0, -1)]
    assert rates == pytest.approx([0.001 * share for share in up + down])


def test_a_short_training_is_evaluated_at_its_last_step(nlp: Language) -> None:
    create_fit_schedule_v1()(nlp)
    assert nlp.config["training"]["eval_frequency"] == 8


@pytest.mark.parametrize("frequency", [1, 50, 100, 200])
@pytest.mark.parametrize("total", [1, 2, 27, 100, 101, 350, 999])
def test_the_last_evaluation_is_near_the_end(frequency: int, total: int) -> None:
    fitted = fit_frequency(frequency, total)
    assert 1 <= fitted <= max(1, frequency)
    evaluated = range(0, total, fitted)
    # Never earlier than rounding to whole steps makes it, and hardly more often than asked for.
    assert total - 1 - evaluated[-1] < len(evaluated)
    assert len(evaluated) <= -(-(total - 1) // frequency) + 2


def test_endless_training_and_other_schedules_are_refused(nlp: Language) -> None:
    nlp.config["training"]["max_epochs"] = 0
    with pytest.raises(MtnlpError, match="E431"):
        create_fit_schedule_v1()(nlp)
    nlp.config["training"]["optimizer"]["learn_rate"] = {"@schedules": "constant.v1", "rate": 0.001}
    with pytest.raises(MtnlpError, match="E430"):
        create_fit_schedule_v1()(nlp)


@pytest.mark.parametrize("plain", [0.001, 1])
def test_a_plain_rate_becomes_the_height_of_the_schedule(plain: float, nlp: Language) -> None:
    nlp.config["training"]["optimizer"]["learn_rate"] = plain
    create_fit_schedule_v1()(nlp)
    assert rate(nlp) == {
        "@schedules": "warmup_linear.v1",
        "initial_rate": plain,
        "warmup_steps": 1,
        "total_steps": 9,
    }


MIXED = {"@readers": "mtnlp.MixedCorpus.v1", "corpora": {}}
ALIKE = [
    {},
    {"sampling": "uniform"},
    {"sampling": "power", "alpha": 0.3},
    {"sampling": "round_robin"},
    {"sampling": "uniform", "stream": True, "buffer": 3},
    {"stream": True},
]


@pytest.mark.parametrize("settings", ALIKE)
@pytest.mark.parametrize("single_task", [False, True])
def test_every_epoch_of_a_mixed_corpus_has_what_was_counted(
    settings: Dict[str, Any], single_task: bool, nlp: Language, tmp_path: Path
) -> None:
    reviews = [Doc(nlp.vocab, words=["a", "review"]) for _ in range(7)]
    for review in reviews:
        review.cats = {"sentiment/positive": 1.0}
    DocBin(docs=reviews).to_disk(tmp_path / "reviews.spacy")
    parts = {"a": {"path": str(tmp_path / "train.spacy")}}
    parts["b"] = {"path": str(tmp_path / "reviews.spacy")}
    nlp.config["corpora"] = {"train": {**MIXED, "corpora": parts, **settings}}
    batcher = {"@batchers": "mtnlp.WordpieceBatcher.v1", "size": 1000, "max_docs": 3}
    nlp.config["training"]["batcher"] = {**batcher, "single_task": single_task}
    nlp.config["training"]["max_epochs"] = -1
    create_fit_schedule_v1(epochs=4)(nlp)
    config = nlp.config.interpolate()
    (reader,) = resolve_dot_names(config, ["corpora.train"])
    batcher = registry.resolve(config["training"])["batcher"]
    counts = [sum(1 for _ in batcher(reader(nlp))) for _ in range(4)]
    assert len(set(counts)) == 1 and counts[0] >= 6
    assert rate(nlp)["total_steps"] == sum(counts)
    # The loop makes one step more than `max_steps`, as it counts from 0.
    assert nlp.config["training"]["max_steps"] == sum(counts) - 1


def test_epochs_need_max_epochs_to_be_open(nlp: Language) -> None:
    with pytest.raises(MtnlpError, match=r"E162.*epochs = 2.*max_epochs = 3"):
        create_fit_schedule_v1(epochs=2)(nlp)
    nlp.config["training"]["max_epochs"] = -1
    with pytest.raises(MtnlpError, match="E162"):
        create_fit_schedule_v1(epochs=-2)(nlp)
    with pytest.raises(MtnlpError, match="E431"):
        create_fit_schedule_v1()(nlp)
    # Left from another training, or spaCy's own default.
    nlp.config["training"]["max_steps"] = 20000
    create_fit_schedule_v1(epochs=2)(nlp)
    assert rate(nlp)["total_steps"] == 6
    assert nlp.config["training"]["max_steps"] == 5

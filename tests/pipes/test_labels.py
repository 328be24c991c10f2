"""Labels: found in the data or given, fixed once the head is built."""

import logging
from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from mtnlp.errors import MtnlpError
from tests.pipes.cases import (
    TEXTS,
    WITH_LABELS,
    encoder_weights,
    get_case_pipe,
    initialized,
    make_case,
    mixed_examples,
    same_weights,
)
from tests.tiny import make_example, make_nlp

FOUND: Dict[str, List[str]] = {
    "crf_ents": ["LOC", "PER"],
    "crf_spans": ["ANIM", "LOC"],
    "softmax": ["LOC", "PER"],
    "span": ["CITY", "ORG"],
    "multitask": ["sentiment/negative", "sentiment/positive", "topic/MONEY", "topic/SPORT"],
    "events": ["event/BIRTH", "event/DEATH"],
}


@pytest.mark.parametrize("name", WITH_LABELS)
def test_implicit_labels(name: str, backbone: Path) -> None:
    pipe = get_case_pipe(initialized(make_case(backbone, name)), name)
    assert list(pipe.labels) == FOUND[name]
    assert pipe.label_data == FOUND[name]


@pytest.mark.parametrize("name", WITH_LABELS)
def test_explicit_labels(name: str, backbone: Path) -> None:
    nlp = make_case(backbone, name)
    pipe = get_case_pipe(nlp, name)
    label = FOUND[name][0] + "_2"
    assert pipe.add_label(label) == 1
    assert pipe.add_label(label) == 0
    assert label in nlp.vocab.strings
    initialized(nlp)
    assert set(pipe.labels) == {label, *FOUND[name]}


@pytest.mark.parametrize("name", WITH_LABELS)
def test_label_data_takes_the_place_of_the_data(name: str, backbone: Path) -> None:
    """What `spacy init labels` writes goes into [initialize.components]."""
    nlp = make_case(backbone, name)
    pipe: Any = get_case_pipe(nlp, name)
    labels = [*FOUND[name][::-1], FOUND[name][0] + "_2"]
    nlp.config["initialize"]["components"][pipe.name] = {"labels": labels}
    initialized(nlp)
    assert set(pipe.labels) == set(labels)
    again = make_case(backbone, name)
    again.config["initialize"]["components"][pipe.name] = {"labels": pipe.label_data}
    initialized(again)
    assert get_case_pipe(again, name).labels == pipe.labels
    assert again(TEXTS[0]).text == TEXTS[0]


@pytest.mark.parametrize("name", WITH_LABELS)
def test_no_labels(name: str, backbone: Path) -> None:
    nlp = make_case(backbone, name)
    bare = Example(Doc(nlp.vocab, words=["Hi"]), Doc(nlp.vocab, words=["Hi"]))
    with pytest.raises(MtnlpError, match="E302"):
        nlp.initialize(lambda: [bare])


@pytest.mark.parametrize("name", WITH_LABELS)
def test_no_label_is_added_to_a_built_head(name: str, backbone: Path) -> None:
    pipe = get_case_pipe(initialized(make_case(backbone, name)), name)
    assert pipe.add_label(FOUND[name][0]) == 0
    with pytest.raises(MtnlpError, match="E301"):
        pipe.add_label(FOUND[name][0] + "_2")
    assert list(pipe.labels) == FOUND[name]


def test_labels_unknown_to_a_trained_head_are_missing(backbone: Path) -> None:
    nlp = make_case(backbone, "crf_ents")
    nlp.config["initialize"]["components"]["crf_ner"] = {"labels": ["LOC"]}
    initialized(nlp)
    losses: Dict[str, float] = {}
    nlp.update(mixed_examples(nlp), losses=losses)
    assert 0 < losses["crf_ner"] < 100  # forbidden tags in the gold would cost thousands


def test_labels_of_a_classifier_stand_by_task(backbone: Path) -> None:
    pipe = get_case_pipe(make_case(backbone, "multitask"), "multitask")
    for label in ("topic/B", "sentiment/y", "topic/A", "sentiment/x"):
        pipe.add_label(label)
    assert pipe.labels == ("sentiment/y", "sentiment/x", "topic/B", "topic/A")
    assert pipe.tasks["topic"] == {"labels": ["B", "A"], "exclusive": False}


@pytest.mark.parametrize("label", ["mood/x", "x", "sentiment", "sentiment/", "/x"])
def test_labels_of_no_task(label: str, backbone: Path) -> None:
    pipe = get_case_pipe(make_case(backbone, "multitask"), "multitask")
    with pytest.raises(MtnlpError, match="E304"):
        pipe.add_label(label)


def test_one_task_without_labels(backbone: Path) -> None:
    nlp = make_case(backbone, "multitask", tasks={"mood": {"exclusive": True}})
    with pytest.raises(MtnlpError, match="E302"):
        initialized(nlp)


def test_no_tasks(backbone: Path) -> None:
    with pytest.raises(MtnlpError, match="E303"):
        make_nlp(backbone, ["multitask_textcat"])


def test_an_event_pipe_under_another_task(backbone: Path) -> None:
    nlp = initialized(make_case(backbone, "events", task="topic"))
    pipe = get_case_pipe(nlp, "events")
    assert pipe.event_labels == ["MONEY", "SPORT"]
    assert set(nlp(TEXTS[0]).cats) == {"topic/MONEY", "topic/SPORT"}


@pytest.mark.parametrize(("threshold", "expected"), [(0.0, ["BIRTH", "DEATH"]), (1.01, [])])
def test_the_threshold_of_events(threshold: float, expected: List[str], backbone: Path) -> None:
    nlp = initialized(make_case(backbone, "events", threshold=threshold))
    assert nlp(TEXTS[0])._.events == expected


def test_vectors_need_no_labels(backbone: Path) -> None:
    nlp = make_nlp(backbone, ["sentence_vectors"])
    nlp.initialize()
    pipe: Any = nlp.get_pipe("sentence_vectors")
    assert pipe.labels == () and pipe.label_data is None
    assert nlp(TEXTS[0]).vector.any()


def test_initializing_again(backbone: Path) -> None:
    """New weights, the same labels."""
    for name in ("crf_ents", "multitask", "sentence_vectors"):
        nlp = initialized(make_case(backbone, name))
        pipe = get_case_pipe(nlp, name)
        labels = pipe.labels
        initialized(nlp, seed=1)
        assert pipe.labels == labels
        assert nlp(TEXTS[0]).text == TEXTS[0]


NEW: Dict[str, Any] = {
    "crf_ents": {"ents": [(0, 1, "PER"), (1, 2, "NEW")]},
    "crf_spans": {"spans": [(0, 1, "LOC"), (1, 2, "NEW")]},
    "span": {"spans": [(0, 1, "ORG"), (0, 2, "NEW")], "key": "nerel"},
    "multitask": {"cats": {"sentiment/NEW": 1.0, "topic/MONEY": 1.0, "topic/OLD": 0.0}},
    "events": {"cats": {"event/NEW": 1.0, "event/BIRTH": 0.0}},
}
# The labels of a pipe that starts anew on such Docs alone, and how often training met new ones.
EXPECTED: Dict[str, Any] = {
    "crf_ents": (["NEW", "PER"], {"NEW": 2}),
    "crf_spans": (["LOC", "NEW"], {"NEW": 2}),
    "span": (["NEW", "ORG"], {"NEW": 2}),
    "multitask": (
        ["sentiment/NEW", "sentiment/positive", "topic/MONEY", "topic/OLD"],
        {"sentiment/NEW": 2},
    ),
    "events": (["event/BIRTH", "event/NEW"], {"event/NEW": 2}),
}


def new_examples(nlp: Language, name: str) -> List[Example]:
    """Two Docs with a label that the corpus does not have."""
    found = [make_example(nlp, "Anna Keller .", **NEW[name]) for _ in range(2)]
    if name == "multitask":  # an exclusive task needs two labels
        found.append(make_example(nlp, "Fine .", cats={"sentiment/positive": 1.0}))
    return found


@pytest.mark.parametrize("name", NEW)
def test_a_trained_pipe_starts_anew_with_the_labels_of_the_data(
    name: str, backbone: Path, tmp_path: Path
) -> None:
    initialized(make_case(backbone, name)).to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    pipe = get_case_pipe(nlp, name)
    with pytest.raises(MtnlpError, match=r"E301.*initialize\(get_examples, nlp=nlp\)"):
        pipe.add_label(FOUND[name][0] + "_2")
    encoder = encoder_weights(nlp)
    examples = new_examples(nlp, name)
    pipe.initialize(lambda: examples, nlp=nlp)  # as the message says
    assert list(pipe.labels) == EXPECTED[name][0]
    assert same_weights(encoder, encoder_weights(nlp))
    nlp.initialize(lambda: [*mixed_examples(nlp), *examples])
    assert set(pipe.labels) == {*FOUND[name], *EXPECTED[name][0]}
    losses: Dict[str, float] = {}
    nlp.update(examples, losses=losses)
    assert losses[pipe.name] > 0 and not pipe.skipped_labels
    nlp.to_disk(tmp_path)
    assert get_case_pipe(spacy.load(tmp_path), name).labels == pipe.labels


@pytest.mark.parametrize("name", NEW)
def test_labels_given_explicitly_go_before_those_of_the_data(name: str, backbone: Path) -> None:
    nlp = initialized(make_case(backbone, name))
    pipe = get_case_pipe(nlp, name)
    pipe.initialize(lambda: new_examples(nlp, name), nlp=nlp, labels=FOUND[name][::-1])
    assert set(pipe.labels) == set(FOUND[name])


@pytest.mark.parametrize("name", ["crf_ents", "multitask"])
def test_data_without_labels_leaves_those_there_are(name: str, backbone: Path) -> None:
    """`nlp.initialize()` without data gives a trained pipeline new weights."""
    nlp = initialized(make_case(backbone, name))
    nlp.initialize()
    assert list(get_case_pipe(nlp, name).labels) == FOUND[name]


def test_a_task_without_data_keeps_its_labels(backbone: Path) -> None:
    nlp = initialized(make_case(backbone, "multitask"))
    nlp.initialize(lambda: [make_example(nlp, "Fine .", cats={"topic/A": 1.0, "topic/B": 0.0})])
    pipe = get_case_pipe(nlp, "multitask")
    assert pipe.labels == ("sentiment/negative", "sentiment/positive", "topic/A", "topic/B")
    assert nlp("Fine .").cats.keys() == set(pipe.labels)


@pytest.mark.parametrize("name", NEW)
def test_unknown_labels_are_told_once_and_counted(
    name: str, backbone: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    initialized(make_case(backbone, name)).to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    sgd = nlp.resume_training()
    pipe = get_case_pipe(nlp, name)
    examples = [*mixed_examples(nlp), *new_examples(nlp, name)]
    with caplog.at_level(logging.WARNING, logger="spacy.mtnlp"):
        nlp.update(mixed_examples(nlp), sgd=sgd)
        assert not pipe.skipped_labels
        nlp.update(examples, sgd=sgd)
        nlp.update(examples, sgd=sgd)
    ((label, count),) = EXPECTED[name][1].items()
    (record,) = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert f"E345] '{pipe.name}'" in record.message and f"'{label}' ({count})" in record.message
    assert pipe.skipped_labels == {label: 2 * count}

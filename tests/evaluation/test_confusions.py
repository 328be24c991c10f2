"""Errors of hand-made predictions, and what holds of any."""

from collections import Counter
from pathlib import Path
from typing import Dict, List, Set

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.vocab import Vocab

from mtnlp.annotation.layers import entity_layer
from mtnlp.evaluation.alignment import BOUNDARIES, MISSED, OTHER_LABEL, SPURIOUS
from mtnlp.evaluation.confusions import (
    Error,
    ErrorCounts,
    category_task,
    entity_errors,
    entity_task,
    exclusive_errors,
    find_tasks,
    multilabel_errors,
)
from mtnlp.scorers.categories import CategoryTask
from mtnlp.scorers.entities import SpanKey
from tests.conftest import Joint
from tests.tiny import make_example, make_nlp

SPANS = st.builds(
    lambda start, width, label: (start, start + width, label),
    st.integers(0, 4),
    st.integers(1, 3),
    st.sampled_from("AB"),
)


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        ({(0, 2, "A")}, {(0, 2, "A")}, []),
        ({(0, 2, "A")}, {(0, 2, "B")}, [(OTHER_LABEL, "A", "B")]),
        ({(0, 2, "A")}, {(1, 2, "A")}, [(BOUNDARIES, "A", "A")]),
        ({(0, 2, "A")}, {(1, 2, "B")}, [(MISSED, "A", None), (SPURIOUS, None, "B")]),
        ({(0, 2, "A")}, {(2, 3, "A")}, [(MISSED, "A", None), (SPURIOUS, None, "A")]),
        ({(0, 2, "A")}, set(), [(MISSED, "A", None)]),
        (set(), {(0, 2, "A")}, [(SPURIOUS, None, "A")]),
        # The same words come before other words of the same label.
        (
            {(0, 2, "A"), (0, 3, "B")},
            {(0, 2, "B")},
            [(OTHER_LABEL, "A", "B"), (MISSED, "B", None)],
        ),
        # Of two that overlap, the nearer one; and each is taken once.
        ({(0, 4, "A"), (0, 9, "A")}, {(0, 5, "A")}, [(BOUNDARIES, "A", "A"), (MISSED, "A", None)]),
        (
            {(0, 4, "A")},
            {(0, 3, "A"), (1, 4, "A")},
            [(BOUNDARIES, "A", "A"), (SPURIOUS, None, "A")],
        ),
        # What is right stands for nothing else.
        ({(0, 2, "A")}, {(0, 2, "A"), (0, 2, "B")}, [(SPURIOUS, None, "B")]),
    ],
)
def test_entities(gold: Set[SpanKey], predicted: Set[SpanKey], expected: List[Error]) -> None:
    assert Counter(entity_errors(gold, predicted)) == Counter(expected)


@seed(0)
@settings(max_examples=200)
@given(gold=st.sets(SPANS, max_size=6), predicted=st.sets(SPANS, max_size=6))
def test_each_wrong_entity_is_in_one_error(gold: Set[SpanKey], predicted: Set[SpanKey]) -> None:
    errors = entity_errors(gold, predicted)
    kinds = Counter(kind for kind, _, _ in errors)
    lost, wrong = gold - predicted, predicted - gold
    assert Counter(label for _, label, _ in errors if label) == Counter(key[2] for key in lost)
    assert Counter(label for _, _, label in errors if label) == Counter(key[2] for key in wrong)
    places = {key[:2] for key in lost}
    assert kinds[OTHER_LABEL] == sum(
        min(sum(key[:2] == place for key in lost), sum(key[:2] == place for key in wrong))
        for place in places
    )


def test_categories() -> None:
    one, two = frozenset(["t/A"]), frozenset(["t/B"])
    assert exclusive_errors(one, one) == []
    assert exclusive_errors(one, two) == [(OTHER_LABEL, "A", "B")]
    assert exclusive_errors(one, frozenset()) == [(MISSED, "A", None)]
    found = multilabel_errors(one | {"t/C"}, two | {"t/C"})
    assert sorted(found, key=str) == [(MISSED, "A", None), (SPURIOUS, None, "B")]


def example(gold: Dict[str, float], predicted: Dict[str, float]) -> Example:
    docs = Doc(Vocab(), words=["x"]), Doc(Vocab(), words=["x"])
    docs[0].cats, docs[1].cats = predicted, gold
    return Example(*docs)


def test_counts_are_of_annotated_documents() -> None:
    keys = ("t/A", "t/B")
    counts = ErrorCounts(category_task(CategoryTask("t", keys, True)))
    right, wrong = {"t/A": 1.0, "t/B": 0.0}, {"t/A": 0.1, "t/B": 0.9}
    for pair in [(right, right), (right, wrong), (right, wrong), (wrong, right), ({}, right)]:
        counts.add(example(*pair))
    assert counts.documents == 4
    assert counts.confusions() == [
        {"error": OTHER_LABEL, "gold": "A", "predicted": "B", "count": 2},
        {"error": OTHER_LABEL, "gold": "B", "predicted": "A", "count": 1},
    ]
    both = {label: (item.tp, item.fp, item.fn) for label, item in counts.per_label.items()}
    assert both == {"A": (1, 1, 2), "B": (0, 2, 1)}


def test_entities_of_a_layer(joint: Joint) -> None:
    nlp: Language = joint.nlp
    reference = make_example(nlp, "Anna met Tom", ents=[(0, 1, "PER"), (2, 3, "PER")])
    made = reference.predicted
    made.set_ents([Span(made, 0, 1, "LOC")], default="outside")
    counts = ErrorCounts(entity_task(entity_layer(None)))
    counts.add(reference)
    counts.add(make_example(nlp, "Anna met Tom"))
    assert counts.documents == 1
    found = {(row["error"], row["gold"], row["predicted"]) for row in counts.confusions()}
    assert found == {(OTHER_LABEL, "PER", "LOC"), (MISSED, "PER", None)}


def test_tasks_of_a_pipeline(joint: Joint) -> None:
    tasks = find_tasks(joint.nlp)
    names = ["ner", "fine_ner", "nested_ner", "textcat: sentiment", "events: event"]
    assert list(tasks) == names
    labels = {name: Counter[str]() for name in names}
    for item in joint.examples:
        for name, task in tasks.items():
            labels[name].update(task.gold_labels(item.reference))
    assert labels["ner"] == {"PER": 2, "LOC": 2}
    assert labels["textcat: sentiment"] == {"positive": 1, "negative": 1}


def test_of_classifiers_that_share_a_task_the_last_decides(backbone: Path) -> None:
    nlp = make_nlp(backbone, ["textcat", "events"])
    nlp.add_pipe("event_textcat", name="other_events")
    assert list(find_tasks(nlp)) == ["textcat: sentiment", "other_events: event"]

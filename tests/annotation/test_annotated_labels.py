"""Docs that are annotated for some labels alone: what they say, as targets and in scores."""

from typing import Any, Dict, List, Sequence, Tuple

import pytest
import torch
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.vocab import Vocab

from mtnlp.annotation.annotated_labels import (
    annotated_cats,
    annotated_labels,
    set_annotated_labels,
    task_place,
)
from mtnlp.annotation.layers import entity_layer
from mtnlp.gold.categories import category_targets, gold_task_labels
from mtnlp.gold.entities import gold_labels, tag_targets
from mtnlp.gold.spans import span_targets
from mtnlp.scorers.categories import score_categories
from mtnlp.scorers.entities import score_entities
from mtnlp.structured.schemes import BIO
from mtnlp.types import Task

VOCAB = Vocab()
LABELS = ["LOC", "PER", "ORG"]
WORDS = ["Anna", "flew", "to", "New", "York"]
TASKS = {
    "topic": Task(labels=["a", "b", "c"], exclusive=True),
    "event": Task(labels=["x", "y"], exclusive=False),
}
Annotations = Sequence[Tuple[int, int, str]]


def make_example(
    ents: Annotations, annotated: Sequence[str], predicted: Annotations = (), key: Any = None
) -> Example:
    docs = Doc(VOCAB, words=WORDS), Doc(VOCAB, words=WORDS)
    for doc, spans in zip(docs, (predicted, ents), strict=True):
        made = [Span(doc, *span) for span in spans]
        if key is None:
            doc.set_ents(made, default="outside")
        else:
            doc.spans[key] = made
    if annotated:
        set_annotated_labels(docs[1], str(entity_layer(key)), annotated)
    return Example(*docs)


def spelled(made: Any, row: int = 0) -> List[str]:
    """The tags each token may have."""
    names = BIO().tags(LABELS)
    return [
        " ".join(name for name, member in zip(names, allowed, strict=True) if member)
        for allowed in made.target[row].tolist()
    ]


def make_cats(cats: Dict[str, float], annotated: Dict[str, Sequence[str]]) -> Example:
    docs = Doc(VOCAB, words=WORDS), Doc(VOCAB, words=WORDS)
    docs[1].cats = cats
    for task, labels in annotated.items():
        set_annotated_labels(docs[1], task_place(task), labels)
    return Example(*docs)


def test_outside_means_none_of_these() -> None:
    partial = make_example([(3, 5, "LOC")], ["LOC"])
    whole = make_example([(3, 5, "LOC")], [])
    made = tag_targets([partial, whole], None, LABELS, BIO())
    other = "O B-PER I-PER B-ORG I-ORG"
    assert spelled(made) == [other, other, other, "B-LOC", "I-LOC"]
    assert spelled(made, 1) == ["O", "O", "O", "B-LOC", "I-LOC"]
    assert made.units == 10.0
    # All of the pipe's labels, and more: nothing is left open.
    all_of_them = tag_targets([make_example([], [*LABELS, "X"])], None, LABELS, BIO())
    assert spelled(all_of_them) == ["O"] * 5


def test_what_is_annotated_besides_is_learnt() -> None:
    made = tag_targets([make_example([(0, 1, "PER")], ["LOC"])], None, LABELS, BIO())
    # The end of that entity is known.
    assert spelled(made)[:3] == ["B-PER", "O B-PER B-ORG I-ORG", "O B-PER I-PER B-ORG I-ORG"]


def test_labels_that_a_pipe_has_not_say_nothing() -> None:
    example = make_example([], ["ANIM"])
    assert tag_targets([example], None, LABELS, BIO()).doc_indices == []
    assert gold_labels([example], None) == ["ANIM"]
    example = make_example([(0, 1, "PER")], ["ANIM"])
    made = tag_targets([example], None, LABELS, BIO())
    assert made.units == 1.0 and spelled(made)[0] == "B-PER"


def test_exclusive_spans() -> None:
    examples = [make_example([(3, 5, "LOC")], part, key="sc") for part in (["LOC"], [])]
    made = span_targets(examples, "sc", LABELS, 2, True)
    assert made.target.dtype == torch.bool and made.target.shape == (2, 5, 2, 4)
    assert made.target[0, 0, 0].tolist() == [True, False, True, True]
    assert made.target[0, 3, 1].tolist() == [False, True, False, False]
    assert made.target[1, 0, 0].tolist() == [True, False, False, False]
    assert made.mask.shape == (2, 5, 2)
    assert span_targets(examples[1:], "sc", LABELS, 2, True).target.dtype == torch.int64


def test_spans_with_several_labels() -> None:
    spans = [(3, 5, "LOC"), (3, 5, "ORG")]
    examples = [make_example(spans, part, key="sc") for part in (["LOC"], [])]
    made = span_targets(examples, "sc", LABELS, 2, False)
    assert made.mask.shape == made.target.shape == (2, 5, 2, 3)
    assert made.mask[0, 0, 0].tolist() == [True, False, False]
    assert made.mask[0, 3, 1].tolist() == [True, False, True]
    assert made.mask[1, 0, 0].tolist() == [True, True, True]
    assert not made.mask[:, 4, 1].any()  # beyond the text


def test_categories() -> None:
    cats = {"topic/a": 0.0, "topic/b": 0.0, "event/x": 0.0, "event/y": 0.0}
    examples = [
        make_cats(cats, {"topic": ["topic/a"], "event": ["event/y"]}),
        make_cats({"topic/c": 1.0, "event/x": 1.0}, {"topic": ["topic/a"], "event": ["event/y"]}),
        make_cats(cats, {}),
    ]
    made = category_targets(examples, TASKS)
    assert made.mask.tolist() == [
        [True, False, False, False, True],  # not a: b or c; not y
        [True, True, True, True, False],  # what holds is learnt
        [False, False, False, True, True],
    ]
    assert made.target[1].tolist() == [0, 0, 1, 1, 0]
    assert made.units == 5.0
    found = gold_task_labels([make_cats({}, {"topic": ["topic/d"]})], TASKS)
    assert found == {"topic": ["d"], "event": []}


def test_the_last_word_counts() -> None:
    doc = Doc(VOCAB, words=WORDS)
    assert annotated_labels(doc, "doc.ents") is None
    set_annotated_labels(doc, "doc.ents", ["LOC"])
    set_annotated_labels(doc, "doc.spans['sc']", ["PER"])
    assert annotated_labels(doc, "doc.ents") == {"LOC"}
    assert annotated_labels(doc, task_place("topic")) is None
    doc.cats = {"topic/a": 0.0}
    assert annotated_cats(doc) == doc.cats


@pytest.mark.parametrize("key", [None, "sc"])
def test_entities_of_other_labels_are_not_scored(key: Any) -> None:
    predicted = [(0, 1, "PER"), (3, 5, "LOC")]
    partial = make_example([(3, 5, "LOC")], ["LOC"], predicted, key)
    whole = make_example([(3, 5, "LOC")], [], predicted, key)
    prefix = "ents" if key is None else "spans_sc"
    scores = score_entities([partial], spans_key=key)
    assert scores[f"{prefix}_p"] == 1.0 and list(scores[f"{prefix}_per_type"]) == ["LOC"]
    assert score_entities([whole], spans_key=key)[f"{prefix}_p"] == 0.5


def test_categories_of_other_labels_are_not_scored() -> None:
    cats = {"event/x": 0.0, "event/y": 1.0}
    for annotated, precision in (({"event": ["event/y"]}, 1.0), ({}, 0.5)):
        example = make_cats(cats, annotated)
        example.predicted.cats = {"event/x": 0.9, "event/y": 0.9}
        scores = score_categories([example], tasks={"event": TASKS["event"]})
        assert scores["cats_event_micro_p"] == precision

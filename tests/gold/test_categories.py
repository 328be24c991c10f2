"""Categories as targets: what is annotated, what is missing, what is negative."""

from typing import Dict, List, Optional

import pytest
import torch
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from mtnlp.annotation.categories import category_key, category_keys
from mtnlp.gold.categories import category_targets, gold_task_labels
from mtnlp.types import Task

VOCAB = Vocab()
TASKS = {
    "sentiment": Task(labels=["negative", "positive"], exclusive=True),
    "event": Task(labels=["BIRTH", "DEATH", "TRIAL"], exclusive=False),
}


def example(cats: Optional[Dict[str, float]] = None, text: str = "a text") -> Example:
    words = text.split()
    reference = Doc(VOCAB, words=words)
    reference.cats = cats or {}
    return Example(Doc(VOCAB, words=words), reference)


def targets(*cats: Optional[Dict[str, float]]) -> List[List[Optional[float]]]:
    """The rows of the target, None where masked."""
    made = category_targets([example(part) for part in cats], TASKS)
    return [
        [float(value) if known else None for value, known in zip(*row, strict=True)]
        for row in zip(made.target.tolist(), made.mask.tolist(), strict=True)
    ]


def test_keys() -> None:
    assert category_key("sentiment", "positive") == "sentiment/positive"
    assert category_keys(TASKS) == [
        "sentiment/negative",
        "sentiment/positive",
        "event/BIRTH",
        "event/DEATH",
        "event/TRIAL",
    ]


def test_a_task_without_keys_is_missing() -> None:
    assert targets({"sentiment/positive": 1.0, "sentiment/negative": 0.0}) == [
        [0.0, 1.0, None, None, None]
    ]
    assert targets({"event/BIRTH": 0.0, "event/DEATH": 1.0, "event/TRIAL": 0.0}) == [
        [None, None, 0.0, 1.0, 0.0]
    ]


def test_all_negative_is_annotated_in_a_multilabel_task() -> None:
    none = {"event/BIRTH": 0.0, "event/DEATH": 0.0, "event/TRIAL": 0.0}
    assert targets(none) == [[None, None, 0.0, 0.0, 0.0]]


def test_a_label_without_a_key_is_missing_in_a_multilabel_task() -> None:
    assert targets({"event/DEATH": 1.0}) == [[None, None, None, 1.0, None]]


def test_one_positive_label_annotates_an_exclusive_task() -> None:
    assert targets({"sentiment/positive": 1.0}) == [[0.0, 1.0, None, None, None]]


@pytest.mark.parametrize(
    "cats",
    [
        {"sentiment/positive": 0.0, "sentiment/negative": 0.0},
        {"sentiment/positive": 0.0, "sentiment/negative": 0.0, "sentiment/mixed": 1.0},
        {"sentiment/mixed": 1.0},
        {"topic/sport": 1.0},
        {"positive": 1.0},
        {},
    ],
)
def test_an_exclusive_task_without_a_known_positive_label_is_missing(
    cats: Dict[str, float],
) -> None:
    made = category_targets([example(cats)], TASKS)
    assert made.doc_indices == []
    assert made.units == 0.0


def test_batch() -> None:
    both = {"sentiment/negative": 1.0, "event/BIRTH": 1.0, "event/DEATH": 0.0}
    batch = [
        example(),
        example({"sentiment/positive": 1.0}),
        example({"sentiment/positive": 1.0}, text=""),  # nothing to read: no target
        example(both),
        example({"sentiment/positive": 1.0}, text=" \n "),
        example({"topic/sport": 1.0}),
    ]
    made = category_targets(batch, TASKS)
    assert made.doc_indices == [1, 3]
    assert made.target.tolist() == [[0.0, 1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 1.0, 0.0, 0.0]]
    assert made.mask.tolist() == [
        [True, True, False, False, False],
        [True, True, True, True, False],
    ]
    assert made.units == 3.0  # document and task
    assert made.target.dtype == torch.float32
    assert made.mask.dtype == torch.bool


def test_batch_without_annotation() -> None:
    made = category_targets([example(), example()], TASKS)
    assert made.doc_indices == []
    assert made.target.shape == made.mask.shape == (0, 5)
    assert category_targets([], TASKS).target.shape == (0, 5)


def test_references_are_not_written_to() -> None:
    cats = {"sentiment/positive": 1.0}
    sample = example(cats)
    category_targets([sample], TASKS)
    assert sample.reference.cats == cats


def test_labels_in_the_data() -> None:
    examples = [
        example({"sentiment/positive": 1.0, "topic/sport": 1.0, "plain": 1.0}),
        example({"sentiment/negative": 0.0, "event/DEATH": 0.0, "event/a/b": 1.0}),
        example(),
    ]
    assert gold_task_labels(examples, ["sentiment", "event", "other"]) == {
        "sentiment": ["negative", "positive"],
        "event": ["DEATH", "a/b"],
        "other": [],
    }

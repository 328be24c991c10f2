"""The numbers of a classifier's task beside scikit-learn's and spaCy's, and by hand."""

from typing import Any, Dict, List, Optional, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    confusion_matrix,
    precision_recall_fscore_support,
)
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example

from mtnlp.analysis.category_report import CategoryReport
from mtnlp.analysis.options import Settings
from mtnlp.scorers.categories import CategoryTask
from tests.analysis.documents import VOCAB

SETTINGS = Settings(samples=20, examples=2)
KEYS = ("t/x", "t/y", "t/z")
LABELS = ["x", "y", "z"]
EXCLUSIVE = CategoryTask("t", KEYS, True)
MULTILABEL = CategoryTask("t", KEYS, False, 0.5, {"t/z": 0.25})
SCORES = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.4, 0.5, 0.9]), min_size=3, max_size=3)


def make_pair(gold: Dict[str, float], scores: Sequence[float], text: str = "a text") -> Example:
    reference, predicted = (Doc(VOCAB, words=text.split()) for _ in range(2))
    reference.cats = gold
    predicted.cats = dict(zip(KEYS, scores, strict=True))
    return Example(predicted, reference)


def one_hot(label: int) -> Dict[str, float]:
    return {key: float(column == label) for column, key in enumerate(KEYS)}


def numbers_of(task: CategoryTask, examples: List[Example], **facts: Any) -> Dict[str, Any]:
    report = CategoryReport(task, SETTINGS, **facts)
    for example in examples:
        report.add([example])
    found: Optional[Dict[str, Any]] = report.result()
    assert found is not None
    return found


def assert_rows(found: Dict[str, Any], columns: Any) -> None:
    """Precision, recall, F1 and support of each label."""
    for row, *theirs in zip(found["per_label"], *columns, strict=True):
        mine = [row[key] for key in ("precision", "recall", "f", "support")]
        assert mine == pytest.approx(theirs)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 2), SCORES), min_size=1, max_size=12))
def test_an_exclusive_task_is_scikit_learns_and_spacys(rows: Any) -> None:
    # Documents without an answer have a test of their own.
    rows = [(label, scores if max(scores) > 0 else [1.0, 0.0, 0.0]) for label, scores in rows]
    examples = [make_pair(one_hot(label), scores) for label, scores in rows]
    found = numbers_of(EXCLUSIVE, examples)
    gold = [label for label, _ in rows]
    best = [int(np.argmax(scores)) for _, scores in rows]
    assert found["accuracy"] == pytest.approx(accuracy_score(gold, best))
    by_label = {"labels": [0, 1, 2], "zero_division": 0}
    assert_rows(found, precision_recall_fscore_support(gold, best, **by_label))
    matrix = confusion_matrix(gold, best, labels=[0, 1, 2])
    assert found["confusion"] == {"labels": LABELS, "counts": matrix.tolist()}
    assert found["error_cooccurrence"] is None
    assert [row["predicted"] for row in found["per_label"]] == matrix.sum(0).tolist()
    theirs = Scorer.score_cats(examples, "cats", labels=list(KEYS), multi_label=False)
    for row in found["per_label"]:
        expected = theirs["cats_f_per_type"][f"t/{row['label']}"]
        mine = {"p": row["precision"], "r": row["recall"], "f": row["f"]}
        assert mine == pytest.approx(expected)
    assert found["reliability"]["accuracy"] == pytest.approx(found["accuracy"])
    assert found["reliability"]["predicted"] == found["documents"] == len(rows)
    low, high = found["accuracy_interval"]
    assert low <= found["accuracy"] <= high


@settings(max_examples=40)
@given(st.lists(st.tuples(st.lists(st.booleans(), min_size=3, max_size=3), SCORES), min_size=1))
def test_a_multilabel_task_is_scikit_learns(rows: Any) -> None:
    gold, scores = (np.array(side) for side in zip(*rows, strict=True))
    examples = [
        make_pair(dict(zip(KEYS, map(float, right), strict=True)), given) for right, given in rows
    ]
    found = numbers_of(MULTILABEL, examples)
    predicted = (scores >= [0.5, 0.5, 0.25]) & (scores > 0)
    assert found["accuracy"] == pytest.approx(accuracy_score(gold, predicted))
    assert_rows(found, precision_recall_fscore_support(gold, predicted, zero_division=0))
    micro = precision_recall_fscore_support(gold, predicted, average="micro", zero_division=0)
    assert list(found["micro"].values()) == pytest.approx(micro[:3])
    assert found["confusion"] is None
    missed, spurious = (gold & ~predicted).astype(int), (predicted & ~gold).astype(int)
    counts = found["error_cooccurrence"]["counts"]
    assert counts == sum(np.outer(a, b) for a, b in zip(missed, spurious, strict=True)).tolist()
    shares = [(row["gold_share"], row["predicted_share"]) for row in found["per_label"]]
    assert shares == [*zip(gold.mean(0), predicted.mean(0), strict=True)]
    means = [row["mean_score"] for row in found["per_label"]]
    assert means == pytest.approx(scores.mean(0))
    with_gold = [label for label, any_gold in zip(LABELS, gold.any(0), strict=True) if any_gold]
    assert [row["label"] for row in found["pr_curves"]] == with_gold
    for row in found["pr_curves"]:
        column = LABELS.index(row["label"])
        assert row["average_precision"] == pytest.approx(
            average_precision_score(gold[:, column], scores[:, column].astype(np.float32))
        )
    assert found["reliability"]["predicted"] == gold.size
    assert found["reliability"]["accuracy"] == pytest.approx(gold.mean())


def test_documents_without_an_answer_and_labels_that_the_pipe_does_not_know() -> None:
    examples = [
        make_pair(one_hot(0), [0.0, 0.0, 0.0]),
        make_pair({"t/other": 1.0}, [0.0, 0.7, 0.1]),
        make_pair(one_hot(1), [0.0, 0.7, 0.1]),
    ]
    found = numbers_of(EXCLUSIVE, examples, support={"x": 4, "other": 1})
    assert found["labels"] == [*LABELS, "other"]
    assert found["confusion"]["counts"] == [
        [0, 0, 0, 0, 1],
        [0, 1, 0, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 1, 0, 0, 0],
    ]
    rows = [(row["support"], row["predicted"], row["train"]) for row in found["per_label"]]
    assert rows == [(1, 0, 4), (1, 2, 0), (0, 0, 0), (1, 0, 1)]
    assert found["accuracy"] == pytest.approx(1 / 3)
    wrong = [(row["label"], row["error"], row["score"]) for row in found["mistakes"]]
    assert wrong == [("y", "other label", pytest.approx(0.7)), ("x", "missed", 0.0)]


def test_unannotated_documents_and_keys_count_for_nothing() -> None:
    annotated = [make_pair(one_hot(0), [0.9, 0.1, 0.3]), make_pair({"t/x": 0.0}, [0.1, 0.9, 0.9])]
    others = [make_pair({}, [0.9, 0.9, 0.9]), make_pair({"other/x": 1.0}, [0.9, 0.9, 0.9])]
    found = numbers_of(MULTILABEL, annotated)
    assert numbers_of(MULTILABEL, annotated + others) == found
    # The second document says nothing of y and z.
    assert found["documents"] == 2 and found["reliability"]["predicted"] == 4
    assert [row["predicted_share"] for row in found["per_label"]] == [0.5, 0.0, 1.0]
    assert [row["mean_score"] for row in found["per_label"]] == pytest.approx([0.5, 0.1, 0.3])
    # An exclusive task is not annotated where no label holds.
    assert numbers_of(EXCLUSIVE, annotated + others)["documents"] == 1
    report = CategoryReport(EXCLUSIVE, SETTINGS)
    report.add(others)
    assert report.result() is None


def test_the_most_confident_mistakes() -> None:
    examples = [
        make_pair(one_hot(0), [0.2, 0.6, 0.1], "missed x , wrong y"),
        make_pair(one_hot(1), [0.95, 0.2, 0.1], "sure of x"),
        make_pair(one_hot(1), [0.0, 0.05, 0.1], "sure that it is not y"),
        make_pair(one_hot(1), [0.0, 0.9, 0.1], "right"),
    ]
    found = numbers_of(MULTILABEL, examples)["mistakes"]
    assert [(row["text"], row["label"], row["error"]) for row in found] == [
        ("sure of x", "x", "spurious"),
        ("sure that it is not y", "y", "missed"),
    ]
    assert [row["score"] for row in found] == pytest.approx([0.95, 0.95])
    assert (found[0]["gold"], found[0]["predicted"]) == (["y"], ["x"])


def test_the_constant_baseline_and_its_thresholds() -> None:
    train = [one_hot(2), one_hot(2), one_hot(0)]
    examples = [make_pair(one_hot(2), [0.9, 0.0, 0.0]), make_pair(one_hot(0), [0.9, 0.0, 0.0])]
    found = numbers_of(EXCLUSIVE, examples, train_cats=train, support={"z": 2, "x": 1})
    assert found["baseline"]["labels"] == ["z"] and found["baseline"]["accuracy"] == 0.5
    assert [row["threshold"] for row in found["per_label"]] == [None, None, None]
    assert [row["threshold"] for row in numbers_of(MULTILABEL, examples)["per_label"]] == [
        0.5,
        0.5,
        0.25,
    ]
    assert numbers_of(EXCLUSIVE, examples)["baseline"] is None

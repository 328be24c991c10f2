from typing import Any, Callable, Dict, List, Optional

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from mtnlp.errors import MtnlpError
from mtnlp.evaluation.classification import exclusive_metrics, multilabel_metrics

LABELS = st.sampled_from(["a", "b", "c", "d"])
PAIRS = st.lists(st.tuples(LABELS, st.one_of(st.none(), LABELS)), max_size=30)
ROWS = st.lists(
    st.tuples(*[st.lists(st.booleans(), min_size=3, max_size=3)] * 3), min_size=1, max_size=20
)


def check_sklearn(metrics: Dict[str, Any], gold: Any, predicted: Any, labels: List[Any]) -> None:
    """Holds the metrics to scikit-learn's. labels: those that occur, in order."""
    if not labels:
        assert metrics["per_label"] == {}
        return
    options: Dict[str, Any] = {"labels": labels, "zero_division": 0}
    for average in ("micro", "macro"):
        row = precision_recall_fscore_support(gold, predicted, average=average, **options)[:3]
        assert metrics[average] == pytest.approx(dict(zip("prf", row, strict=True)))
    columns = precision_recall_fscore_support(gold, predicted, average=None, **options)
    rows = zip(metrics["per_label"].values(), *columns, strict=True)
    for found, p, r, f, support in rows:
        assert found == pytest.approx({"p": p, "r": r, "f": f, "support": support})
    assert metrics["accuracy"] == pytest.approx(accuracy_score(gold, predicted))


@settings(max_examples=50, deadline=None)
@given(PAIRS)
def test_exclusive_metrics_stay_in_bounds_and_are_scikit_learns(
    check_metrics: Callable, pairs: List[Any]
) -> None:
    gold: List[str] = [right for right, _ in pairs]
    predicted: List[Optional[str]] = [given for _, given in pairs]
    metrics = exclusive_metrics(gold, predicted)
    check_metrics(metrics)
    assert metrics["n"] == len(pairs)
    given = [label or "" for label in predicted]
    check_sklearn(metrics, gold, given, sorted({*gold, *given} - {""}))


@settings(max_examples=50, deadline=None)
@given(ROWS)
def test_multilabel_metrics_stay_in_bounds_and_are_scikit_learns(
    check_metrics: Callable, rows: List[Any]
) -> None:
    gold, predicted, mask = (np.array(side) for side in zip(*rows, strict=True))
    metrics = multilabel_metrics(gold, predicted, ["a", "b", "c"], mask)
    check_metrics(metrics)
    columns = np.flatnonzero(((gold | predicted) & mask).any(axis=0)).tolist()
    # To scikit-learn a single column is a binary task; an empty one makes it two.
    sides = (np.pad(side & mask, ((0, 0), (0, 1))).astype(int) for side in (gold, predicted))
    check_sklearn(metrics, *sides, columns)


def test_exclusive() -> None:
    metrics = exclusive_metrics(["a", "a", "b", "b"], ["a", "b", "b", None])
    assert metrics["accuracy"] == 0.5
    assert metrics["micro"] == {"p": pytest.approx(2 / 3), "r": 0.5, "f": pytest.approx(4 / 7)}
    assert metrics["per_label"]["a"] == {
        "p": 1.0,
        "r": 0.5,
        "f": pytest.approx(2 / 3),
        "support": 2,
    }
    assert metrics["macro"]["f"] == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_multilabel() -> None:
    gold = np.array([[1, 1, 0], [0, 1, 0]], dtype=bool)
    predicted = np.array([[1, 0, 0], [0, 1, 0]], dtype=bool)
    metrics = multilabel_metrics(gold, predicted, ["a", "b", "never"])
    assert metrics["accuracy"] == 0.5
    assert metrics["micro"] == {"p": 1.0, "r": pytest.approx(2 / 3), "f": pytest.approx(0.8)}
    assert metrics["per_label"].keys() == {"a", "b"}
    assert metrics["macro"]["r"] == 0.75


def test_a_masked_cell_counts_for_nothing() -> None:
    gold = np.array([[True, False]])
    predicted = np.array([[True, True]])
    metrics = multilabel_metrics(gold, predicted, ["a", "b"], np.array([[True, False]]))
    assert metrics["accuracy"] == metrics["micro"]["f"] == 1.0


def test_a_single_label_column() -> None:
    column = np.array([[True], [False], [True]])
    metrics = multilabel_metrics(column, np.array([[True], [True], [False]]), ["a"])
    assert metrics["per_label"] == {"a": {"p": 0.5, "r": 0.5, "f": 0.5, "support": 2}}
    assert metrics["accuracy"] == pytest.approx(1 / 3)


def test_nothing_at_all() -> None:
    assert exclusive_metrics([], [])["micro"] == {"p": 0.0, "r": 0.0, "f": 0.0}
    empty = np.zeros((2, 3), dtype=bool)
    metrics = multilabel_metrics(empty, empty, ["a", "b", "c"])
    assert metrics["accuracy"] == 1.0 and metrics["per_label"] == {}


def test_shapes_must_agree() -> None:
    with pytest.raises(MtnlpError, match="E501"):
        exclusive_metrics(["a"], [])
    with pytest.raises(MtnlpError, match="E501"):
        multilabel_metrics(np.zeros((2, 1), bool), np.zeros((1, 1), bool), ["a"])

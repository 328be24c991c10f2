"""Classification metrics by scikit-learn, for exclusive and for multi-label tasks.

Both functions return the same shape:

    {"n": documents, "accuracy": float,
     "micro": {"p", "r", "f"}, "macro": {"p", "r", "f"},
     "per_label": {label: {"p", "r", "f", "support"}}}

Labels that are neither gold nor predicted anywhere are left out, of the macro average too. The
macro F1 is the mean of the labels' F1, as in scikit-learn; it never exceeds the larger of macro
precision and macro recall, but, not being their harmonic mean, can lie below the smaller.
"""

from typing import Any, Dict, List, Optional, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from ..errors import Errors, MtnlpError

Prf = Dict[str, float]
NOTHING = ""  # stands for "nothing predicted"; no label is empty


def exclusive_metrics(gold: Sequence[str], predicted: Sequence[Optional[str]]) -> Dict[str, Any]:
    """Metrics of a task in which each document has exactly one label.

    gold, predicted: one label a document; None where nothing was predicted.
    RETURNS: the shape above; `accuracy` is the share of right labels.
    RAISES MtnlpError (E501) for lists of different lengths.
    """
    if len(gold) != len(predicted):
        raise MtnlpError(Errors.E501.format(gold=len(gold), predicted=len(predicted)))
    right = list(gold)
    given = [NOTHING if label is None else label for label in predicted]
    labels = sorted({*right, *given} - {NOTHING})
    return _metrics(right, given, labels, labels)


def multilabel_metrics(
    gold: NDArray[np.bool_],
    predicted: NDArray[np.bool_],
    labels: Sequence[str],
    mask: Optional[NDArray[np.bool_]] = None,
) -> Dict[str, Any]:
    """Metrics of a task in which a document has any number of labels.

    gold, predicted: indicators, `[documents, labels]`.
    mask: which cells are annotated, `[documents, labels]`; the others count for nothing.
    RETURNS: the shape above; `accuracy` is the exact-match ratio.
    RAISES MtnlpError (E501) for arrays of different shapes.
    """
    gold, predicted = np.asarray(gold, dtype=bool), np.asarray(predicted, dtype=bool)
    if gold.shape != predicted.shape:
        raise MtnlpError(Errors.E501.format(gold=gold.shape, predicted=predicted.shape))
    if mask is not None:
        # A cell that is negative on both sides is a true negative, which no F1 counts.
        gold, predicted = gold & mask, predicted & mask
    columns = [int(i) for i in np.flatnonzero((gold | predicted).any(axis=0))]
    # scikit-learn takes a single column for a binary task: an empty one makes it two.
    padding = ((0, 0), (0, 1))
    return _metrics(
        np.pad(gold, padding).astype(int),
        np.pad(predicted, padding).astype(int),
        columns,
        [labels[i] for i in columns],
    )


def prf(precision: float, recall: float, fscore: float) -> Prf:
    """The three as Python floats under the names spaCy gives them."""
    return {"p": float(precision), "r": float(recall), "f": float(fscore)}


def _metrics(gold: Any, predicted: Any, classes: List[Any], names: List[str]) -> Dict[str, Any]:
    if not classes:
        accuracy = 1.0 if len(gold) else 0.0
        nothing = prf(0.0, 0.0, 0.0)
        return {
            "n": len(gold),
            "accuracy": accuracy,
            "micro": nothing,
            "macro": dict(nothing),
            "per_label": {},
        }
    averages = {
        average: prf(
            *precision_recall_fscore_support(
                gold, predicted, labels=classes, average=average, zero_division=0
            )[:3]
        )
        for average in ("micro", "macro")
    }
    columns = precision_recall_fscore_support(
        gold, predicted, labels=classes, average=None, zero_division=0
    )
    return {
        "n": len(gold),
        "accuracy": float(accuracy_score(gold, predicted)),
        **averages,
        "per_label": {
            name: {**prf(p, r, f), "support": int(support)}
            for name, p, r, f, support in zip(names, *columns, strict=True)
        },
    }

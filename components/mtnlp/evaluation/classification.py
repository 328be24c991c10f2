"""Classification metrics, for exclusive and for multi-label tasks.

Both functions return the same shape:

    {"n": documents, "accuracy": float,
     "micro": {"p", "r", "f"}, "macro": {"p", "r", "f"},
     "per_label": {label: {"p", "r", "f", "support"}}}

Labels that are neither gold nor predicted anywhere are left out, of the macro average too. The
numbers are scikit-learn's; `scorers.counts.averages` says what a macro F1 is.
"""

from typing import Any, Dict, Optional, Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import Errors, MtnlpError
from ..scorers.counts import Counts, averages, with_support


def exclusive_metrics(gold: Sequence[str], predicted: Sequence[Optional[str]]) -> Dict[str, Any]:
    """Metrics of a task in which each document has exactly one label.

    gold, predicted: one label per document; None where nothing was predicted.
    Returns: the shape above; `accuracy` is the share of right labels.
    Raises: MtnlpError (E501) for lists of different lengths.
    """
    if len(gold) != len(predicted):
        raise MtnlpError(Errors.E501.format(gold=len(gold), predicted=len(predicted)))
    labels = sorted({label for label in (*gold, *predicted) if label is not None})
    return _metrics(_one_hot(gold, labels), _one_hot(predicted, labels), labels)


def multilabel_metrics(
    gold: NDArray[np.bool_],
    predicted: NDArray[np.bool_],
    labels: Sequence[str],
    mask: Optional[NDArray[np.bool_]] = None,
) -> Dict[str, Any]:
    """Metrics of a task in which a document has any number of labels.

    gold, predicted: indicators, `[documents, labels]`.
    mask: which cells are annotated, `[documents, labels]`; the others count for nothing.
    Returns: the shape above; `accuracy` is the exact-match ratio.
    Raises: MtnlpError (E501) for arrays of different shapes.
    """
    gold, predicted = np.asarray(gold, dtype=bool), np.asarray(predicted, dtype=bool)
    if gold.shape != predicted.shape:
        raise MtnlpError(Errors.E501.format(gold=gold.shape, predicted=predicted.shape))
    if mask is not None:
        # A cell that is negative on both sides is a true negative, which no F1 counts.
        gold, predicted = gold & mask, predicted & mask
    return _metrics(gold, predicted, labels)


def label_counts(
    gold: NDArray[np.bool_], predicted: NDArray[np.bool_], labels: Sequence[str]
) -> Dict[str, Counts]:
    """Counts of each label that is gold or predicted somewhere.

    gold, predicted: indicators, `[units, labels]`.
    """
    true_positives = (gold & predicted).sum(axis=0)
    wrong = predicted.sum(axis=0) - true_positives
    missed = gold.sum(axis=0) - true_positives
    counts = zip(labels, true_positives.tolist(), wrong.tolist(), missed.tolist(), strict=True)
    return {label: Counts(tp, fp, fn) for label, tp, fp, fn in counts if tp or fp or fn}


def _one_hot(values: Sequence[Optional[str]], labels: Sequence[str]) -> NDArray[np.bool_]:
    """`[documents, labels]`; a row without any where the value is None."""
    places = {label: place for place, label in enumerate(labels)}
    columns = np.array([-1 if value is None else places[value] for value in values], dtype=int)
    return columns[:, None] == np.arange(len(labels))


def _metrics(
    gold: NDArray[np.bool_], predicted: NDArray[np.bool_], labels: Sequence[str]
) -> Dict[str, Any]:
    counts = label_counts(gold, predicted, labels)
    right = (gold == predicted).all(axis=1)
    return {
        "n": len(gold),
        "accuracy": float(right.mean()) if len(gold) else 0.0,
        **averages(counts),
        "per_label": with_support(counts),
    }

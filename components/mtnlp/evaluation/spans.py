"""Entity metrics over sets of spans, for layers that overlap, which no tags can express."""

from typing import AbstractSet, Any, Dict, Mapping, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

from ..scorers.counts import Counts, averages, count_per_label, with_support

SpanKey = Tuple[int, int, str]


def span_metrics(
    gold: Sequence[AbstractSet[SpanKey]], predicted: Sequence[AbstractSet[SpanKey]]
) -> Dict[str, Any]:
    """Exact-match metrics of spans, one set of (start, end, label) per document.

    Returns: {"entities": gold ones, "micro": {"p", "r", "f"}, "macro": {...},
        "per_type": {type: {"p", "r", "f", "support"}}}. Macro averages are means over the types
        that occur.
    """
    return type_metrics(count_types(gold, predicted))


def count_types(
    gold: Sequence[AbstractSet[SpanKey]], predicted: Sequence[AbstractSet[SpanKey]]
) -> Dict[str, Counts]:
    """What `type_metrics` takes, of one set of (start, end, label) per document."""
    return count_per_label(zip(gold, predicted, strict=True), label=lambda key: key[2])


def type_metrics(per_type: Mapping[str, Counts]) -> Dict[str, Any]:
    """What `span_metrics` returns, from the counts of each type."""
    return {
        "entities": sum(counts.support for counts in per_type.values()),
        **averages(per_type),
        "per_type": with_support(per_type),
    }


def document_counts(
    gold: Sequence[AbstractSet[Any]], predicted: Sequence[AbstractSet[Any]]
) -> NDArray[np.int64]:
    """True positives, false positives and false negatives of each document, `[documents, 3]`."""
    rows = [
        (len(right & given), len(given - right), len(right - given))
        for right, given in zip(gold, predicted, strict=True)
    ]
    return np.array(rows, dtype=np.int64).reshape(len(rows), 3)

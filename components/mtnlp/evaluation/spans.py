"""Entity metrics over sets of spans, for layers that overlap, which no tags can express."""

from typing import AbstractSet, Any, Dict, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

from ..scorers.counts import Counts, mean, total

SpanKey = Tuple[int, int, str]


def span_metrics(
    gold: Sequence[AbstractSet[SpanKey]], predicted: Sequence[AbstractSet[SpanKey]]
) -> Dict[str, Any]:
    """Exact-match metrics of spans, one set of (start, end, label) a document.

    RETURNS: {"entities", "micro", "macro", "per_type"}, as `tagging.tagging_metrics` does; on
        flat layers the numbers are the same.
    """
    per_type: Dict[str, Counts] = {}
    for right, given in zip(gold, predicted, strict=True):
        for label in {key[2] for key in right | given}:
            per_type.setdefault(label, Counts()).add(
                {key for key in right if key[2] == label},
                {key for key in given if key[2] == label},
            )
    values = per_type.values()
    return {
        "entities": sum(len(spans) for spans in gold),
        "micro": total(values).to_dict(),
        "macro": {
            "p": mean(counts.precision for counts in values),
            "r": mean(counts.recall for counts in values),
            "f": mean(counts.fscore for counts in values),
        },
        "per_type": {
            label: {**per_type[label].to_dict(), "support": per_type[label].tp + per_type[label].fn}
            for label in sorted(per_type)
        },
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

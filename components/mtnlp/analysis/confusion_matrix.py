"""Which entity types are taken for which others."""

from collections import Counter
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from ..evaluation.alignment import RIGHT
from .document import EntityDocument

Pair = Tuple[Optional[str], Optional[str]]


class ConfusionMatrix:
    """Counts the matches of entities by their labels.

    A gold entity counts with the label of the prediction that stands for it (see
    `align_entities`), whether or not its words are exactly right.
    """

    def __init__(self) -> None:
        # Gold and predicted label; None for what is spurious, or missed.
        self.pairs: Counter[Pair] = Counter()
        self._exact: Counter[str] = Counter()

    def add(self, document: EntityDocument) -> None:
        """Take up a document."""
        for match in document.matches:
            gold = match.gold[2] if match.gold else None
            predicted = match.predicted[2] if match.predicted else None
            self.pairs[gold, predicted] += 1
            if match.kind == RIGHT and gold is not None:
                self._exact[gold] += 1

    def confused(self) -> List[Tuple[str, str, int]]:
        """Gold and predicted label and how often one was taken for the other, the most frequent
        pair first."""
        found = [
            (gold, predicted, count)
            for (gold, predicted), count in self.pairs.items()
            if gold is not None and predicted is not None and gold != predicted
        ]
        return sorted(found, key=lambda item: (-item[2], item[:2]))

    def result(self, labels: Sequence[str]) -> Dict[str, Any]:
        """The matrix.

        labels: all that are gold or predicted, in the order of rows and columns.
        Returns: {"labels", "counts": `[labels + 1, labels + 1]`: rows are gold labels and at last
            "spurious", columns predicted labels and at last "missed", "exact": of each label how
            many on the diagonal have exactly the right words}.
        """
        places = {label: place for place, label in enumerate([*labels, None])}
        counts = np.zeros((len(places), len(places)), dtype=np.int64)
        for (gold, predicted), count in self.pairs.items():
            counts[places[gold], places[predicted]] = count
        exact = [self._exact[label] for label in labels]
        return {"labels": list(labels), "counts": counts.tolist(), "exact": exact}

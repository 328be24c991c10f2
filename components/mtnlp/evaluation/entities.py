"""Evaluation of one entity layer, collected document by document."""

from collections import Counter
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

import numpy as np
from spacy.training import Example

from ..annotation.layers import entity_layer
from ..gold.entities import flatten
from ..scorers.counts import Counts, add_counts, total
from ..scorers.entities import SpanKey, gold_entities, predicted_entities
from .intervals import bootstrap_interval, ratios
from .spans import count_types, type_metrics
from .tagging import bio_tags, is_flat, pair_tags, tag_metrics


class EntityEvaluation:
    """Adds up the entities of one layer document by document; keeps three numbers of each.

    spans_key: None for `doc.ents`, else the key of `doc.spans`.
    """

    def __init__(self, spans_key: Optional[str]) -> None:
        self.spans_key = spans_key
        self._layer = entity_layer(spans_key)
        self._counts = _Against()
        self._flattened = _Against()
        # Whether any document has gold entities that `flatten` leaves out, and whether tags can
        # express the gold and the predictions of each.
        self._is_nested, self._is_flat = False, True
        self._tags: Counter[Tuple[str, str]] = Counter()
        # Tokens with the right tag, and annotated ones.
        self._right: List[Tuple[int, int]] = []

    def add(self, examples: List[Example]) -> None:
        """Take up the annotated documents of one chunk; the others count for nothing."""
        for example in examples:
            if not self._layer.is_annotated(example.reference):
                continue
            gold = gold_entities(example, self.spans_key)
            flattened = flattened_entities(example, self.spans_key)
            predicted = predicted_entities(example, self.spans_key)
            self._counts.add(gold, predicted)
            self._flattened.add(flattened, predicted)
            self._is_nested |= flattened != gold
            length = len(example.reference)
            self._is_flat = self._is_flat and is_flat(length, gold) and is_flat(length, predicted)
            if self._is_flat:
                missing = np.flatnonzero(self._layer.missing(example.reference)).tolist()
                self._add_tags(bio_tags(length, gold, missing), bio_tags(length, predicted))

    def _add_tags(self, gold: Sequence[Optional[str]], predicted: Sequence[Optional[str]]) -> None:
        pairs = pair_tags(gold, [str(tag) for tag in predicted])
        self._tags.update(pairs)
        self._right.append((sum(right == given for right, given in pairs), len(pairs)))

    def result(self, samples: int, seed: int) -> Dict[str, Any]:
        """Metrics of the layer, with intervals from `samples` bootstrap resamples.

        Returns: {"kind": "entities", "spans_key", "documents", "entities", "micro", "f_interval",
            "macro", "per_type"} and, where no entities overlap, {"tokens", "token_accuracy",
            "token_accuracy_interval", "per_tag"}; where gold entities overlap, {"flattened_gold":
            {"entities", "micro", "f_interval", "macro", "per_type"}}: the same predictions against
            the gold entities that `gold.entities.flatten` keeps. Of those a flat tagger can find
            all; nested predictions within them count as wrong.
        """
        result: Dict[str, Any] = {
            "kind": "entities",
            "spans_key": self.spans_key,
            "documents": len(self._counts.rows),
            **self._counts.metrics(samples, seed),
        }
        if self._is_flat:
            right = np.array(self._right, dtype=np.int64).reshape(-1, 2)
            interval = bootstrap_interval(right, ratios, samples=samples, seed=seed)
            result.update(tag_metrics(self._tags), token_accuracy_interval=list(interval))
        elif self._is_nested:
            result["flattened_gold"] = self._flattened.metrics(samples, seed)
        return result


class _Against:
    """Predictions against one kind of gold.

    rows: true positives, false positives and false negatives of each document.
    """

    def __init__(self) -> None:
        self.rows: List[Tuple[int, int, int]] = []
        self._per_type: Dict[str, Counts] = {}

    def add(self, gold: Set[SpanKey], predicted: Set[SpanKey]) -> None:
        """Take up a document."""
        per_type = count_types([gold], [predicted])
        add_counts(self._per_type, per_type)
        whole = total(per_type.values())
        self.rows.append((whole.tp, whole.fp, whole.fn))

    def metrics(self, samples: int, seed: int) -> Dict[str, Any]:
        """What `span_metrics` returns, and "f_interval"."""
        rows = np.array(self.rows, dtype=np.int64).reshape(-1, 3)
        interval = bootstrap_interval(rows, samples=samples, seed=seed)
        metrics = type_metrics(dict(sorted(self._per_type.items())))
        return {"f_interval": list(interval), **metrics}


def flattened_entities(example: Example, spans_key: Optional[str]) -> Set[SpanKey]:
    """The reference's entities that `gold.entities.flatten` keeps, as `gold_entities` has them."""
    kept = flatten(entity_layer(spans_key).spans(example.reference))
    return {(span.start, span.end, span.label_) for span in kept}

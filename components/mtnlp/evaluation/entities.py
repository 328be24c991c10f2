"""Evaluation of one entity layer, collected document by document."""

from typing import Any, Dict, List, Optional, Set

import numpy as np
from spacy.training import Example

from ..annotation.layers import entity_layer
from ..gold.entities import flatten
from ..scorers.entities import SpanKey, gold_entities, predicted_entities
from .intervals import bootstrap_interval, ratios
from .spans import document_counts, span_metrics
from .tagging import bio_tags, is_flat, tagging_metrics


class EntityEvaluation:
    """Collects the entities of one layer; keeps offsets and labels, no document.

    spans_key: None for `doc.ents`, else the key of `doc.spans`.
    """

    def __init__(self, spans_key: Optional[str]) -> None:
        self.spans_key = spans_key
        self._layer = entity_layer(spans_key)
        self._gold: List[Set[SpanKey]] = []
        self._flattened: List[Set[SpanKey]] = []
        self._predicted: List[Set[SpanKey]] = []
        self._lengths: List[int] = []
        self._missing: List[List[int]] = []

    def add(self, examples: List[Example]) -> None:
        """Take up the annotated documents of one chunk; the others count for nothing."""
        for example in examples:
            reference = example.reference
            if not self._layer.is_annotated(reference):
                continue
            self._gold.append(gold_entities(example, self.spans_key))
            self._flattened.append(flattened_entities(example, self.spans_key))
            self._predicted.append(predicted_entities(example, self.spans_key))
            self._lengths.append(len(reference))
            self._missing.append(np.flatnonzero(self._layer.missing(reference)).tolist())

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
            "documents": len(self._gold),
            "f_interval": _f_interval(self._gold, self._predicted, samples, seed),
        }
        layers = zip(self._lengths, self._gold, self._predicted, strict=True)
        if all(is_flat(length, gold) and is_flat(length, other) for length, gold, other in layers):
            return {**result, **self._tagging_metrics(samples, seed)}
        result.update(span_metrics(self._gold, self._predicted))
        if self._flattened != self._gold:
            result["flattened_gold"] = {
                "f_interval": _f_interval(self._flattened, self._predicted, samples, seed),
                **span_metrics(self._flattened, self._predicted),
            }
        return result

    def _tagging_metrics(self, samples: int, seed: int) -> Dict[str, Any]:
        gold, predicted = [], []
        right = np.zeros((len(self._gold), 2), dtype=np.int64)
        for i, (length, missing) in enumerate(zip(self._lengths, self._missing, strict=True)):
            gold.append(bio_tags(length, self._gold[i], missing))
            predicted.append([str(tag) for tag in bio_tags(length, self._predicted[i])])
            same = sum(a == b for a, b in zip(gold[i], predicted[i], strict=True))
            right[i] = same, length - len(missing)
        interval = bootstrap_interval(right, ratios, samples=samples, seed=seed)
        return {**tagging_metrics(gold, predicted), "token_accuracy_interval": list(interval)}


def flattened_entities(example: Example, spans_key: Optional[str]) -> Set[SpanKey]:
    """The reference's entities that `gold.entities.flatten` keeps, as `gold_entities` has them."""
    kept = flatten(entity_layer(spans_key).spans(example.reference))
    return {(span.start, span.end, span.label_) for span in kept}


def _f_interval(
    gold: List[Set[SpanKey]], predicted: List[Set[SpanKey]], samples: int, seed: int
) -> List[float]:
    counts = document_counts(gold, predicted)
    return list(bootstrap_interval(counts, samples=samples, seed=seed))

"""All numbers about the entities of one component."""

from array import array
from collections import Counter
from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy as np
from spacy.training import Example

from ..annotation.layers import EntityLayer
from ..calibration.metrics import Confidences, at_threshold, reliability
from ..evaluation.dictionary import Dictionary
from ..evaluation.entities import EntityEvaluation
from ..evaluation.intervals import fscores
from .boundaries import Boundaries
from .breakdowns import Breakdowns
from .confusion_matrix import ConfusionMatrix
from .document import EntityDocument, make_document
from .error_examples import ErrorExamples
from .options import Settings

# The least confidences that precision and coverage are given for.
MINIMA = (*(i / 20 for i in range(20)), 0.97, 0.99)


class EntityReport:
    """Adds up the entities of a component over chunks of documents.

    name: of the component. layer: where its entities are. dictionary: the surface forms of train,
    None without train. support: how often each label is in train.
    """

    def __init__(
        self,
        name: str,
        layer: EntityLayer,
        settings: Settings,
        dictionary: Optional[Dictionary] = None,
        support: Optional[Mapping[str, int]] = None,
    ) -> None:
        self._key = layer.spans_key
        self._group = name if self._key is None else self._key
        self._layer, self._settings = layer, settings
        self._dictionary, self._support = dictionary, support
        self._evaluation = EntityEvaluation(self._key)
        self._matrix = ConfusionMatrix()
        self._boundaries = Boundaries()
        self._breakdowns = Breakdowns(dictionary)
        self._examples = ErrorExamples(settings.pair_examples, settings.examples)
        self._confidence = array("d")
        self._correct = bytearray()
        # By label, the sum of the confidences and how many there are.
        self._sums: Dict[str, List[float]] = {}
        # Right, wrong and missed entities of the surface forms of train.
        self._baseline = np.zeros(3)

    def add(self, examples: Sequence[Example]) -> None:
        """Take up the annotated documents of a chunk; the others count for nothing."""
        self._evaluation.add(list(examples))
        for example in examples:
            if self._layer.is_annotated(example.reference):
                self._add(make_document(example, self._key, self._group))

    def _add(self, document: EntityDocument) -> None:
        for part in (self._matrix, self._boundaries, self._breakdowns, self._examples):
            part.add(document)
        for entity, score in document.scores.items():
            self._confidence.append(score)
            self._correct.append(entity in document.gold)
            sums = self._sums.setdefault(entity[2], [0.0, 0])
            sums[0] += score
            sums[1] += 1
        if self._dictionary is not None:
            found = self._known(document, self._dictionary)
            right = len(found & document.gold)
            self._baseline += right, len(found) - right, len(document.gold) - right

    def _known(self, document: EntityDocument, dictionary: Dictionary) -> Any:
        """What the dictionary finds, without what touches a token that is not annotated."""
        missing = self._layer.missing(document.reference)
        found = dictionary.find(document.words)
        return {entity for entity in found if not missing[entity[0] : entity[1]].any()}

    @property
    def baseline(self) -> Optional[float]:
        """Micro F1 of the surface forms of train; None without train."""
        return None if self._dictionary is None else float(fscores(self._baseline[None])[0])

    def result(self) -> Optional[Dict[str, Any]]:
        """The numbers, None where no document is annotated.

        Returns: {"spans_key", "documents", "entities": gold ones, "predicted", "interval": of micro
            F1, "types", "per_type", "per_tag", "micro", "macro", "token_accuracy", "confusion",
            "boundaries", "boundaries_by_type", "breakdowns", "confused_pairs", "reliability",
            "coverage", "error_examples"}; see the classes for what the parts hold. Without
            confidences "reliability" is None and "coverage" is empty; where entities overlap
            "token_accuracy" is None and "per_tag" is empty.
        """
        metrics = self._evaluation.result(self._settings.samples, self._settings.seed)
        if not metrics["documents"]:
            return None
        types = self._types(metrics)
        return {
            "spans_key": self._key,
            "documents": metrics["documents"],
            "entities": metrics["entities"],
            "predicted": sum(self._predicted.values()),
            "interval": metrics["f_interval"],
            "types": types,
            "per_type": [self._type_row(label, metrics["per_type"][label]) for label in types],
            "per_tag": [
                {"tag": tag, **long_names(row)} for tag, row in metrics.get("per_tag", {}).items()
            ],
            "micro": metrics["micro"],
            "macro": metrics["macro"],
            "token_accuracy": metrics.get("token_accuracy"),
            "confusion": self._matrix.result(types),
            "boundaries": self._boundaries.by_length(),
            "boundaries_by_type": self._boundaries.by_type(types),
            "breakdowns": self._breakdowns.result(),
            "confused_pairs": self._confused_pairs(metrics["per_type"]),
            **self._trust(metrics["entities"]),
            "error_examples": self._examples.result(),
        }

    @property
    def _predicted(self) -> Counter[str]:
        """How often each label is predicted."""
        found: Counter[str] = Counter()
        for (_, label), count in self._matrix.pairs.items():
            if label is not None:
                found[label] += count
        return found

    def _types(self, metrics: Mapping[str, Any]) -> List[str]:
        """All labels that are gold or predicted, the most frequent gold ones first."""
        rows = metrics["per_type"]
        return sorted(rows, key=lambda label: (-rows[label]["support"], label))

    def _type_row(self, label: str, row: Mapping[str, float]) -> Dict[str, Any]:
        return {
            "label": label,
            **long_names(row),
            "predicted": self._predicted[label],
            "train": None if self._support is None else self._support.get(label, 0),
            "confidence": self._mean_confidence(label),
        }

    def _mean_confidence(self, label: str) -> Optional[float]:
        """Of the predictions of a label; None without any."""
        total, count = self._sums.get(label, (0.0, 0))
        return total / count if count else None

    def _confused_pairs(self, per_type: Mapping[str, Any]) -> List[Dict[str, Any]]:
        return [
            {
                "gold": gold,
                "predicted": predicted,
                "count": count,
                "share": count / per_type[gold]["support"],
                "examples": self._examples.pairs.of((gold, predicted)),
            }
            for gold, predicted, count in self._matrix.confused()[: self._settings.pairs]
        ]

    def _trust(self, gold: int) -> Dict[str, Any]:
        """How far the confidences can be trusted, and what a least one is worth."""
        if not self._confidence:
            return {"reliability": None, "coverage": []}
        confidence = np.array(self._confidence)
        correct = np.frombuffer(self._correct, dtype=bool)
        found = Confidences(confidence, correct, gold)
        return {
            "reliability": reliability(confidence, correct),
            "coverage": [_coverage(found, minimum) for minimum in MINIMA],
        }


def _coverage(found: Confidences, minimum: float) -> Dict[str, float]:
    row = at_threshold(found, minimum)
    return {
        "minimum": minimum,
        "precision": row["p"],
        "recall": row["r"],
        "coverage": row["coverage"],
        "entities": int((found.confidence >= minimum).sum()),
    }


def long_names(row: Mapping[str, float]) -> Dict[str, Any]:
    """A row of `with_support` with its measures written out."""
    return {
        "precision": row["p"],
        "recall": row["r"],
        "f": row["f"],
        "support": row["support"],
    }

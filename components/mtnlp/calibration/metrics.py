"""How far confidences can be trusted: what they say beside how often they are right."""

from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Optional, Sequence, Set

import numpy as np
from numpy.typing import NDArray
from spacy.training import Example

from ..annotation.layers import entity_layer
from ..scorers.counts import Counts
from ..scorers.entities import SpanKey, gold_entities, reference_span

BINS = 15
DIAGRAM_BINS = 10
MINIMA = (0.0, 0.5, 0.8, 0.95)
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Confidences:
    """Predicted entities.

    confidence: `[n]`, in 0 to 1. correct: bool `[n]`. gold: how many there are in truth.
    """

    confidence: Floats
    correct: NDArray[np.bool_]
    gold: int


def gather_confidences(
    examples: Iterable[Example], spans_key: Optional[str], group: str
) -> Confidences:
    """The entities that a pipe has written on the predicted Docs of Examples.

    One is correct where the gold has an entity with its start, end and label. Documents that are
    not annotated count for nothing, nor do, in `doc.ents`, entities over tokens that are not.

    spans_key: where the gold is: None for `doc.ents`. group: the name of the SpanGroup that holds
        entities and scores: the spans key, or the pipe's name where it writes `doc.ents`.
    """
    layer = entity_layer(spans_key)
    confidence: List[float] = []
    correct: List[bool] = []
    total = 0
    for example in examples:
        if not layer.is_annotated(example.reference):
            continue
        gold: Set[SpanKey] = gold_entities(example, spans_key)
        total += len(gold)
        found = scored_entities(example, spans_key, group)
        confidence.extend(found.values())
        correct.extend(key in gold for key in found)
    return Confidences(np.array(confidence, dtype=float), np.array(correct, dtype=bool), total)


def scored_entities(example: Example, spans_key: Optional[str], group: str) -> Dict[SpanKey, float]:
    """The confidence of each entity on the predicted Doc of an Example, in reference tokens.

    spans_key, group: as in `gather_confidences`. Returns: nothing where the group has no scores.
    """
    # Where tokens differ, two entities may fall together, as they do in the scorer.
    found: Dict[SpanKey, float] = {}
    spans = example.predicted.spans.get(group, ())
    scores = spans.attrs.get("scores") if spans else None
    if scores is None:
        return found
    for span, score in zip(spans, scores, strict=True):
        key = reference_span(example, span, spans_key)
        if key is not None:
            found[key] = max(float(score), found.get(key, 0.0))
    return found


def join(parts: Sequence[Confidences]) -> Confidences:
    """Those of several chunks of documents in one."""
    return Confidences(
        np.concatenate([np.zeros(0), *(part.confidence for part in parts)]),
        np.concatenate([np.zeros(0, dtype=bool), *(part.correct for part in parts)]),
        sum(part.gold for part in parts),
    )


def calibration_metrics(
    found: Confidences, bins: int = BINS, minima: Sequence[float] = MINIMA
) -> Dict[str, Any]:
    """All figures of this file, as plain numbers.

    Returns: {"predicted", "gold", "mean_confidence", "ece", "brier", "aurc", "at": [a dict of
        `at_threshold` for each of the minima]}.
    """
    both = found.confidence, found.correct
    return {
        "predicted": len(found.confidence),
        "gold": found.gold,
        "mean_confidence": _mean(found.confidence),
        "ece": expected_calibration_error(*both, bins),
        "brier": brier_score(*both),
        "aurc": risk_coverage_area(*both),
        "at": [at_threshold(found, minimum) for minimum in minima],
    }


def expected_calibration_error(
    confidence: Floats, correct: NDArray[np.bool_], bins: int = BINS
) -> float:
    """The mean distance of confidence and accuracy over bins that hold equally many predictions
    (Nixon et al. 2019, adaptive bins; the weights are the bins' sizes, which differ by at most 1).

    confidence, correct: `[n]`. Lower is better; 0.0 where nothing is predicted. Predictions of the
    same confidence share their accuracy, so that their order does not matter.
    """
    accuracy = shared_accuracy(confidence, correct)
    order = confidence.argsort()
    parts = np.array_split(order, max(1, min(bins, len(order))))
    gaps = [abs(float((confidence[part] - accuracy[part]).sum())) for part in parts]
    return sum(gaps) / max(1, len(order))


def reliability(
    confidence: Floats, correct: NDArray[np.bool_], bins: int = DIAGRAM_BINS
) -> Dict[str, Any]:
    """What a reliability diagram shows (DeGroot and Fienberg 1983): accuracy by confidence.

    confidence, correct: `[n]`. bins: equally wide ones, each with its lower edge; the last one has
        the upper one, too.
    Returns: {"bins": [{"low", "high", "confidence": the mean, "accuracy", "count"}] of those that
        hold anything, "ece": see `expected_calibration_error`, whose bins are others,
        "mean_confidence", "accuracy", "predicted"}.
    """
    place = np.clip((confidence * bins).astype(int), 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    filled = np.flatnonzero(count)
    confidences = np.bincount(place, weights=confidence, minlength=bins)[filled] / count[filled]
    accuracies = np.bincount(place, weights=correct, minlength=bins)[filled] / count[filled]
    rows = zip(filled.tolist(), confidences.tolist(), accuracies.tolist(), strict=True)
    return {
        "bins": [
            {
                "low": number / bins,
                "high": (number + 1) / bins,
                "confidence": mean_confidence,
                "accuracy": accuracy,
                "count": int(count[number]),
            }
            for number, mean_confidence, accuracy in rows
        ],
        "ece": expected_calibration_error(confidence, correct),
        "mean_confidence": _mean(confidence),
        "accuracy": _mean(correct),
        "predicted": len(confidence),
    }


def brier_score(confidence: Floats, correct: NDArray[np.bool_]) -> float:
    """The mean squared distance of confidence and truth (Brier 1950), 0.0 of nothing."""
    return _mean((confidence - correct) ** 2)


def risk_coverage_area(confidence: Floats, correct: NDArray[np.bool_]) -> float:
    """The area under the risk-coverage curve: the share of errors among the i most confident
    predictions, averaged over i = 1 to n (El-Yaniv and Wiener 2010; Geifman and El-Yaniv 2017).

    confidence, correct: `[n]`. Lower is better; it asks for the order of the confidences alone.
    Predictions of the same confidence share their risk. 0.0 where nothing is predicted.
    """
    error = 1.0 - shared_accuracy(confidence, correct)
    kept = np.arange(1, len(error) + 1)
    return _mean(error[(-confidence).argsort(kind="stable")].cumsum() / kept)


def at_threshold(found: Confidences, minimum: float) -> Dict[str, float]:
    """Scores of the predictions that are at least so confident.

    Returns: {"threshold", "p", "r", "f", "coverage": the share of the predictions kept};
        0.0 where there is nothing to divide by.
    """
    kept = found.confidence >= minimum
    right = int(found.correct[kept].sum())
    counts = Counts(tp=right, fp=int(kept.sum()) - right, fn=found.gold - right)
    return {"threshold": minimum, **counts.to_dict(), "coverage": _mean(kept)}


def shared_accuracy(confidence: Floats, correct: NDArray[np.bool_]) -> Floats:
    """`[n]`: of each prediction, the share of correct ones among those of its confidence."""
    _, group, size = np.unique(confidence, return_inverse=True, return_counts=True)
    return (np.bincount(group, weights=correct, minlength=len(size)) / size)[group]


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else 0.0

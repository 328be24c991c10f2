"""The threshold of `span_ner` under which its entities reach the best micro F1 on given documents.

Scores are collected once. At each threshold of a grid the pipe's own decoder then chooses among the
spans that reach it, and its choice is counted as the scorer counts it.

A single entity more or less moves the peak of F1 over the threshold, so the curve is smoothed (see
`thresholds.smooth`). Where it is flat, any threshold is as good here, but not elsewhere: with
honest probabilities the best one is half of the best F1 (Lipton et al. 2014), so the nearest to
that is taken.

The threshold of `crf_ner` is not fitted. Its entities are those of the best tag sequence, a
decision already; a threshold there says which of them to do without.
"""

from dataclasses import asdict, dataclass
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.tokens import Span
from spacy.training import Example

from ..annotation.white_space import trim_tokens
from ..scorers.counts import Counts
from ..scorers.entities import SpanKey, gold_entities, reference_span
from .collected_scores import EntityScores
from .options import FitOptions
from .thresholds import ROUNDING, smooth, threshold_grid

# F1 that is this near to the best is as good.
FLAT = 0.001
NOWHERE = -1


@dataclass(frozen=True)
class ThresholdFit:
    """A fitted threshold of entities.

    documents: the annotated ones it was fitted on.
    before, after: `threshold_scores` of what the pipe had, and of what it has now.
    """

    documents: int
    before: Dict[str, float]
    after: Dict[str, float]


@dataclass(frozen=True)
class Candidates:
    """The spans that a decoder may choose from.

    spans: int64 `[n, 4]`: document, start, end, label index, in this order. probabilities: `[n]`.
    entity: int64 `[n]`, which entity of the scorer each is; several may be one, as those that
        differ in white space, and NOWHERE is none. right: bool `[entities]`. gold: how many
        entities there are in truth.
    """

    spans: torch.Tensor
    probabilities: torch.Tensor
    entity: NDArray[np.int64]
    right: NDArray[np.bool_]
    gold: int

    def count(self, decoder: Any, threshold: float) -> Counts:
        """What the scorer counts of the entities that the decoder leaves at a threshold."""
        reached = self.probabilities >= threshold
        kept = decoder(self.spans[reached], self.probabilities[reached])
        found = np.unique(self.entity[reached.numpy()][kept.numpy()])
        found = found[found != NOWHERE]
        tp = int(self.right[found].sum())
        return Counts(tp=tp, fp=len(found) - tp, fn=self.gold - tp)


def fit_entity_threshold(
    scores: EntityScores, options: FitOptions, temperature_before: float
) -> ThresholdFit:
    """Fit the threshold of a `span_ner` and write it to the pipe's `cfg["threshold"]`.

    Where fewer entities are gold than `options.min_positives`, the pipe keeps its own.

    temperature_before: the pipe's before it was fitted, for the scores to compare with.
    """
    cfg = scores.pipe.cfg
    before = threshold_scores(scores, temperature_before, cfg["threshold"])
    candidates = find_candidates(scores, cfg["temperature"], float(threshold_grid()[1][0]))
    if candidates.gold >= max(1, options.min_positives):
        curve = fscore_curve(candidates, scores.pipe.decoder)
        cfg["threshold"] = best_threshold(curve, options.smoothing)
    after = threshold_scores(scores, cfg["temperature"], cfg["threshold"])
    return ThresholdFit(scores.documents, before, after)


def threshold_figures(scores: EntityScores, fit: ThresholdFit) -> Dict[str, Any]:
    """What a fit is worth on other documents. Returns: the numbers of a `ThresholdFit`."""
    ways = [
        threshold_scores(scores, way["temperature"], way["threshold"])
        for way in (fit.before, fit.after)
    ]
    return asdict(ThresholdFit(scores.documents, *ways))


def threshold_scores(
    scores: EntityScores, temperature: float, threshold: float
) -> Dict[str, float]:
    """What a pipe scores with some settings.

    Returns: {"temperature", "threshold", "p", "r", "f", "support": gold entities}.
    """
    candidates = find_candidates(scores, temperature, threshold)
    counts = candidates.count(scores.pipe.decoder, threshold)
    settings = {"temperature": temperature, "threshold": threshold}
    return {**settings, **counts.to_dict(), "support": counts.support}


def fscore_curve(candidates: Candidates, decoder: Any) -> NDArray[np.float64]:
    """`[grid]`: micro F1 at each threshold of `threshold_grid`."""
    grid = threshold_grid()[1]
    return np.array([candidates.count(decoder, float(value)).fscore for value in grid])


def best_threshold(curve: NDArray[np.float64], smoothing: float) -> float:
    """The threshold of the best F1; of those that are as good, the one nearest to half of it.

    curve: `[grid]`, F1 at each threshold of `threshold_grid`. smoothing: over how many log-odds the
        curve is smoothed; with 0.0 only those as good as the highest are as good.
    """
    odds, grid = threshold_grid()
    smoothed = smooth(curve, odds, smoothing) if smoothing else curve
    best = float(smoothed.max())
    good = smoothed >= best - (FLAT if smoothing else ROUNDING)
    return float(grid[np.where(good, np.abs(grid - best / 2), np.inf).argmin()])


def find_candidates(scores: EntityScores, temperature: float, lowest: float) -> Candidates:
    """All spans of the collected documents that reach the lowest threshold."""
    pipe = scores.pipe
    spans: List[torch.Tensor] = [torch.zeros(0, 4, dtype=torch.long)]
    probabilities: List[torch.Tensor] = [torch.zeros(0)]
    index: Dict[Tuple[int, SpanKey], int] = {}
    entity: List[int] = []
    right: List[bool] = []
    gold = first = 0
    device = next(pipe.module.parameters()).device
    for batch, examples in zip(scores.batches, scores.examples, strict=True):
        lengths = torch.tensor([len(example.predicted) for example in examples])
        mask = torch.arange(batch.logits.shape[1]) < lengths.unsqueeze(1)
        settings = "all", lowest, temperature
        found, best = pipe.module.decode(batch.logits.to(device), mask.to(device), *settings)
        answers = [gold_entities(example, pipe.cfg["spans_key"]) for example in examples]
        for row, *place in found.tolist():
            key = scored_entity(examples[row], pipe, *place)
            number = NOWHERE if key is None else index.setdefault((first + row, key), len(right))
            if number == len(right):
                right.append(key in answers[row])
            entity.append(number)
        found[:, 0] += first
        first += len(examples)
        gold += sum(map(len, answers))
        spans.append(found)
        probabilities.append(best)
    return Candidates(
        torch.cat(spans),
        torch.cat(probabilities),
        np.array(entity, dtype=np.int64),
        np.array(right, dtype=bool),
        gold,
    )


def scored_entity(
    example: Example, pipe: Any, start: int, end: int, label: int
) -> Optional[SpanKey]:
    """A span of the predicted Doc as the scorer sees what the pipe writes of it; None where it is
    white space or does not count."""
    doc = example.predicted
    start, end = trim_tokens(doc, start, end)
    if start == end:
        return None
    span = Span(doc, start, end, label=pipe.labels[label])
    return reference_span(example, span, pipe.cfg["spans_key"])

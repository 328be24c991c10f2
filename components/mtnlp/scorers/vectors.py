"""How well the similarity of span vectors follows a gold similarity."""

from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc, Span
from spacy.training import Example
from thinc.api import get_current_ops

from ..annotation.pairs import PAIR_KEY, similarity_of


def make_vector_scorer_v1() -> Callable[..., Dict[str, float]]:
    """Registered as `mtnlp.VectorScorer.v1`."""
    return score_vectors


def score_vectors(examples: Iterable[Example], **kwargs: Any) -> Dict[str, float]:
    """Rank and linear correlation of predicted cosines with gold similarities.

    A pair is one reference document that holds both sentences: `doc.spans["pair"]` has the two
    spans, `doc.cats["similarity"]` their similarity from 0 to 1. Documents without one of the
    two count for nothing. `annotation.pairs` says how such documents are made.

    Returns: `vectors_spearman` and `vectors_pearson`, from -1 to 1; 0.0 where there are fewer
        than two pairs or either side is constant.
    """
    gold, predicted = gold_and_cosines(examples)
    x, y = np.asarray(gold), np.asarray(predicted)
    return {"vectors_spearman": spearman(x, y), "vectors_pearson": pearson(x, y)}


def gold_and_cosines(examples: Iterable[Example]) -> Tuple[List[float], List[float]]:
    """The gold similarities of all pairs among the examples, and the predicted cosines."""
    gold: List[float] = []
    predicted: List[float] = []
    for example in examples:
        reference = example.reference
        similarity = similarity_of(reference)
        if similarity is not None:
            first, second = (map_span(example.predicted, s) for s in reference.spans[PAIR_KEY])
            gold.append(similarity)
            predicted.append(_cosine(_vector(first), _vector(second)))
    return gold, predicted


def map_span(doc: Doc, span: Span) -> Optional[Span]:
    """The same characters in another tokenisation of the same text, None if there are none."""
    return doc.char_span(span.start_char, span.end_char, alignment_mode="expand")


def pearson(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Pearson's correlation of two `[pairs]` arrays, 0.0 where it is not defined."""
    # Constant input is found by its range: its deviations from the mean can be rounding noise.
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(np.clip((x @ y) / scale, -1.0, 1.0)) if scale > 0 else 0.0


def spearman(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Spearman's rank correlation of two `[pairs]` arrays, ties sharing their mean rank."""
    return pearson(rank(x), rank(y))


def rank(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1, `[values]`; equal values get the mean of the ranks they take up."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2.0)[inverse]


def _vector(span: Optional[Span]) -> NDArray[np.float64]:
    if span is None:
        return np.zeros(1)
    return get_current_ops().to_numpy(span.vector).astype(np.float64)


def _cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norms if norms > 0 else 0.0

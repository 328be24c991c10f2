"""Several readings of one text, each with its probability."""

from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from spacy.tokens import Doc

from ..annotation.white_space import trim_tokens
from ..types import Annotation
from .kept_entities import KeptEntities


class Reading(NamedTuple):
    """One reading of a whole Doc.

    probability: that exactly these entities are there, and no others.
    entities: (start, end, label) in tokens, by position.
    """

    probability: float
    entities: List[Annotation]


def make_readings(
    docs: Sequence[Doc],
    spans: np.ndarray,
    log_probabilities: np.ndarray,
    labels: Sequence[str],
    kept: Optional[Sequence[KeptEntities]] = None,
) -> List[List[Reading]]:
    """The readings of each Doc, the most probable first.

    As in `doc.ents`, entities have no white space at their ends; readings that differ in white
    space alone become one, with the sum of their probabilities.

    spans: int64 `[n, 4]`, document * k + rank, start, end, label index; ordered by the first two.
    log_probabilities: `[docs, k]`, -inf where a Doc has fewer readings.
    kept: entities that are part of every reading of a Doc, as they are; none by default.
    """
    k = log_probabilities.shape[1]
    readings: List[List[Annotation]] = [[] for _ in range(log_probabilities.size)]
    for reading, start, end, label in spans.tolist():
        start, end = trim_tokens(docs[reading // k], start, end)
        if start < end:
            readings[reading].append(Annotation(start, end, labels[label]))
    found: List[Dict[Tuple[Annotation, ...], float]] = [{} for _ in docs]
    for row, rank in zip(*(log_probabilities > -np.inf).nonzero(), strict=True):
        entities = readings[row * k + rank]
        if kept is not None:
            given = (Annotation(s.start, s.end, s.label_) for s in kept[row].spans)
            entities = sorted([*given, *entities])
        key = tuple(entities)
        probability = float(np.exp(log_probabilities[row, rank]))
        found[row][key] = min(1.0, found[row].get(key, 0.0) + probability)
    made = [
        [Reading(probability, list(key)) for key, probability in each.items()] for each in found
    ]
    return [sorted(each, key=lambda reading: -reading.probability) for each in made]

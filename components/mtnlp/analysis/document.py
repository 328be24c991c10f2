"""One annotated document, with all that the parts of an entity report look at."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Dict, List, Optional, Sequence, Set

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc
from spacy.training import Example

from ..calibration.metrics import scored_entities
from ..evaluation.alignment import Match, align_entities
from ..evaluation.dictionary import Surface
from ..scorers.entities import SpanKey, gold_entities, predicted_entities
from .windows import sentence_numbers, window


@dataclass
class EntityDocument:
    """Gold and predicted entities, in tokens of the reference.

    scores: the confidence of each predicted entity, where the pipe gives any.
    """

    reference: Doc
    gold: Set[SpanKey]
    predicted: Set[SpanKey]
    scores: Dict[SpanKey, float]

    @cached_property
    def matches(self) -> List[Match]:
        """Which prediction stands for which gold entity."""
        return align_entities(self.gold, self.predicted)

    @cached_property
    def words(self) -> List[str]:
        """The tokens."""
        return [token.text for token in self.reference]

    @cached_property
    def sentences(self) -> NDArray[np.int64]:
        """`[tokens]`: the number of each token's sentence."""
        return sentence_numbers(self.reference)

    @cached_property
    def sentence_lengths(self) -> NDArray[np.int64]:
        """`[tokens]`: how many tokens each token's sentence has."""
        return np.bincount(self.sentences)[self.sentences]

    def surface(self, entity: SpanKey) -> Surface:
        """The words of an entity; none of one that stands at no token."""
        return tuple(self.words[entity[0] : entity[1]]) if entity[0] >= 0 else ()

    def show(
        self,
        gold: Sequence[SpanKey],
        predicted: Sequence[SpanKey],
    ) -> Dict[str, Any]:
        """The text around entities, and the highest score among the predicted ones; see
        `window`."""
        return window(self.reference, gold, predicted, self.score(predicted), self.sentences)

    def score(self, predicted: Sequence[SpanKey]) -> Optional[float]:
        """The highest score among predicted entities, None where none has any."""
        return max((self.scores[item] for item in predicted if item in self.scores), default=None)


def make_document(example: Example, spans_key: Optional[str], group: str) -> EntityDocument:
    """The document of an Example. spans_key, group: where entities and their scores are, as in
    `gather_confidences`."""
    return EntityDocument(
        example.reference,
        gold_entities(example, spans_key),
        predicted_entities(example, spans_key),
        scored_entities(example, spans_key, group),
    )

"""On which entities a pipeline does well: those that train knows, short ones, inner ones."""

from collections import Counter
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from ..data.span_statistics import overlaps, sort_spans
from ..evaluation.dictionary import Dictionary
from ..scorers.counts import Counts
from ..scorers.entities import SpanKey
from .boundaries import LENGTHS, length_name
from .document import EntityDocument

# The least of each bucket, and its name.
Buckets = Sequence[Tuple[int, str]]
FREQUENCIES: Buckets = ((0, "0"), (1, "1"), (2, "2–4"), (5, "5–19"), (20, "20+"))
SENTENCES: Buckets = ((0, "1–10"), (11, "11–20"), (21, "21–40"), (41, "41+"))
DEPTHS: Buckets = ((1, "1"), (2, "2"), (3, "3+"))
SEEN, OTHER, UNSEEN = "seen with this label", "seen with other labels only", "unseen"

# A bucket's name for an entity of a document.
Place = Callable[[EntityDocument, SpanKey], str]


class Breakdowns:
    """Counts gold, predicted and right entities by properties that both sides have, and gold ones
    by depth.

    dictionary: of train; None where there is no train.
    """

    def __init__(self, dictionary: Optional[Dictionary]) -> None:
        self._places: Dict[str, Tuple[Place, List[str]]] = {
            "by_length": (_length, list(LENGTHS)),
            "by_sentence_length": (_sentence_length, [name for _, name in SENTENCES]),
        }
        if dictionary is not None:
            self._places["by_frequency"] = (
                lambda document, entity: bucket(
                    dictionary.frequency(document.surface(entity)), FREQUENCIES
                ),
                [name for _, name in FREQUENCIES],
            )
            self._places["by_seen"] = (
                lambda document, entity: _seen(dictionary, document, entity),
                [SEEN, OTHER, UNSEEN],
            )
        self._counts: Dict[str, Dict[str, Counts]] = {
            name: {bucket: Counts() for bucket in buckets}
            for name, (_, buckets) in self._places.items()
        }
        self._depths: Counter[str] = Counter()
        self._found_depths: Counter[str] = Counter()

    def add(self, document: EntityDocument) -> None:
        """Take up a document."""
        for name, (place, _) in self._places.items():
            counts = self._counts[name]
            for entity in document.gold | document.predicted:
                count = counts[place(document, entity)]
                if entity not in document.predicted:
                    count.fn += 1
                elif entity in document.gold:
                    count.tp += 1
                else:
                    count.fp += 1
        ordered = sort_spans(document.gold)
        for entity, (depth, *_) in zip(ordered, overlaps(ordered), strict=True):
            name = bucket(depth, DEPTHS)
            self._depths[name] += 1
            self._found_depths[name] += entity in document.predicted

    def result(self) -> Dict[str, List[Dict[str, Any]]]:
        """Returns: {"by_frequency", "by_length", "by_seen", "by_sentence_length", "by_depth":
        [{"bucket", "support", "predicted", "recall", "precision", "f"}]}. What needs train is empty
        without it; depths have no predictions, and are empty where no entity is in another."""
        found: Dict[str, List[Dict[str, Any]]] = {"by_frequency": [], "by_seen": []}
        for name, counts in self._counts.items():
            found[name] = [_row(bucket, count) for bucket, count in counts.items()]
        is_nested = len(self._depths) > 1
        found["by_depth"] = [
            {
                "bucket": name,
                "support": self._depths[name],
                "predicted": None,
                "recall": self._found_depths[name] / self._depths[name],
                "precision": None,
                "f": None,
            }
            for _, name in DEPTHS
            if is_nested and self._depths[name]
        ]
        return found


def bucket(number: int, buckets: Buckets) -> str:
    """The name of the last bucket that begins at or below a number."""
    return [name for least, name in buckets if least <= number][-1]


def _row(name: str, counts: Counts) -> Dict[str, Any]:
    return {
        "bucket": name,
        "support": counts.support,
        "predicted": counts.tp + counts.fp,
        "recall": counts.recall,
        "precision": counts.precision,
        "f": counts.fscore,
    }


def _length(document: EntityDocument, entity: SpanKey) -> str:
    return length_name(entity if entity[0] >= 0 else (0, 1, entity[2]))


def _sentence_length(document: EntityDocument, entity: SpanKey) -> str:
    # What stands at no token stands in no sentence.
    length = int(document.sentence_lengths[entity[0]]) if entity[0] >= 0 else 0
    return bucket(length, SENTENCES)


def _seen(dictionary: Dictionary, document: EntityDocument, entity: SpanKey) -> str:
    surface = document.surface(entity)
    if dictionary.has_label(surface, entity[2]):
        return SEEN
    return OTHER if dictionary.frequency(surface) else UNSEEN

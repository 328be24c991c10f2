"""A few texts of each kind of error."""

from collections import Counter
from heapq import heappush, heappushpop
from itertools import chain, count, zip_longest
from typing import (
    AbstractSet,
    Any,
    Callable,
    Dict,
    Generic,
    Hashable,
    List,
    Optional,
    Tuple,
    TypeVar,
)

from ..evaluation.alignment import MISSED, SPURIOUS, overlap
from ..scorers.entities import SpanKey
from .boundaries import find_fragments, find_merged
from .document import EntityDocument

Shown = Dict[str, Any]
Key = TypeVar("Key", bound=Hashable)
FRAGMENTED, MERGED = "fragmented", "merged"


class Best(Generic[Key]):
    """Keeps those with the highest scores, of each key so many; of equal ones the first that came.

    size: how many of each. seen: how often each key came.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.seen: Counter[Key] = Counter()
        self._kept: Dict[Key, List[Tuple[float, int, Any]]] = {}
        self._order = count()

    def add(self, key: Key, score: Optional[float], make: Callable[[], Any]) -> None:
        """Take one up. make: what is kept; called only where it is."""
        self.seen[key] += 1
        kept, rank = self._kept.setdefault(key, []), -1.0 if score is None else score
        place = -next(self._order)
        if len(kept) < self.size:
            heappush(kept, (rank, place, make()))
        elif kept and (rank, place) > kept[0][:2]:
            heappushpop(kept, (rank, place, make()))

    def of(self, key: Key) -> List[Any]:
        """What is kept of a key, the best first."""
        return [made for _, _, made in sorted(self._kept.get(key, ()), reverse=True)]

    def mixed(self, size: int) -> List[Any]:
        """So many at most, in turn of each key, the most frequent first."""
        keys = sorted(self.seen, key=lambda key: (-self.seen[key], str(key)))
        turns = chain.from_iterable(zip_longest(*(self.of(key) for key in keys)))
        return [made for made in turns if made is not None][:size]


class ErrorExamples:
    """Keeps the texts of errors.

    pair_examples: of each pair of confused labels. examples: of each other kind.
    """

    def __init__(self, pair_examples: int, examples: int) -> None:
        self._examples = examples
        self.pairs: Best[Tuple[str, str]] = Best(pair_examples)
        self._others: Dict[str, Best[str]] = {
            kind: Best(examples) for kind in (MISSED, SPURIOUS, FRAGMENTED, MERGED)
        }

    def add(self, document: EntityDocument) -> None:
        """Take up a document."""
        wrong = document.predicted - document.gold
        missed = document.gold - document.predicted
        for match in document.matches:
            gold = [] if match.gold is None else [match.gold]
            predicted = [] if match.predicted is None else [match.predicted]
            if match.kind == SPURIOUS:
                near = _near(predicted[0], document.gold)
                self._add(SPURIOUS, document, near, predicted)
            elif match.gold in missed and match.gold is not None:
                pieces = find_fragments(match.gold, wrong)
                whole, parts = find_merged(match.gold, missed, wrong)
                if match.predicted is not None and match.predicted[2] != match.gold[2]:
                    self._add_pair(document, match.gold, match.predicted)
                elif pieces:
                    self._add(FRAGMENTED, document, gold, pieces)
                elif whole:
                    if match.gold == parts[0]:  # once for all of them
                        self._add(MERGED, document, parts, whole)
                elif match.kind == MISSED:
                    self._add(MISSED, document, gold, _near(match.gold, document.predicted))

    def _add_pair(self, document: EntityDocument, gold: Any, predicted: Any) -> None:
        self.pairs.add(
            (gold[2], predicted[2]),
            document.score([predicted]),
            lambda: document.show([gold], [predicted]),
        )

    def _add(self, kind: str, document: EntityDocument, gold: Any, predicted: Any) -> None:
        label = (predicted if kind == SPURIOUS else gold)[0][2]
        show: Callable[[], Shown] = lambda: document.show(gold, predicted)  # noqa: E731
        self._others[kind].add(label, document.score(predicted), show)

    def result(self) -> Dict[str, List[Shown]]:
        """Returns: {"missed", "spurious", "fragmented", "merged": texts (see `window`)}, of each
        label in turn, the most sure ones first."""
        return {kind: kept.mixed(self._examples) for kind, kept in self._others.items()}


def _near(entity: SpanKey, others: AbstractSet[SpanKey]) -> List[SpanKey]:
    """Entities on the other side that share words with one: not what stands for it, yet what a
    reader wants to see."""
    return sorted(other for other in others if overlap(entity, other))

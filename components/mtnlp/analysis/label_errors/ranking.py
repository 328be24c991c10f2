"""The order in which annotations are looked at: the most probably wrong ones first."""

from dataclasses import dataclass
from math import exp
from typing import Any, Dict, Iterable, List, Mapping, Set, Tuple

from spacy.tokens import Doc

from ...data.document_ids import document_of
from ...types import Annotation
from .category_spots import CategorySpot
from .corpus import Place
from .corrected import annotations
from .judging import AnySpot, JudgedDoc
from .sentence_ends import CutSpot, joined, joined_spans
from .spots import CATEGORY, MISSING, SPURIOUS
from .suggestions import ENTS, SENTENCES, Suggestion, beginning, context, texts_of


@dataclass(frozen=True)
class Scored:
    """A spot, and how much more probable it is that it is wrong than that it is right, as a
    logarithm per decision. layer: as in a `Suggestion`."""

    odds: float
    place: Place
    component: str
    layer: str
    spot: AnySpot


def rank(judged: Iterable[JudgedDoc]) -> List[Scored]:
    """What could be suggested, the most probable error first.

    No two suggestions get into each other's way: of those that change one annotation, or in
    `doc.ents` the same words, the first is kept.
    """
    scored = [
        Scored(score(spot), item.place, component, _layer(layer, spot), spot)
        for item in judged
        for (component, layer), spots in item.spots.items()
        for spot in spots
    ]
    scored.sort(key=lambda item: (-item.odds, item.place.file, item.place.number))
    taken: Dict[Tuple[Place, str], Taken] = {}
    kept = []
    for item in scored:
        if taken.setdefault((item.place, item.layer), Taken()).take(item):
            kept.append(item)
    return kept


def describe(ranked: Iterable[Scored], docs: Mapping[Place, Doc]) -> List[Suggestion]:
    """What a reviewer gets to see of the first ones. docs: by place, as their files have them."""
    return [_suggestion(number, item, docs) for number, item in enumerate(ranked, 1)]


def score(spot: AnySpot) -> float:
    """How much more probable the other reading is than the annotated one, as a logarithm, per
    decision: what a tagger says of the words of an entity is not independent, so that the odds of
    long entities say too much."""
    return (spot.log_other - spot.log_given) / spot.decisions


class Taken:
    """What suggestions change in a layer of a Doc."""

    def __init__(self) -> None:
        self.parts: Set[object] = set()

    def take(self, item: Scored) -> bool:
        """Whether another suggestion has room, beside those that were taken before."""
        spot = item.spot
        parts: Set[object] = {*spot.given, *spot.other}
        if not isinstance(spot, CategorySpot) and item.layer == ENTS:
            parts = {*range(spot.start, spot.end)}
        if parts & self.parts:
            return False
        self.parts |= parts
        return True


def _layer(layer: str, spot: AnySpot) -> str:
    """Classifiers have a layer for each task."""
    return layer + spot.task if isinstance(spot, CategorySpot) else layer


def _suggestion(number: int, item: Scored, docs: Mapping[Place, Doc]) -> Suggestion:
    spot, doc = item.spot, docs[item.place]
    name = document_of(doc)
    if isinstance(spot, CategorySpot):
        kind, shown = _category_kind(spot), beginning(doc)
        given: List[Any] = list(spot.given)
        suggested: List[Any] = list(spot.other)
        texts: Tuple[List[str], List[str]] = ([], [])
    else:
        every: Iterable[Annotation]
        if isinstance(spot, CutSpot):
            layer = item.layer.removeprefix(SENTENCES)
            before = docs[Place(item.place.file, item.place.number - 1)]
            both = annotations(before, layer), annotations(doc, layer)
            doc, every = joined(before, doc), joined_spans(*both, len(before))
        else:
            every = annotations(doc, item.layer)
        around = [span for span in every if span not in spot.given]
        kind, shown = spot.kind, context(doc, spot.start, spot.end, around)
        given, suggested = _lists(spot.given), _lists(spot.other)
        texts = texts_of(doc, spot.given), texts_of(doc, spot.other)
    return Suggestion(
        rank=number,
        score=1 / (1 + exp(-max(-500.0, item.odds))),
        kind=kind,
        component=item.component,
        layer=item.layer,
        file=item.place.file,
        number=item.place.number,
        document=name,
        given=given,
        suggested=suggested,
        given_texts=texts[0],
        suggested_texts=texts[1],
        p_given=exp(spot.log_given),
        p_suggested=exp(spot.log_other),
        **shown,
    )


def _category_kind(spot: CategorySpot) -> str:
    if spot.given and spot.other:
        return CATEGORY
    return SPURIOUS if spot.given else MISSING


def _lists(spans: Iterable[Annotation]) -> List[List[object]]:
    return [[span.start, span.end, span.label] for span in spans]

"""What a model says of a place in a Doc: how probable the annotation is there, and what else."""

from dataclasses import dataclass
from typing import Any, List, Tuple

from ...types import Annotation

Spans = Tuple[Annotation, ...]

TYPE, BOUNDARY, BOTH = "wrong type", "wrong boundary", "wrong type and boundary"
MISSING, SPURIOUS, CATEGORY = "missing", "spurious", "wrong category"
CUT = "cut by the end of a sentence"


@dataclass(frozen=True)
class Spot:
    """A stretch of a Doc with annotated entities, or without any, and the best other reading of it.

    start, end: in tokens. given: the annotated entities that lie in it, none where it is a missing
    one. other: those of the best other reading, none where it is a spurious one.
    log_given, log_other: log probabilities of the two.
    decisions: how many of the model's decisions these are products of: the words of the stretch for
        a tagger, one for a classifier of spans.
    """

    start: int
    end: int
    given: Spans
    other: Spans
    log_given: float
    log_other: float
    decisions: int = 1

    @property
    def kind(self) -> str:
        """What is wrong, if the other reading is right."""
        if not self.given:
            return MISSING
        if not self.other:
            return SPURIOUS
        same_edges = {span[:2] for span in self.given} == {span[:2] for span in self.other}
        if same_edges:
            return TYPE
        same_labels = {span.label for span in self.given} == {span.label for span in self.other}
        return BOUNDARY if same_labels else BOTH

    def to_json(self) -> List[Any]:
        """As lists, for a file with a line per Doc."""
        numbers = round(self.log_given, 6), round(self.log_other, 6)
        return [self.start, self.end, self.given, self.other, *numbers, self.decisions]

    @classmethod
    def from_json(cls, row: List[Any]) -> "Spot":
        """The inverse of `to_json`."""
        start, end, given, other, log_given, log_other, decisions = row
        mine = tuple(Annotation(*span) for span in given)
        theirs = tuple(Annotation(*span) for span in other)
        return cls(start, end, mine, theirs, log_given, log_other, decisions)


def overlapping(span: Annotation, others: Spans) -> Spans:
    """Those of the others that share a token with a span."""
    return tuple(other for other in others if other.start < span.end and span.start < other.end)


def surroundings(span: Annotation, given: Spans, other: Spans) -> Tuple[Spans, Spans]:
    """The entities of two readings around an entity of the first: what overlaps it in the second,
    what overlaps that in the first, and so on, until both cover the same words or leave them free.
    """
    mine: Spans = (span,)
    theirs: Spans = ()
    while True:
        found = tuple(o for o in other if any(overlapping(o, (g,)) for g in mine))
        back = tuple(g for g in given if g in mine or any(overlapping(g, (o,)) for o in found))
        if (back, found) == (mine, theirs):
            return mine, theirs
        mine, theirs = back, found

"""What the points of a map are: documents, sentences or entities, and what is known of each."""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import AbstractSet, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

from spacy.pipeline import Sentencizer
from spacy.tokens import Doc, Span
from spacy.training import Example

from ..annotation.categories import Cats
from ..annotation.layers import EntityLayer
from ..evaluation.alignment import MISSED, RIGHT, align_entities
from ..evaluation.confusions import label_of
from ..scorers.categories import CategoryTask
from ..scorers.entities import gold_entities, reference_span
from ..scorers.vectors import map_span

WRONG = "wrong"
# The label of a document of which no label of the task holds.
NOTHING = "none of them"
# Characters that are kept of a text, and on either side of an entity.
TEXT, SIDE = 200, 80


class Point(NamedTuple):
    """What is known of one point of a map.

    text: what is shown of it. mark: where the entity stands in the text, in characters.
    label: the gold label, or the predicted one where nobody annotated it; None where there is none.
    predicted: None where the pipeline says nothing, or misses an entity.
    score: the probability of what is predicted.
    error: "right", or the kind of the error; None where nothing is annotated.
    """

    text: str
    mark: Optional[Tuple[int, int]] = None
    label: Optional[str] = None
    predicted: Optional[str] = None
    score: Optional[float] = None
    error: Optional[str] = None


# Whose vector a point has.
Part = Union[Doc, Span]


class Answer(NamedTuple):
    """What is known of a document in a task, as `Point` has it."""

    label: Optional[str] = None
    predicted: Optional[str] = None
    score: Optional[float] = None
    error: Optional[str] = None


@dataclass(frozen=True)
class Documents:
    """Documents, or their sentences, by the labels of a classification task.

    task: None where the corpus has none. name: the task as a user names it. is_predicted: whether
    the pipeline has it; else the gold labels alone are shown.
    """

    task: Optional[CategoryTask] = None
    name: Optional[str] = None
    is_predicted: bool = True
    sentences: bool = False

    @property
    def what(self) -> str:
        """Their kind."""
        return "sentences" if self.sentences else "documents"

    def is_annotated(self, reference: Doc) -> bool:
        """Whether a document has gold labels of the task."""
        return self.task is not None and self.task.decide(reference.cats, {}) is not None

    def points(self, example: Example) -> List[Tuple[Part, Point]]:
        """Those of one document. Sentences have the label of their document."""
        doc, answer = example.predicted, self.answer(example)
        parts: Sequence[Part] = split_sentences(doc) if self.sentences else [doc]
        return [
            (part, Point(shown_text(part.text), None, *answer))
            for part in parts
            if part.text.strip()
        ]

    def answer(self, example: Example) -> Answer:
        """Where several labels hold, the one that the pipeline is surest of stands for them."""
        task, given = self.task, example.predicted.cats
        if task is None:
            return Answer()
        decision = task.decide(example.reference.cats, given)
        label = surest(decision[0], given) if decision else None
        if not self.is_predicted:
            return Answer(label)
        error = None
        if decision is not None:
            error = RIGHT if decision[0] == decision[1] else WRONG
        best = max((given.get(key, 0.0) for key in task.keys), default=0.0)
        if not best > 0:
            # A document that holds nothing to read: the pipeline says nothing of it.
            return Answer(label, None, None, error)
        # What is decided where every label is annotated.
        decided = task.decide(dict.fromkeys(task.keys, 1.0), given)
        keys = decided[1] if decided else frozenset()
        says = surest(keys, given)
        return Answer(label or says, says, float(best if keys else 1 - best), error)


@dataclass(frozen=True)
class Entities:
    """The entities of a layer: the predicted ones, and the gold ones that were missed.

    group: the name of the group that holds the scores. is_predicted: whether a component of the
    pipeline finds them; else the gold ones alone are shown.
    """

    layer: EntityLayer
    group: str
    name: Optional[str] = None
    is_predicted: bool = True

    @property
    def what(self) -> str:
        """Their kind."""
        return "entities"

    def is_annotated(self, reference: Doc) -> bool:
        """Whether a document has gold entities, or somebody said that it has none."""
        return self.layer.is_annotated(reference)

    def points(self, example: Example) -> List[Tuple[Part, Point]]:
        """Those of one document. The kinds of errors are those of `evaluation.alignment`."""
        doc, reference = example.predicted, example.reference
        gold_spans = self.layer.spans(reference)
        if not self.is_predicted:
            return [entity_point(span, label=span.label_) for span in mapped_spans(doc, gold_spans)]
        is_gold = self.is_annotated(reference)
        found = {
            span: reference_span(example, span, self.layer.spans_key) if is_gold else None
            for span in self.layer.spans(doc)
        }
        given = {key for key in found.values() if key is not None}
        matches = align_entities(gold_entities(example, self.layer.spans_key), given)
        stands_for = {match.predicted: match for match in matches if match.predicted}
        scores = self._scores(doc)
        points = []
        for span, key in found.items():
            label, error = span.label_, None
            if key is not None:
                error, gold = stands_for[key].kind, stands_for[key].gold
                label = gold[2] if gold else label
            score = scores.get((span.start, span.end, span.label_))
            points.append(entity_point(span, label, span.label_, score, error))
        missed = {match.gold for match in matches if match.kind == MISSED}
        spans = [span for span in gold_spans if (span.start, span.end, span.label_) in missed]
        points += [
            entity_point(span, label=span.label_, error=MISSED) for span in mapped_spans(doc, spans)
        ]
        return points

    def _scores(self, doc: Doc) -> Dict[Tuple[int, int, str], float]:
        spans = doc.spans.get(self.group, ())
        # There are fewer scores than spans where some were appended.
        values = spans.attrs.get("scores", ()) if spans else ()
        return {
            (span.start, span.end, span.label_): float(score)
            for span, score in zip(spans, values, strict=False)
        }


PointSource = Union[Documents, Entities]


def surest(keys: AbstractSet[str], scores: Cats) -> str:
    """The label of the key with the best score; `NOTHING` without keys."""
    if not keys:
        return NOTHING
    return label_of(max(sorted(keys), key=lambda key: scores.get(key, 0.0)))


def mapped_spans(doc: Doc, spans: Sequence[Span]) -> List[Span]:
    """The same entities in another tokenisation of the same text; those without a token there are
    left out."""
    found = []
    for span in spans:
        mapped = map_span(doc, span)
        if mapped is not None and len(mapped):
            found.append(Span(doc, mapped.start, mapped.end, span.label_))
    return found


def split_sentences(doc: Doc) -> List[Span]:
    """The sentences, by spaCy's rules where the pipeline finds none."""
    if doc.has_annotation("SENT_START"):
        return list(doc.sents)
    begins = [i for i, is_begin in enumerate(Sentencizer().predict([doc])[0]) if is_begin]
    return [doc[start:end] for start, end in pairwise([*begins, len(doc)])]


def entity_point(
    span: Span,
    label: Optional[str],
    predicted: Optional[str] = None,
    score: Optional[float] = None,
    error: Optional[str] = None,
) -> Tuple[Part, Point]:
    """An entity with the text around it."""
    text, start, end = span.doc.text, span.start_char, span.end_char
    left, right = text[max(0, start - SIDE) : start], text[end : end + SIDE]
    left = "…" * (start > SIDE) + one_line(left)
    name = one_line(text[start:end])
    shown = left + name + one_line(right) + "…" * (end + SIDE < len(text))
    mark = len(left), len(left) + len(name)
    return span, Point(shown, mark, label, predicted, score, error)


def shown_text(text: str) -> str:
    """The beginning of a text in one line."""
    text = one_line(text).strip()
    return text if len(text) <= TEXT else text[: TEXT - 1].rstrip() + "…"


def one_line(text: str) -> str:
    """The text with each stretch of white space as one blank."""
    return re.sub(r"\s+", " ", text)

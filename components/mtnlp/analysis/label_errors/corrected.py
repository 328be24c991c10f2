"""A Doc with corrections put in, or with a whole layer replaced."""

from itertools import pairwise
from typing import List, Sequence

from spacy.tokens import Doc, Span

from ...annotation.categories import category_key, positive_keys, task_of
from ...annotation.layers import EntsLayer
from ...types import Annotation
from .suggestions import CATS, ENTS, SPANS, Suggestion


class CannotCorrect(Exception):
    """A correction does not fit the Doc: what it says is annotated is not, or what it says is right
    overlaps an entity that stays."""


def correct(doc: Doc, item: Suggestion) -> None:
    """Put a suggestion into a Doc. Raises: CannotCorrect."""
    if item.layer.startswith(CATS):
        _correct_cats(doc, item)
        return
    given = [Annotation(*span) for span in item.given]
    suggested = [Annotation(*span) for span in item.suggested]
    there = annotations(doc, item.layer)
    missing = [span for span in given if span not in there]
    if missing:
        raise CannotCorrect(f"{_show(doc, missing[0])} is not annotated there")
    kept = [span for span in there if span not in given]
    outside = [span for span in suggested if not 0 <= span.start < span.end <= len(doc)]
    if outside:
        raise CannotCorrect(f"there are no words {outside[0].start} to {outside[0].end}")
    replace(doc, item.layer, [*kept, *(span for span in suggested if span not in kept)])


def annotations(doc: Doc, layer: str) -> List[Annotation]:
    """The spans of a layer, `ents` or `spans/KEY`, in order."""
    key = layer.removeprefix(SPANS)
    spans = doc.ents if layer == ENTS else doc.spans.get(key, ())
    return [Annotation(span.start, span.end, span.label_) for span in spans]


def replace(doc: Doc, layer: str, spans: Sequence[Annotation]) -> None:
    """Put spans in the place of those of a layer. Of tokens of which nobody said anything nobody
    does afterwards, but those of entities. Raises: CannotCorrect for entities that overlap."""
    made = [Span(doc, span.start, span.end, label=span.label) for span in sorted(spans)]
    if layer != ENTS:
        doc.spans[layer.removeprefix(SPANS)] = made
        return
    for first, second in pairwise(made):
        if second.start < first.end:
            shown = [Annotation(s.start, s.end, s.label_) for s in (first, second)]
            raise CannotCorrect(f"{_show(doc, shown[0])} and {_show(doc, shown[1])} overlap")
    unknown = EntsLayer().missing(doc)
    for span in made:
        unknown[span.start : span.end] = False
    missing = [doc[i : i + 1] for i in unknown.nonzero()[0].tolist()]
    doc.set_ents(made, missing=missing, default="outside")


def set_categories(doc: Doc, task: str, labels: Sequence[str]) -> None:
    """The labels of a task that hold; the others of which the Doc has a key do not."""
    keys = {category_key(task, label) for label in labels}
    known = {key for key in doc.cats if task_of(key) == task} | keys
    doc.cats = {**doc.cats, **{key: float(key in keys) for key in sorted(known)}}


def categories(doc: Doc, task: str) -> List[str]:
    """The labels of a task that hold."""
    return [key.partition("/")[2] for key in positive_keys(doc.cats, task)]


def _correct_cats(doc: Doc, item: Suggestion) -> None:
    task = item.layer.removeprefix(CATS)
    held = categories(doc, task)
    missing = [label for label in item.given if label not in held]
    if missing:
        raise CannotCorrect(f"{category_key(task, missing[0])} is not annotated there")
    kept = [label for label in held if label not in item.given]
    set_categories(doc, task, [*kept, *item.suggested])


def _show(doc: Doc, span: Annotation) -> str:
    return f"'{doc[span.start : span.end].text}' ({span.label})"

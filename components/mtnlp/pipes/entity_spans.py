"""Predicted entities on Docs, and the confidence of an entity."""

from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import numpy
from spacy.attrs import IS_SPACE
from spacy.tokens import Doc, Span, SpanGroup

from ..errors import Errors, MtnlpError
from .kept_entities import GIVEN, WRITTEN_BY, KeptEntities, join


class Predictions(NamedTuple):
    """Entities of a batch.

    spans: int64 `[n, 4]`: document, start, end, label index; ordered by document and start.
    scores: float `[n]`, the probability of each.
    """

    spans: numpy.ndarray
    scores: numpy.ndarray


def find_white_space(docs: Sequence[Doc]) -> Optional[numpy.ndarray]:
    """bool `[docs, tokens]`: which tokens are white space, False at padding; None where none is."""
    flags = [doc.to_array(IS_SPACE) for doc in docs]
    if not any(flag.any() for flag in flags):
        return None
    space = numpy.zeros((len(docs), max(map(len, docs))), dtype=bool)
    for row, flag in zip(space, flags, strict=True):
        row[: len(flag)] = flag
    return space


def write_entities(
    docs: Iterable[Doc],
    predictions: Predictions,
    labels: Sequence[str],
    spans_key: Optional[str],
    name: str,
    kept: Optional[Sequence[KeptEntities]] = None,
) -> None:
    """Write a batch of entities, flat ones where they go into `doc.ents`.

    The SpanGroup `doc.spans[spans_key]`, or `doc.spans[name]` for a pipe that writes `doc.ents`,
    holds them in order, with their probabilities in `attrs["scores"]`.

    kept: what was there and stays, by Doc; None where the pipe overwrites it. A kept entity has the
    score 1.0, and `attrs["given"]` says which those are.
    """
    docs = list(docs)
    bounds = numpy.searchsorted(predictions.spans[:, 0], numpy.arange(len(docs) + 1))
    for i, (doc, begin, stop) in enumerate(zip(docs, bounds[:-1], bounds[1:], strict=True)):
        spans, scores = make_spans(
            doc, predictions.spans[begin:stop], predictions.scores[begin:stop], labels
        )
        attrs: Dict[str, Any] = {"scores": scores, "is_ents": spans_key is None}
        blocked: List[Span] = []
        if kept is not None:
            spans, scores, given = join(kept[i], spans, scores)
            attrs.update({"scores": scores, WRITTEN_BY: name, GIVEN: given})
            blocked = kept[i].blocked
        key = name if spans_key is None else spans_key
        doc.spans[key] = SpanGroup(doc, name=key, spans=spans, attrs=attrs)
        if spans_key is None:
            doc.set_ents(spans, blocked=blocked, default="outside")


def make_spans(
    doc: Doc, rows: numpy.ndarray, scores: numpy.ndarray, labels: Sequence[str]
) -> Tuple[List[Span], numpy.ndarray]:
    """Spans of one Doc, without white space at their ends; those of white space alone are left
    out, and those that differ in white space alone are one, with the best score.

    rows: `[n, 4]` as in `Predictions`. RETURNS: the spans, and their scores as float32.
    """
    best: Dict[Tuple[int, int, int], float] = {}
    for (_, start, end, label), score in zip(rows.tolist(), scores.tolist(), strict=True):
        start, end = trim(doc, start, end)
        if start < end:
            best[start, end, label] = max(score, best.get((start, end, label), 0.0))
    spans = [Span(doc, start, end, label=labels[label]) for start, end, label in best]
    return spans, numpy.array(list(best.values()), dtype="float32")


def trim(doc: Doc, start: int, end: int) -> Tuple[int, int]:
    """A span's boundaries without white space at its ends; empty where there is nothing else."""
    while start < end and doc[start].is_space:
        start += 1
    while end > start and doc[end - 1].is_space:
        end -= 1
    return start, end


def install_confidence() -> None:
    """Register `span._.confidence`."""
    if not Span.has_extension("confidence"):
        Span.set_extension("confidence", getter=span_confidence)


def confidence(span: Span, key: str) -> float:
    """The probability of an entity, by the group that holds it.

    span: an entity of `doc.ents` or of a group. key: the group's name; for `doc.ents` the name of
    the component that wrote them ("ner").
    Raises MtnlpError E305 where the group holds no such entity or has no scores.
    """
    group = span.doc.spans.get(key)
    score = None if group is None else find_score(group, span)
    if score is None:
        keys = [name for name, group in span.doc.spans.items() if "scores" in group.attrs]
        raise MtnlpError(
            Errors.E305.format(span=span.text, label=span.label_, key=key, keys=", ".join(keys))
        )
    return score


def span_confidence(span: Span) -> Optional[float]:
    """`span._.confidence`: the probability of the entity with this span's boundaries and label.

    A Span does not know its group. Where several groups hold the same entity, an entity of
    `doc.ents` gets the score of the pipe that wrote `doc.ents`, any other span the first group's;
    `mtnlp.confidence(span, key=...)` is exact. None where no group has it.
    """
    groups = [group for group in span.doc.spans.values() if "scores" in group.attrs]
    in_ents = any(
        (ent.start, ent.end, ent.label) == (span.start, span.end, span.label)
        for ent in span.doc.ents
    )
    groups.sort(key=lambda group: bool(group.attrs.get("is_ents")) != in_ents)
    for group in groups:
        score = find_score(group, span)
        if score is not None:
            return score
    return None


def find_score(group: SpanGroup, span: Span) -> Optional[float]:
    """The score of an entity in a group, None where it has none."""
    scores = group.attrs.get("scores", ())
    for member, score in zip(group, scores, strict=False):
        if (member.start, member.end, member.label) == (span.start, span.end, span.label):
            return float(score)
    return None

"""Predicted entities on Docs, and the confidence of an entity."""

from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from spacy.attrs import IS_SPACE
from spacy.tokens import Doc, Span, SpanGroup

from ..annotation.white_space import trim_tokens
from ..errors import Errors, MtnlpError
from .extensions import install_extension
from .kept_entities import WRITTEN_BY, KeptEntities, join
from .score_index import find_scores
from .scored_spans import GIVEN, SCORES, ScoredSpans


class Predictions(NamedTuple):
    """Entities of a batch.

    spans: int64 `[n, 4]`: document, start, end, label index; ordered by document and start.
    scores: float `[n]`, the probability of each.
    """

    spans: np.ndarray
    scores: np.ndarray


def find_white_space(docs: Sequence[Doc]) -> Optional[np.ndarray]:
    """bool `[docs, tokens]`: which tokens are white space, False at padding; None where none is."""
    flags = [doc.to_array(IS_SPACE) for doc in docs]
    if not any(flag.any() for flag in flags):
        return None
    space = np.zeros((len(docs), max(map(len, docs))), dtype=bool)
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
    bounds = np.searchsorted(predictions.spans[:, 0], np.arange(len(docs) + 1))
    for i, (doc, begin, stop) in enumerate(zip(docs, bounds[:-1], bounds[1:], strict=True)):
        spans, scores = make_spans(
            doc, predictions.spans[begin:stop], predictions.scores[begin:stop], labels
        )
        attrs: Dict[str, Any] = {SCORES: scores, "is_ents": spans_key is None}
        blocked: List[Span] = []
        if kept is not None:
            spans, scores, given = join(kept[i], spans, scores)
            attrs.update({SCORES: scores, WRITTEN_BY: name, GIVEN: given})
            blocked = kept[i].blocked
        key = name if spans_key is None else spans_key
        doc.spans[key] = ScoredSpans(doc, name=key, spans=spans, attrs=attrs)
        if spans_key is None:
            doc.set_ents(spans, blocked=blocked, default="outside")


def make_spans(
    doc: Doc, rows: np.ndarray, scores: np.ndarray, labels: Sequence[str]
) -> Tuple[List[Span], np.ndarray]:
    """Spans of one Doc, without white space at their ends; those of white space alone are left
    out, and those that differ in white space alone are one, with the best score.

    rows: `[n, 4]` as in `Predictions`. Returns: the spans, and their scores as float32.
    """
    best: Dict[Tuple[int, int, int], float] = {}
    for (_, start, end, label), score in zip(rows.tolist(), scores.tolist(), strict=True):
        start, end = trim_tokens(doc, start, end)
        if start < end:
            best[start, end, label] = max(score, best.get((start, end, label), 0.0))
    spans = [Span(doc, start, end, label=labels[label]) for start, end, label in best]
    return spans, np.array(list(best.values()), dtype="float32")


def install_confidence() -> None:
    """Register `span._.confidence`; a warning E320 where another library has done so."""
    install_extension(
        Span, "confidence", getter=span_confidence, instead="mtnlp.confidence(span, key=...)"
    )


def confidence(span: Span, key: str) -> float:
    """The probability of an entity, by the group that holds it.

    span: an entity of `doc.ents` or of a group. key: the group's name; for `doc.ents` the name of
    the component that wrote them ("ner").
    Raises: MtnlpError E305 where the group holds no such entity or has no scores.
    """
    groups = {name: group for name, group in scored_groups(span.doc).items() if name == key}
    scores = find_scores(span, groups)
    if not scores:
        keys = ", ".join(scored_groups(span.doc))
        raise MtnlpError(Errors.E305.format(span=span.text, label=span.label_, key=key, keys=keys))
    return scores[key]


def span_confidence(span: Span) -> Optional[float]:
    """`span._.confidence`: the probability of the entity with this span's characters and label.

    A Span does not know its group. Where several groups hold the same entity, an entity of
    `doc.ents` gets the score of the pipe that wrote `doc.ents`, any other span the first group's;
    `mtnlp.confidence(span, key=...)` is exact. None where no group has it.

    Groups are read once, not for every span, and again when they were changed. An entity keeps its
    score when tokens within it are merged or split. Where a Doc is made without the groups' `attrs`
    there is no score: `span.as_doc()`, `Doc.from_docs`, `Doc.from_json`.
    """
    groups = scored_groups(span.doc)
    scores = find_scores(span, groups)
    if len(scores) > 1:
        in_ents = is_entity(span)
        return next(
            (
                score
                for name, score in scores.items()
                if bool(groups[name].attrs.get("is_ents")) == in_ents
            ),
            next(iter(scores.values())),
        )
    return next(iter(scores.values()), None)


def scored_groups(doc: Doc) -> Dict[str, SpanGroup]:
    """The groups of a Doc that have scores, by name."""
    return {name: group for name, group in doc.spans.items() if SCORES in group.attrs}


def is_entity(span: Span) -> bool:
    """Whether `doc.ents` holds a span of these characters and this label."""
    # Its token indices may be those from before tokens were merged.
    tokens = span.doc.char_span(span.start_char, span.end_char)
    if tokens is None or not len(tokens) or tokens[0].ent_type != span.label:
        return False
    doc, end = span.doc, tokens.end
    begin, inside = 3, 1  # as `token.ent_iob` has them
    return (
        tokens[0].ent_iob == begin
        and all(token.ent_iob == inside for token in tokens[1:])
        and not (end < len(doc) and doc[end].ent_iob == inside)
    )

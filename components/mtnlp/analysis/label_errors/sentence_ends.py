"""Entities that the end of a sentence cuts in two: what a tagger says of two Docs of one text when
it reads them as one."""

from dataclasses import dataclass
from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from spacy.tokens import Doc, Span

from ...annotation.layers import EntityLayer
from ...data.document_ids import document_of
from ...gold.entities import flatten
from ...structured.array_chain import best_tags, find_marginals
from ...types import Annotation
from .corpus import Place
from .readings import LEAST, TagScores, tag_scores
from .spots import CUT, Spans, Spot

# A probability counts as at least this, so that it has a logarithm.
TINY = 1e-12


@dataclass(frozen=True)
class CutSpot(Spot):
    """A `Spot` around the place where one Doc ends and the next one of the same text begins, in the
    tokens of both. It is the second Doc's.

    given: what is annotated at both sides of that place. other: the entity that goes across it.
    """

    @property
    def kind(self) -> str:
        return CUT


# Of a pair of Docs.
MaybeCut = Optional[CutSpot]


class Neighbours(NamedTuple):
    """Two Docs of a text, one after the other, as their file has them. number: of the second one,
    among those that are asked about."""

    number: int
    first: Doc
    second: Doc


def find_neighbours(
    before: Optional[Tuple[Place, Doc]], docs: Sequence[Tuple[Place, Doc]]
) -> List[Neighbours]:
    """The pairs of Docs that follow each other in a text. before: what stands before the first of
    `docs`, if anything."""
    every = [before, *docs]
    found = []
    for number, (one, two) in enumerate(zip(every, docs, strict=False)):
        if one is None:
            continue
        is_next = one[0] == Place(two[0].file, two[0].number - 1)
        name = document_of(two[1])
        if is_next and name is not None and name == document_of(one[1]):
            found.append(Neighbours(number, one[1], two[1]))
    return found


def joined(first: Doc, second: Doc) -> Doc:
    """The tokens of two Docs as one, without annotations, with a blank between them."""
    docs = (first, second)
    words = [token.text for doc in docs for token in doc]
    spaces = [bool(token.whitespace_) for doc in docs for token in doc]
    spaces[len(first) - 1] = True
    return Doc(second.vocab, words=words, spaces=spaces)


def joined_spans(first: Sequence[Annotation], second: Sequence[Annotation], length: int) -> Spans:
    """The annotations of two Docs in the tokens of both. length: of the first, in tokens."""
    moved = [Annotation(s.start + length, s.end + length, s.label) for s in second]
    return (*first, *moved)


def annotated_there(pair: Neighbours, layer: EntityLayer) -> Optional[Spans]:
    """What is annotated at the end of the first Doc and at the beginning of the second, in the
    tokens of both; None where nothing is, or where nobody says anything of one of the two."""
    length = len(pair.first)
    for doc, at in ((pair.first, length - 1), (pair.second, 0)):
        if not layer.is_annotated(doc) or layer.missing(doc)[at]:
            return None
    ends = [span for span in flatten(layer.spans(pair.first)) if span.end == length]
    begins = [span for span in flatten(layer.spans(pair.second)) if span.start == 0]
    return joined_spans(_named(ends), _named(begins), length) or None


def find_cuts(
    pipe: Any, docs: Sequence[Doc], given: Sequence[Spans], firsts: Any
) -> List[MaybeCut]:
    """The spot of each pair of Docs; None where an entity across has no probability of LEAST.

    pipe: a `crf_ner`. docs: two joined, with the encoder's vectors. given: what is annotated.
    firsts: `[docs]`, how many tokens are the first Doc's.
    """
    return cuts_of(tag_scores(pipe, docs), given, firsts, pipe.labels)


def cuts_of(
    scores: TagScores, given: Sequence[Spans], firsts: Any, labels: Sequence[str]
) -> List[MaybeCut]:
    """The same of scores: the exact probability that the first token of the second Doc goes on with
    an entity, and the best such reading."""
    rows, scheme = np.arange(len(firsts)), scores.scheme
    _, prefix = scheme.split(np.arange(scores.emissions.shape[2]))
    crosses = np.asarray(scheme.continuing)[prefix]
    crosses[0] = False
    marginals = find_marginals(scores.emissions, scores.lengths, scores.chain)
    logs = marginals.alpha + marginals.beta - marginals.total[:, None, None]
    at = np.exp(logs[rows, firsts])
    held = scores.emissions.copy()
    held[rows, firsts] = np.where(crosses, held[rows, firsts], -np.inf)
    tags = best_tags(held, scores.lengths, scores.chain)
    across: List[Optional[Annotation]] = [None] * len(rows)
    mask = np.arange(tags.shape[1]) < scores.lengths[:, None]
    for row, start, end, label in scheme.spans(tags, mask).tolist():
        if start < firsts[row] < end:
            across[row] = Annotation(start, end, labels[label])
    spots: List[MaybeCut] = []
    pairs = zip(given, across, at[:, crosses].sum(1), at[:, ~crosses].sum(1), strict=True)
    for mine, entity, goes_on, ends in pairs:
        if entity is None or goes_on < LEAST:
            spots.append(None)
            continue
        start = min(span.start for span in (*mine, entity))
        end = max(span.end for span in (*mine, entity))
        log_given, log_other = (float(np.log(max(p, TINY))) for p in (ends, goes_on))
        spots.append(CutSpot(start, end, mine, (entity,), log_given, log_other))
    return spots


def _named(spans: Sequence[Span]) -> List[Annotation]:
    return [Annotation(span.start, span.end, span.label_) for span in spans]

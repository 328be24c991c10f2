"""Spots of a tagger's documents: exact probabilities of the annotated reading and of the best
other one, under its linear-chain CRF.

A tagger without a CRF is one whose tokens do not depend on each other: all sequences are legal, and
no transition is more probable than another.
"""

from dataclasses import dataclass
from typing import Any, List, NamedTuple, Sequence, Tuple

import numpy as np
from spacy.tokens import Doc

from ...annotation.white_space import trim_tokens
from ...structured.array_chain import Chain, find_marginals, log_probabilities
from ...structured.array_readings import best_without, stretch_log_probability
from ...structured.array_scheme import Scheme
from ...types import Annotation, Doubles, Ints
from .spots import Spans, Spot, surroundings

# The least probability of an entity that nobody annotated.
LEAST = 0.01
# Words of the widest one.
WIDEST = 12
# Numbers in the largest array, times some: rows are worked through in chunks of so many.
CHUNK = 2**22


@dataclass(frozen=True)
class TagScores:
    """What a tagger says of some Docs.

    emissions: `[docs, seq, tags]`. lengths: `[docs]`. chain, scheme: of the tagger. All scores are
    divided by its temperature.
    """

    emissions: Doubles
    lengths: Ints
    chain: Chain
    scheme: Scheme


class Tagging(NamedTuple):
    """The annotation of a Doc. spans: `(start, end, label index)`, none overlapping. missing:
    `[tokens]`, of which tokens nobody says anything."""

    spans: Sequence[Tuple[int, int, int]]
    missing: np.ndarray


def tag_scores(pipe: Any, docs: Sequence[Doc]) -> TagScores:
    """docs: with the encoder's vectors. pipe: a `crf_ner`."""
    output, mask = pipe.model.predict(docs)
    module, temperature = pipe.module, pipe.cfg["temperature"]
    crf = getattr(module, "crf", None)
    emissions = output.scores.double().cpu().numpy() / temperature
    size = emissions.shape[2]
    free = Chain(np.zeros((size, size)), np.zeros(size), np.zeros(size))
    chain = free if crf is None else crf.arrays().divided(temperature)
    return TagScores(emissions, mask.sum(1).cpu().numpy(), chain, module.scheme.arrays())


def find_spots(
    scores: TagScores, docs: Sequence[Doc], taggings: Sequence[Tagging], labels: Sequence[str]
) -> List[List[Spot]]:
    """The spots of each Doc: one around each annotated entity, and one at each entity that has a
    probability of LEAST or more and no word in common with an annotated one.

    Places of which nobody says anything are left out. White space at the ends of entities makes no
    difference.
    """
    rows = [(row, *span) for row, tagging in enumerate(taggings) for span in tagging.spans]
    given = np.array(rows, dtype=np.int64).reshape(-1, 4)
    around = _around(scores, docs, given, labels)
    free = _free(scores, given, taggings)
    around += [
        (row, (), (Annotation(start, end, labels[label]),))
        for row, start, end, label in _candidates(scores, free).tolist()
    ]
    is_known = [not _is_unknown(taggings[row], mine, theirs) for row, mine, theirs in around]
    around = [item for item, known in zip(around, is_known, strict=True) if known]
    return _with_probabilities(scores, around, len(docs), labels)


Readings = Tuple[int, Spans, Spans]


def _around(
    scores: TagScores, docs: Sequence[Doc], given: Ints, labels: Sequence[str]
) -> List[Readings]:
    """For each annotated entity: its row, and what is around it in both readings. Where several
    entities are in it, each of them says so: it is there once."""
    by_row: List[List[Annotation]] = [[] for _ in docs]
    for row, start, end, label in given.tolist():
        by_row[row].append(Annotation(start, end, labels[label]))
    found: dict[Readings, None] = {}
    for part in _chunks(scores, given):
        lengths = scores.lengths[part[:, 0]]
        tags = best_without(scores.emissions, scores.lengths, scores.chain, part, scores.scheme)
        mask = np.arange(tags.shape[1]) < lengths[:, None]
        others: List[List[Annotation]] = [[] for _ in part]
        for number, start, end, label in scores.scheme.spans(tags, mask).tolist():
            start, end = trim_tokens(docs[part[number, 0]], start, end)
            if start < end:
                others[number].append(Annotation(start, end, labels[label]))
        for (row, start, end, label), other in zip(part.tolist(), others, strict=True):
            span = Annotation(start, end, labels[label])
            mine, theirs = surroundings(span, tuple(by_row[row]), tuple(other))
            if mine != theirs:
                found[row, mine, theirs] = None
    return list(found)


def _chunks(scores: TagScores, rows: Ints) -> List[Ints]:
    """Rows in parts of which each can have emissions of its own."""
    size = max(1, CHUNK // max(1, scores.emissions[0].size))
    return [rows[first : first + size] for first in range(0, len(rows), size)]


def _free(scores: TagScores, given: Ints, taggings: Sequence[Tagging]) -> np.ndarray:
    """bool `[docs, seq]`: the tokens that are annotated, as no part of an entity."""
    free = np.arange(scores.emissions.shape[1]) < scores.lengths[:, None]
    for row, start, end, _ in given.tolist():
        free[row, start:end] = False
    for row, tagging in zip(free, taggings, strict=True):
        row[: len(tagging.missing)] &= ~tagging.missing
    return free


def _candidates(scores: TagScores, free: np.ndarray) -> Ints:
    """`[n, 4]`: the probable entities of free tokens alone, of those that overlap the most probable
    one."""
    seq, scheme = free.shape[1], scores.scheme
    marginals = find_marginals(scores.emissions, scores.lengths, scores.chain)
    beginning = np.exp(marginals.alpha + marginals.beta - marginals.total[:, None, None])
    prefixes = [beginning[..., 1 + p :: scheme.prefixes] for p in {scheme.single, scheme.first}]
    row, start, label = ((sum(prefixes) >= LEAST) & free[..., None]).nonzero()
    # How many free tokens there are from each one on.
    stop = np.where(free, seq, np.arange(seq))
    reach = np.minimum.accumulate(stop[:, ::-1], axis=1)[:, ::-1] - np.arange(seq)
    width = np.minimum(reach[row, start], WIDEST)
    owner = np.repeat(np.arange(len(row)), width)
    end = start[owner] + 1 + np.arange(len(owner)) - (np.cumsum(width) - width)[owner]
    spans = np.stack([row[owner], start[owner], end, label[owner]], axis=1)
    found = log_probabilities(scores.emissions, scores.lengths, scores.chain, spans, scheme)
    order = np.argsort(-found, kind="stable")
    taken = np.zeros_like(free)
    kept = []
    for index in order[found[order] >= np.log(LEAST)].tolist():
        at, first, behind, _ = spans[index]
        if not taken[at, first:behind].any():
            taken[at, first:behind] = True
            kept.append(index)
    return spans[sorted(kept)]


def _is_unknown(tagging: Tagging, mine: Spans, theirs: Spans) -> bool:
    return any(tagging.missing[span.start : span.end].any() for span in (*mine, *theirs))


def _with_probabilities(
    scores: TagScores, around: Sequence[Readings], docs: int, labels: Sequence[str]
) -> List[List[Spot]]:
    index = {label: i for i, label in enumerate(labels)}
    spots: List[List[Spot]] = [[] for _ in range(docs)]
    stretches = np.array([_stretch(mine, theirs) for _, mine, theirs in around])
    rows = np.array([row for row, _, _ in around], dtype=np.int64)
    for part in _chunks(scores, np.arange(len(around))):
        emissions, lengths = scores.emissions[rows[part]], scores.lengths[rows[part]]
        logs = []
        for which in (1, 2):
            spans = [
                (number, span.start, span.end, index[span.label])
                for number, at in enumerate(part.tolist())
                for span in around[at][which]
            ]
            table = np.array(spans, dtype=np.int64).reshape(-1, 4)
            settings = scores.chain, stretches[part], table, scores.scheme
            logs.append(stretch_log_probability(emissions, lengths, *settings).tolist())
        for at, given, other in zip(part.tolist(), *logs, strict=True):
            row, mine, theirs = around[at]
            start, end = stretches[at].tolist()
            words = end - start
            spots[row].append(Spot(start, end, mine, theirs, given, other, words))
    return spots


def _stretch(mine: Spans, theirs: Spans) -> Tuple[int, int]:
    """From the first token of both readings to the last."""
    spans = (*mine, *theirs)
    return min(span.start for span in spans), max(span.end for span in spans)

"""Spots of a classifier of spans: each span's probability is its own, whatever lies in or across
it."""

from typing import Any, List, Sequence, Set, Tuple

import numpy as np
from spacy.tokens import Doc

from ...nn.temperature import scale_by_temperature
from ...types import Annotation, Doubles
from .spots import Spans, Spot

# The least probability of an entity that nobody annotated.
LEAST = 0.01
# A probability counts as at least this, so that it has a logarithm.
TINY = 1e-12

Span = Tuple[int, int, int]  # start, end, label index
Edges = Tuple[int, int]


def span_probabilities(pipe: Any, docs: Sequence[Doc]) -> List[Tuple[Doubles, Doubles]]:
    """For each Doc, what a `span_ner` says of the spans that begin at each token, by width:
    `[tokens, max_width, labels]`, how probable each label is, and `[tokens, max_width, labels]`,
    how probable it is that the span has not this label: no label where spans are exclusive.

    docs: with the encoder's vectors.
    """
    output, mask = pipe.model.predict(docs)
    scores = scale_by_temperature(output.scores.double(), pipe.cfg["temperature"]).cpu()
    if pipe.module.exclusive:
        every = scores.softmax(-1).numpy()
        each, none = every[..., 1:], np.broadcast_to(every[..., :1], every[..., 1:].shape)
    else:
        each = scores.sigmoid().numpy()
        none = (-scores).sigmoid().numpy()
    lengths = mask.sum(1).tolist()
    return [(each[i, :n], none[i, :n]) for i, n in enumerate(lengths)]


def find_span_spots(
    each: Doubles,
    none: Doubles,
    given: Sequence[Span],
    unclear: Sequence[Edges],
    labels: Sequence[str],
) -> List[Spot]:
    """The spots of a Doc: one at each annotated entity that is not wider than the classifier looks,
    and one at each span without an annotation that has a probability of LEAST or more. Of those
    with one label that overlap, the most probable one is meant.

    each, none: as from `span_probabilities`, of the Doc. given: `(start, end, label index)`.
    unclear: spans of which neither an entity nor none is true.
    """
    there = set(given)
    taken = {(start, end) for start, end, _ in given}
    new = _candidates(each, taken | set(unclear))
    used: Set[Span] = set()
    spots = []
    for span in given:
        start, end, label = span
        if end - start > each.shape[1]:
            continue
        mine = _name(span, labels)
        held, free = _logs(each, none, span)
        options: List[Tuple[float, Spans]] = [(free, ())]
        for other in range(each.shape[2]):
            if other != label and (start, end, other) not in there:
                log_other = _log(each[start, end - start - 1, other])
                options.append((log_other, (_name((start, end, other), labels),)))
        near = [s for s in new if s[2] == label and s[0] < end and start < s[1]]
        log_given = held
        if near:
            # The most probable one of those that overlap it has the same label and other edges.
            rival = max(near, key=lambda s: float(each[s[0], s[1] - s[0] - 1, s[2]]))
            is_there, is_not = _logs(each, none, rival)
            shifted = free + is_there, (_name(rival, labels),)
            if shifted[0] > max(option[0] + is_not for option in options):
                options, log_given = [shifted], held + is_not
                used.add(rival)
        log_other, other_spans = max(options, key=lambda option: option[0])
        edges = [span[:2], *((o.start, o.end) for o in other_spans)]
        first, last = min(start for start, _ in edges), max(end for _, end in edges)
        spots.append(Spot(first, last, (mine,), other_spans, log_given, log_other))
    for span in new:
        if span not in used:
            held, free = _logs(each, none, span)
            spots.append(Spot(span[0], span[1], (), (_name(span, labels),), free, held))
    return spots


def _candidates(each: Doubles, taken: Set[Edges]) -> List[Span]:
    """The probable spans of a Doc whose edges are not taken: with the most probable label of each,
    and of those with one label that overlap the most probable one."""
    tokens = len(each)
    token, width, label = (each >= LEAST).nonzero()
    order = np.argsort(-each[token, width, label], kind="stable")
    covered = np.zeros((each.shape[2], tokens), dtype=bool)
    found = []
    for index in order.tolist():
        start, end, tag = int(token[index]), int(token[index] + width[index] + 1), int(label[index])
        if end <= tokens and (start, end) not in taken and not covered[tag, start:end].any():
            covered[tag, start:end] = True
            taken.add((start, end))
            found.append((start, end, tag))
    return sorted(found)


def _logs(each: Doubles, none: Doubles, span: Span) -> Tuple[float, float]:
    """The log probabilities that a span has its label, and that it has none."""
    start, end, label = span
    place = start, end - start - 1, label
    return _log(each[place]), _log(none[place])


def _log(probability: float) -> float:
    return float(np.log(max(probability, TINY)))


def _name(span: Span, labels: Sequence[str]) -> Annotation:
    return Annotation(span[0], span[1], labels[span[2]])

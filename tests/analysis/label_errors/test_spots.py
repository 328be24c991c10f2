"""Spots of a tagger against all tag sequences one by one; what they are called; of spans and
categories."""

from itertools import pairwise, product
from typing import Any, Dict, List, Set, Tuple

import numpy as np
import pytest
from spacy.tokens import Doc
from spacy.vocab import Vocab

from mtnlp.analysis.label_errors.corpus import Place
from mtnlp.analysis.label_errors.judging import JudgedDoc, Question
from mtnlp.analysis.label_errors.ranking import rank
from mtnlp.analysis.label_errors.readings import LEAST, Tagging, TagScores, find_spots
from mtnlp.analysis.label_errors.span_spots import find_span_spots
from mtnlp.analysis.label_errors.spots import (
    BOTH,
    BOUNDARY,
    MISSING,
    SPURIOUS,
    TYPE,
    Spot,
    surroundings,
)
from mtnlp.nn.linear_chain import LinearChainCRF
from mtnlp.types import Annotation

LABELS = ["A", "B"]
Spans = Set[Tuple[int, int, str]]


def make_scores(seed: int, scheme: str, lengths: List[int]) -> TagScores:
    import torch

    torch.manual_seed(seed)
    layer = LinearChainCRF(LABELS, scheme)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter)
    emissions = torch.randn(len(lengths), max(lengths), len(layer.start)).double().numpy()
    return TagScores(1.5 * emissions, np.array(lengths), layer.arrays(), layer.array_scheme)


def all_readings(scores: TagScores, row: int) -> List[Tuple[Spans, float]]:
    """The entities of every legal sequence of a row, and its probability."""
    emissions = scores.emissions[row, : scores.lengths[row]]
    chain, found = scores.chain, []
    for tags in product(range(emissions.shape[1]), repeat=len(emissions)):
        score = chain.start[tags[0]] + chain.end[tags[-1]]
        score += sum(emissions[t, tag] for t, tag in enumerate(tags))
        score += sum(chain.transitions[pair] for pair in pairwise(tags))
        if score > -np.inf:
            spans = scores.scheme.spans(np.array([tags]), np.ones((1, len(tags)), dtype=bool))
            found.append(({(s, e, LABELS[label]) for _, s, e, label in spans.tolist()}, score))
    total = np.logaddexp.reduce([score for _, score in found])
    return [(spans, float(np.exp(score - total))) for spans, score in found]


def probability(readings: List[Tuple[Spans, float]], spot: Spot, wanted: Any) -> float:
    """Of all readings whose entities that touch the spot are these."""
    return sum(
        p
        for spans, p in readings
        if {s for s in spans if s[0] < spot.end and spot.start < s[1]} == set(map(tuple, wanted))
    )


@pytest.mark.parametrize("scheme", ["bio", "biluo"])
@pytest.mark.parametrize("seed", range(3))
def test_against_all_sequences(scheme: str, seed: int) -> None:
    lengths = [4, 1, 3]
    scores = make_scores(seed, scheme, lengths)
    docs = [Doc(Vocab(), words=["w"] * length) for length in lengths]
    golds: List[List[Tuple[int, int, int]]] = [[(0, 2, 0), (3, 4, 1)], [], [(1, 3, 1)]]
    taggings = [Tagging(g, np.zeros(n, dtype=bool)) for g, n in zip(golds, lengths, strict=True)]
    found = find_spots(scores, docs, taggings, LABELS)
    for row, (spots, gold) in enumerate(zip(found, golds, strict=True)):
        readings = all_readings(scores, row)
        given = {(start, end, LABELS[label]) for start, end, label in gold}
        for spot in spots:
            assert np.exp(spot.log_given) == pytest.approx(probability(readings, spot, spot.given))
            assert np.exp(spot.log_other) == pytest.approx(probability(readings, spot, spot.other))
        for entity in given:
            without = max((r for r in readings if entity not in r[0]), key=lambda r: r[1])[0]
            mine, theirs = surroundings(
                Annotation(*entity),
                tuple(Annotation(*s) for s in sorted(given)),
                tuple(Annotation(*s) for s in sorted(without)),
            )
            assert any((spot.given, spot.other) == (mine, theirs) for spot in spots)
        # Whatever is missing is probable, free, and the best of what overlaps it.
        free = {
            (s, e, label)
            for s in range(lengths[row])
            for e in range(s + 1, lengths[row] + 1)
            for label in LABELS
            if not any(s < g[1] and g[0] < e for g in given)
        }
        each = {span: sum(p for spans, p in readings if span in spans) for span in free}
        missing = {tuple(spot.other[0]) for spot in spots if not spot.given}
        probable = {span for span, p in each.items() if p >= LEAST}
        assert missing <= probable
        for span in probable - missing:
            assert any(o[0] < span[1] and span[0] < o[1] and each[o] >= each[span] for o in missing)


def test_of_what_nobody_knows_nothing_is_said() -> None:
    scores = make_scores(0, "bio", [4])
    doc = Doc(Vocab(), words=list("abcd"))
    unknown = np.array([False, False, True, True])
    (spots,) = find_spots(scores, [doc], [Tagging([(0, 1, 0)], unknown)], LABELS)
    assert spots and all(spot.end <= 2 for spot in spots)
    (all_known,) = find_spots(scores, [doc], [Tagging([(0, 1, 0)], unknown & False)], LABELS)
    assert any(spot.end > 2 for spot in all_known)


def test_white_space_around_an_entity_is_none_of_it() -> None:
    """The best other reading of an entity with a blank behind it is that without, which is the
    same."""
    scores = make_scores(0, "bio", [3])
    scores.emissions[:] = 0.0
    scores.emissions[0, 0, 1] = 9.0
    scores.emissions[0, 1, 2] = 5.0
    doc = Doc(Vocab(), words=["Rome", " ", "."], spaces=[False, False, False])
    (spots,) = find_spots(scores, [doc], [Tagging([(0, 1, 0)], np.zeros(3, bool))], LABELS)
    assert not [spot for spot in spots if spot.given == spot.other]


def spot(given: List[Any], other: List[Any]) -> Spot:
    return Spot(
        0, 9, tuple(Annotation(*s) for s in given), tuple(Annotation(*s) for s in other), -1.0, -0.5
    )


@pytest.mark.parametrize(
    ("given", "other", "kind"),
    [
        ([], [(0, 1, "A")], MISSING),
        ([(0, 1, "A")], [], SPURIOUS),
        ([(0, 1, "A")], [(0, 1, "B")], TYPE),
        ([(0, 2, "A")], [(0, 1, "A")], BOUNDARY),
        ([(0, 2, "A")], [(0, 1, "A"), (1, 2, "A")], BOUNDARY),
        ([(0, 2, "A")], [(0, 1, "B")], BOTH),
    ],
)
def test_kinds(given: List[Any], other: List[Any], kind: str) -> None:
    assert spot(given, other).kind == kind
    assert Spot.from_json(spot(given, other).to_json()) == spot(given, other)


def test_surroundings() -> None:
    def named(*spans: Tuple[int, int]) -> Any:
        return tuple(Annotation(*span, "A") for span in spans)

    given, other = named((0, 2), (3, 4), (6, 8)), named((1, 4), (7, 9))
    assert surroundings(given[0], given, other) == (named((0, 2), (3, 4)), named((1, 4)))
    assert surroundings(given[2], given, other) == (named((6, 8)), named((7, 9)))
    assert surroundings(given[0], given, ()) == (named((0, 2)), ())


class TestSpans:
    """A classifier of spans up to two tokens of a text of three, exclusive."""

    labels = ("A", "B")

    def find(self, table: Dict[Any, List[float]], given: List[Any], unclear: Any = ()) -> Any:
        """table: by start and width, the probabilities of both labels."""
        each = np.full((3, 2, 2), 1e-4)
        for (start, width), values in table.items():
            each[start, width - 1] = values
        none = np.broadcast_to(1 - each.sum(-1, keepdims=True), each.shape)
        return find_span_spots(each, none, given, unclear, self.labels)

    def test_kinds(self) -> None:
        table = {(0, 1): [0.1, 0.8], (1, 1): [0.05, 0.01], (2, 1): [0.02, 0.9]}
        type_, spurious, missing = self.find(table, [(0, 1, 0), (1, 2, 0)])
        assert (type_.kind, type_.other) == (TYPE, ((0, 1, "B"),))
        assert np.exp([type_.log_given, type_.log_other]) == pytest.approx([0.1, 0.8])
        assert (spurious.kind, np.exp(spurious.log_other)) == (SPURIOUS, pytest.approx(0.94))
        assert (missing.kind, missing.other) == (MISSING, ((2, 3, "B"),))
        assert np.exp([missing.log_given, missing.log_other]) == pytest.approx([0.08, 0.9])

    def test_boundary(self) -> None:
        table = {(0, 2): [0.1, 0.0], (1, 1): [0.9, 0.0]}
        (found,) = self.find(table, [(0, 2, 0)])
        assert (found.kind, found.other, found.start, found.end) == (BOUNDARY, ((1, 2, "A"),), 0, 2)
        wanted = [0.1 * 0.1, 0.9 * 0.9]
        assert np.exp([found.log_given, found.log_other]) == pytest.approx(wanted)

    def test_entities_within_entities_are_no_error(self) -> None:
        table = {(0, 2): [0.0, 0.9], (1, 1): [0.9, 0.0]}
        found = self.find(table, [(0, 2, 1), (1, 2, 0)])
        assert all(spot.log_given > spot.log_other for spot in found)
        # One with another label may lie within one that is annotated.
        found = self.find(table, [(0, 2, 1)])
        assert [spot.kind for spot in found if spot.log_other > spot.log_given] == [MISSING]

    def test_what_is_unclear_or_too_wide(self) -> None:
        table = {(0, 2): [0.0, 0.9]}
        assert self.find(table, [], unclear=[(0, 2)]) == []
        assert self.find(table, [(0, 3, 1)])[-1].kind == MISSING


def test_odds_of_a_tagger_count_per_word() -> None:
    """Four words that say 8 together are less suspicious than one that says 3; what a classifier of
    spans says is one decision, however long the span."""
    place = Place("a.spacy", 0)
    long, short = Annotation(0, 4, "A"), Annotation(5, 6, "A")
    tagged = [Spot(0, 4, (long,), (), -8.0, 0.0, 4), Spot(5, 6, (short,), (), -3.0, 0.0, 1)]
    judged = JudgedDoc(place, {Question("ner", "ents"): list(tagged)})
    assert [item.spot for item in rank([judged])] == tagged[::-1]
    whole = [Spot(0, 4, (long,), (), -8.0, 0.0), Spot(5, 6, (short,), (), -3.0, 0.0)]
    judged = JudgedDoc(place, {Question("nested", "spans/sc"): list(whole)})
    assert [item.spot for item in rank([judged])] == whole


def test_spots_of_a_tagger_say_how_many_words_they_are_about() -> None:
    scores = make_scores(0, "bio", [6])
    doc = Doc(Vocab(), words=list("abcdef"))
    (spots,) = find_spots(scores, [doc], [Tagging([(1, 3, 0)], np.zeros(6, bool))], LABELS)
    assert spots and all(spot.decisions == spot.end - spot.start for spot in spots)
    assert any(spot.decisions > 1 for spot in spots)

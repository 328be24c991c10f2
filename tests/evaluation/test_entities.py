"""Nested and flat predictions against nested gold and against the flattened one."""

from typing import Any, Callable, Dict, List, Optional, Sequence, Set, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import filter_spans
from spacy.vocab import Vocab

from mtnlp.evaluation.entities import EntityEvaluation, flattened_entities
from mtnlp.evaluation.intervals import bootstrap_interval
from mtnlp.gold.entities import get_entities
from mtnlp.scorers.entities import score_entities

VOCAB = Vocab()
WORDS = ["Bank", "of", "Rome", "in", "Italy", "met", "Doctor", "Bell", "Labs", "today"]
LABELS = ["ORG", "CITY", "COUNTRY", "PERSON", "TITLE"]
Layer = Sequence[Tuple[int, int, str]]

GOLD: Layer = [
    (2, 3, "CITY"),
    (0, 5, "ORG"),
    (4, 5, "COUNTRY"),
    (7, 9, "ORG"),  # crosses the next two, which begin before it
    (6, 8, "PERSON"),
    (6, 8, "TITLE"),
]
FLATTENED: Set[Tuple[int, int, str]] = {(0, 5, "ORG"), (6, 8, "PERSON")}
NESTED: Layer = [
    (0, 5, "ORG"),
    (2, 3, "CITY"),
    (4, 5, "COUNTRY"),
    (6, 8, "PERSON"),
    (9, 10, "CITY"),
]
FLAT: Layer = [(0, 5, "ORG"), (6, 8, "PERSON"), (9, 10, "CITY")]


def make_doc(layer: Optional[Layer]) -> Doc:
    """A document with the layer; without one where it is None."""
    doc = Doc(VOCAB, words=WORDS)
    if layer is not None:
        doc.spans["nerel"] = [Span(doc, *span) for span in layer]
    return doc


def evaluate(pairs: Sequence[Tuple[Layer, Optional[Layer]]]) -> Dict[str, Any]:
    """Metrics of pairs of predictions and gold."""
    evaluation = EntityEvaluation("nerel")
    evaluation.add([Example(make_doc(given), make_doc(gold)) for given, gold in pairs])
    return evaluation.result(samples=50, seed=0)


@pytest.mark.parametrize(
    "predicted, against_all, against_flattened",
    [
        # tp 4, fp 1, fn 2; inner entities are wrong beside the flattened gold: tp 2, fp 3, fn 0.
        (NESTED, (4 / 5, 4 / 6, 8 / 11), (2 / 5, 2 / 2, 4 / 7)),
        # tp 2, fp 1, fn 4; no inner entity to miss in the flattened gold: tp 2, fp 1, fn 0.
        (FLAT, (2 / 3, 2 / 6, 4 / 9), (2 / 3, 2 / 2, 4 / 5)),
    ],
    ids=["nested", "flat"],
)
def test_both_kinds_of_predictions_against_both_kinds_of_gold(
    predicted: Layer,
    against_all: Tuple[float, float, float],
    against_flattened: Tuple[float, float, float],
    check_metrics: Callable[..., None],
) -> None:
    result = evaluate([(predicted, GOLD)])
    flattened = result["flattened_gold"]
    assert (result["entities"], flattened["entities"]) == (6, 2)
    assert tuple(result["micro"].values()) == pytest.approx(against_all)
    assert tuple(flattened["micro"].values()) == pytest.approx(against_flattened)
    assert set(flattened) == {"entities", "micro", "f_interval", "macro", "per_type"}
    check_metrics(flattened)
    # Against all entities it is what training and `spacy evaluate` show.
    scores = score_entities([Example(make_doc(predicted), make_doc(GOLD))], spans_key="nerel")
    assert result["micro"]["f"] == scores["spans_nerel_f"]


def test_types_that_only_occur_inside_are_wrong_beside_the_flattened_gold() -> None:
    per_type = evaluate([(NESTED, GOLD)])["flattened_gold"]["per_type"]
    assert per_type["COUNTRY"] == {"p": 0.0, "r": 0.0, "f": 0.0, "support": 0}
    assert per_type["ORG"] == {"p": 1.0, "r": 1.0, "f": 1.0, "support": 1}
    assert "TITLE" not in per_type


def test_the_interval_is_that_of_the_flattened_counts() -> None:
    result = evaluate([(FLAT, GOLD), (FLAT, FLAT), ([], []), ([(0, 1, "CITY")], [])])
    counts = [[2, 1, 0], [3, 0, 0], [0, 0, 0], [0, 1, 0]]
    expected = bootstrap_interval(counts, samples=50, seed=0)  # type: ignore[arg-type]
    assert result["flattened_gold"]["f_interval"] == list(expected)
    assert result["flattened_gold"]["micro"]["f"] == pytest.approx(10 / 12)
    assert result["f_interval"] != list(expected)


def test_flat_gold_shows_nothing_new() -> None:
    repeated = [*FLAT, FLAT[0]]
    for predicted in (FLAT, NESTED):
        for gold in (FLAT, repeated, [], None):
            assert "flattened_gold" not in evaluate([(predicted, gold)])
    assert "flattened_gold" not in evaluate([])


def test_what_was_not_annotated_counts_for_nothing() -> None:
    alone, beside = evaluate([(NESTED, GOLD)]), evaluate([(NESTED, GOLD), (NESTED, None)])
    assert beside == alone and alone["documents"] == 1
    # Annotated with no entities is not the same.
    empty = evaluate([(NESTED, GOLD), (NESTED, [])])
    assert empty["flattened_gold"]["micro"]["p"] == pytest.approx(2 / 10)


def test_entities_of_the_document() -> None:
    """`doc.ents` cannot overlap; partly annotated ones stay as they are."""
    doc = make_doc(None)
    doc.set_ents([Span(doc, 0, 5, "ORG")], missing=[doc[5:9]], default="outside")
    evaluation = EntityEvaluation(None)
    evaluation.add([Example(make_doc(None), doc)])
    assert flattened_entities(Example(make_doc(None), doc), None) == {(0, 5, "ORG")}
    assert "flattened_gold" not in evaluation.result(samples=10, seed=0)


@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(1, 4), st.sampled_from(LABELS)), max_size=10)
)
def test_scored_is_what_a_flat_tagger_learns(starts: List[Tuple[int, int, str]]) -> None:
    layer = [(start, min(start + width, len(WORDS)), label) for start, width, label in starts]
    reference = make_doc(layer)
    example = Example(make_doc(None), reference)
    flattened = flattened_entities(example, "nerel")
    learnt = get_entities(example, "nerel", {label: i for i, label in enumerate(LABELS)})
    assert learnt is not None and not learnt.missing.any()
    assert {(start, end, LABELS[i]) for start, end, i in learnt.spans} == flattened
    kept = filter_spans(reference.spans["nerel"])
    assert {(span.start, span.end, span.label_) for span in kept} == flattened


def test_the_worked_example_is_flattened_as_written() -> None:
    assert flattened_entities(Example(make_doc(None), make_doc(GOLD)), "nerel") == FLATTENED

"""Nested gold entities as classes of spans."""

from typing import List, Optional, Sequence, Tuple

import pytest
import spacy
import torch
from spacy.tokens import Doc, Span
from spacy.training import Example

from mtnlp.gold.spans import get_spans, span_targets

NLP = spacy.blank("en")
LABELS = ["CITY", "ORG"]
INDEX = {label: i for i, label in enumerate(LABELS)}
WORDS = ["Bank", "of", "New", "York", "fell"]
NESTED = [(0, 4, "ORG"), (2, 4, "CITY")]


def example(
    spans: Optional[Sequence[Tuple[int, int, str]]],
    words: Sequence[str] = WORDS,
    predicted: Optional[Sequence[str]] = None,
) -> Example:
    """spans: of doc.spans["nerel"]; None where it is not annotated."""
    reference = Doc(NLP.vocab, words=list(words))
    if spans is not None:
        reference.spans["nerel"] = [Span(reference, a, b, label=label) for a, b, label in spans]
    return Example(Doc(NLP.vocab, words=list(predicted or words)), reference)


def positives(target: torch.Tensor) -> List[List[int]]:
    return target.nonzero().tolist()


def test_nested_spans() -> None:
    target = span_targets([example(NESTED)], "nerel", LABELS, 4, True)
    assert target.doc_indices == [0] and target.units == 5.0
    assert target.target.shape == target.mask.shape == (1, 5, 4)
    assert positives(target.target) == [[0, 0, 3], [0, 2, 1]]
    assert target.target[0, 0, 3] == 2 and target.target[0, 2, 1] == 1
    assert target.mask.sum() == 5 + 4 + 3 + 2


def test_indicators() -> None:
    gold = [*NESTED, (2, 4, "ORG")]
    target = span_targets([example(gold)], "nerel", LABELS, 4, False)
    assert target.target.shape == (1, 5, 4, 2) and target.mask.shape == (1, 5, 4)
    assert positives(target.target) == [[0, 0, 3, 1], [0, 2, 1, 0], [0, 2, 1, 1]]


@pytest.mark.parametrize("first", LABELS)
def test_the_first_of_several_labels(first: str) -> None:
    other = next(label for label in LABELS if label != first)
    gold = [(2, 4, first), (0, 1, "ORG"), (2, 4, other), (2, 4, other)]
    target = span_targets([example(gold)], "nerel", LABELS, 4, True).target
    assert target[0, 2, 1] == 1 + INDEX[first]


def test_crossing_spans() -> None:
    gold = [(0, 3, "ORG"), (2, 5, "CITY")]
    target = span_targets([example(gold)], "nerel", LABELS, 3, True)
    assert positives(target.target) == [[0, 0, 2], [0, 2, 2]]


def test_entities_that_are_too_wide_are_no_candidates() -> None:
    target = span_targets([example(NESTED)], "nerel", LABELS, 3, True)
    assert positives(target.target) == [[0, 2, 1]]
    assert target.mask[0, 0].tolist() == [True] * 3
    gold = get_spans(example(NESTED), "nerel", INDEX)
    assert gold is not None and gold.spans == [(0, 4, 1), (2, 4, 0)]


def test_a_batch() -> None:
    """Unannotated and empty Docs are no rows, annotated ones without entities are."""
    examples = [
        example(None),
        example([], ["Hi"]),
        example(NESTED),
        example([], []),
        example([(1, 2, "CITY")], ["in", "Rome"]),
    ]
    target = span_targets(examples, "nerel", LABELS, 4, True)
    assert target.doc_indices == [1, 2, 4] and target.units == 8.0
    assert positives(target.target) == [[1, 0, 3], [1, 2, 1], [2, 1, 0]]
    assert target.mask.sum((1, 2)).tolist() == [1, 14, 3]


@pytest.mark.parametrize("exclusive", [True, False])
def test_nothing_annotated(exclusive: bool) -> None:
    target = span_targets([example(None), example([], [])], "nerel", LABELS, 4, exclusive)
    assert target.doc_indices == [] and target.units == 0.0
    assert target.mask.shape == (0, 0, 4)
    assert target.target.shape == ((0, 0, 4) if exclusive else (0, 0, 4, 2))


@pytest.mark.parametrize("exclusive", [True, False])
def test_an_unknown_label_is_missing(exclusive: bool) -> None:
    gold = [(0, 4, "ORG"), (2, 4, "MOON")]
    target = span_targets([example(gold)], "nerel", LABELS, 4, exclusive)
    assert target.mask.sum() == 13 and not target.mask[0, 2, 1]
    assert len(positives(target.target)) == 1


def test_other_tokens() -> None:
    """Boundaries are taken over where they are token boundaries, else the span is missing."""
    predicted = ["Bank", "of", "New", "Yo", "rk", "fell"]
    target = span_targets([example(NESTED, predicted=predicted)], "nerel", LABELS, 8, True)
    assert positives(target.target) == [[0, 0, 4], [0, 2, 2]]
    gold = [(0, 4, "ORG"), (3, 4, "CITY"), (2, 4, "CITY")]
    merged = ["Bank", "of", "New York", "fell"]
    target = span_targets([example(gold, predicted=merged)], "nerel", LABELS, 8, True)
    assert positives(target.target) == [[0, 0, 2], [0, 2, 0]]
    assert target.mask.sum() == 10 - 1 and not target.mask[0, 2, 0]


def test_doc_ents_with_missing_tokens() -> None:
    eg = example(None)
    span = Span(eg.reference, 2, 4, label="CITY")
    eg.reference.set_ents([span], missing=[eg.reference[0:1]], default="outside")
    target = span_targets([eg], None, LABELS, 4, True)
    assert positives(target.target) == [[0, 2, 1]] and target.units == 4.0
    assert target.mask[0, 0].tolist() == [False] * 4
    assert target.mask.sum() == 4 + 3 + 2 + 1
    eg.reference.set_ents([], missing=[eg.reference[:]], default="outside")
    assert span_targets([eg], None, LABELS, 4, True).doc_indices == []

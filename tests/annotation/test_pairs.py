"""Docs that hold two texts: where their sides are."""

import pytest
import spacy
from spacy.tokens import Doc, Span

from mtnlp.annotation.pairs import (
    SIDE_SEPARATOR,
    has_sides,
    is_pair,
    join_sides,
    may_be_entities,
    side_ranges,
    side_stops,
    similarity_of,
)

NLP = spacy.blank("en")


@pytest.mark.parametrize(
    ("first", "second"),
    [("A dog ran.", "It's a cat."), (" (a) ", '"b"'), ("end-", "-start"), ("http://x.y", "U.S.")],
)
def test_sides_have_the_tokens_of_the_sentences_alone(first: str, second: str) -> None:
    doc = NLP(join_sides(first, second))
    sides = [[token.text for token in doc[start:stop]] for start, stop in side_ranges(doc)]
    assert sides == [[token.text for token in NLP(text.strip())] for text in (first, second)]
    assert has_sides([NLP("a"), doc]) and not has_sides([NLP(first), NLP("")])


def test_separators_anywhere() -> None:
    found = {text: (side_stops(doc), side_ranges(doc)) for text, doc in docs().items()}
    assert found["a|b"] == ([2, 3], [(0, 1), (2, 3)])
    assert found["|b"] == ([1, 2], [(0, 0), (1, 2)])
    # What stands behind the last separator is a side only where there is something.
    assert found["a|"] == ([2], [(0, 1)])
    assert found["|"] == ([1], [(0, 0)])
    assert found["a|b|c"] == ([2, 4, 5], [(0, 1), (2, 3), (4, 5)])
    assert found[""] == ([0], [(0, 0)])
    assert found["a b"] == ([2], [(0, 2)])


def docs() -> "dict[str, Doc]":
    texts = ("a|b", "|b", "a|", "|", "a|b|c", "", "a b")
    return {text: NLP(text.replace("|", SIDE_SEPARATOR)) for text in texts}


def test_a_separator_within_a_side_is_a_blank() -> None:
    assert join_sides(f"a{SIDE_SEPARATOR}b", "c") == f"a b{SIDE_SEPARATOR}c"


def test_what_is_known_of_a_pair() -> None:
    doc = NLP(join_sides("a", "b"))
    assert not is_pair(doc) and similarity_of(doc) is None
    doc.cats["similarity"] = 0.5
    assert similarity_of(doc) is None
    doc.spans["pair"] = [doc[:1], doc[2:]]
    assert is_pair(doc) and similarity_of(doc) == 0.5
    doc.cats["similarity"] = float("nan")
    assert is_pair(doc) and similarity_of(doc) is None
    assert not may_be_entities(doc.spans["pair"]) and may_be_entities([])
    assert may_be_entities([doc[:1], Span(doc, 2, 3, "PER")])

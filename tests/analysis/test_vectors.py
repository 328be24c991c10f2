"""The collection of vectors, and the numbers of a map."""

import json
from typing import Any, List

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example

from mtnlp.analysis.points import Documents, Entities
from mtnlp.analysis.vectors import Query, VectorCollector, map_numbers
from mtnlp.annotation.layers import EntsLayer
from mtnlp.errors import MtnlpError
from mtnlp.files import plain
from mtnlp.scorers.categories import CategoryTask

VOCAB = spacy.blank("en").vocab
TASK = CategoryTask("film", ("film/good", "film/bad"), exclusive=True)


def example(number: int, *, is_good: bool = True, annotated: bool = True) -> Example:
    """A document of which everything follows from its number; its vector has its token rows'
    mean."""
    words = ["film", f"n{number}"]
    doc, reference = Doc(VOCAB, words=words), Doc(VOCAB, words=words)
    angle = 0.1 * number + (0 if is_good else np.pi)
    doc.tensor = np.array([[np.cos(angle), np.sin(angle), 0.1]] * 2, dtype="float32")
    doc.cats = {"film/good": 0.75, "film/bad": 0.25}
    if annotated:
        reference.cats = {"film/good" if is_good else "film/bad": 1.0}
    return Example(doc, reference)


def collect(examples: List[Example], limit: int = 100, **options: Any) -> VectorCollector:
    collected = VectorCollector(Documents(TASK, "textcat: film"), limit, **options)
    collected.add(examples[:2])
    collected.add(examples[2:])
    return collected


def test_all_are_kept_below_the_limit() -> None:
    collected = collect([example(i) for i in range(5)])
    assert [point.text for point in collected.points] == [f"film n{i}" for i in range(5)]
    assert (collected.found, collected.empty, collected.documents) == (5, 0, 5)
    assert collected.vectors[3] == pytest.approx([np.cos(0.3), np.sin(0.3), 0.1])


def test_a_sample_is_fair_and_repeatable() -> None:
    examples = [example(i) for i in range(12)]
    counts = np.zeros(12)
    for seed in range(400):
        collected = collect(examples, 3, seed=seed)
        kept = [int(point.text[6:]) for point in collected.points]
        angles = np.arctan2(collected.vectors[:, 1], collected.vectors[:, 0])
        assert angles == pytest.approx(0.1 * np.array(kept), abs=1e-5)
        assert len(set(kept)) == 3 and collected.found == 12
        counts[kept] += 1
    # 100 each; five standard deviations of a binomial of 400 draws at 1/4.
    assert np.abs(counts - 100).max() < 5 * np.sqrt(400 * 0.25 * 0.75)
    again = [point.text for point in collect(examples, 3, seed=7).points]
    assert again == [point.text for point in collect(examples, 3, seed=7).points]


def test_what_has_no_vector_is_counted() -> None:
    examples = [example(i) for i in range(3)]
    examples[1].predicted.tensor = np.zeros((2, 3), dtype="float32")
    examples[2].predicted.tensor = np.zeros((0,), dtype="float32")
    collected = collect(examples)
    assert (len(collected), collected.found, collected.empty) == (1, 1, 2)
    with pytest.raises(MtnlpError, match=r"E715.*2 documents"):
        map_numbers(collect(examples[1:] + examples[1:2][:0]))


def test_annotated_documents_alone() -> None:
    examples = [example(i, annotated=i != 1) for i in range(3)]
    collected = collect(examples, annotated_only=True)
    assert [point.text for point in collected.points] == ["film n0", "film n2"]
    assert collected.documents == 2


def test_numbers_of_a_map() -> None:
    examples = [example(i, is_good=i % 2 == 0) for i in range(6)] + [example(6, annotated=False)]
    collected = collect(examples)
    query = Query("A good one", None, np.array([2, 0, 0.2], dtype="float32"))
    numbers = map_numbers(collected, neighbours=2, queries=[query], corpus_documents=9)
    assert json.loads(json.dumps(plain(numbers), allow_nan=False)) == numbers
    assert numbers["of"] == "documents" and numbers["task"] == "textcat: film"
    assert numbers["corpus_documents"] == 9 and numbers["documents"] == 7
    assert numbers["labels"] == ["good", "bad"] and numbers["errors"] == ["right", "wrong"]
    points = numbers["points"]
    assert points["label"] == [0, 1, 0, 1, 0, 1, 0] and points["predicted"] == [0] * 7
    assert points["error"] == [0, 1, 0, 1, 0, 1, None] and points["score"] == [0.75] * 7
    assert points["mark"] == [None] * 7 and points["text"][4] == "film n4"
    # Good ones lie on one side, bad ones on the other.
    assert numbers["neighbours"]["index"][:2] == [[2, 4], [3, 5]]
    assert numbers["neighbours"]["cosine"][0] == sorted(numbers["neighbours"]["cosine"][0])[::-1]
    side = np.sign(points["x"]) * np.where(np.array(points["label"]) == 0, 1, -1)
    assert len(set(side.tolist())) == 1
    (asked,) = numbers["queries"]
    assert asked["index"] == [0, 2] and asked["cosine"][0] == pytest.approx(1, abs=1e-3)
    assert asked["x"] == pytest.approx(points["x"][0], abs=0.05)
    assert numbers["agreement"] == 1.0 and numbers["agreement_chance"] == pytest.approx(
        18 / 42, abs=1e-3
    )
    good, bad = numbers["per_label"]
    assert good == {
        "label": "good",
        "points": 4,
        "right": 3,
        "wrong": 0,
        "score": 0.75,
        "agreement": 1.0,
    }
    assert (bad["points"], bad["right"], bad["wrong"]) == (3, 0, 3)


def test_entities_have_the_vectors_of_their_words() -> None:
    one = example(1)
    one.predicted.tensor = np.array([[1, 0], [0, 1]], dtype="float32")
    one.predicted.set_ents([Span(one.predicted, 1, 2, "NAME")])
    collected = VectorCollector(Entities(EntsLayer(), "ner", "ner"), 10)
    collected.add([one])
    assert collected.vectors.tolist() == [[0.0, 1.0]]
    numbers = map_numbers(collected)
    assert numbers["points"]["mark"] == [[5, 7]] and numbers["neighbours"]["index"] == [[]]


def test_nothing_to_draw() -> None:
    with pytest.raises(MtnlpError, match=r"E717.*documents"):
        map_numbers(collect([]))

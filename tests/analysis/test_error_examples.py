"""Which texts of errors are kept."""

import random
from typing import Any, List, Tuple

from hypothesis import given
from hypothesis import strategies as st

from mtnlp.analysis.error_examples import Best, ErrorExamples
from mtnlp.evaluation.alignment import OTHER_LABEL, OVERLAP
from tests.analysis.documents import PAIRS, make_document


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([None, 0.1, 0.5, 0.5, 0.9]))),
    st.integers(0, 4),
)
def test_the_best_of_each_key_are_kept(items: List[Tuple[str, Any]], size: int) -> None:
    best: Best[str] = Best(size)
    made = []
    for number, (key, score) in enumerate(items):

        def make(number: int = number) -> int:
            made.append(number)
            return number

        best.add(key, score, make)
    for key in "ab":
        own = [(n, -1.0 if s is None else s) for n, (k, s) in enumerate(items) if k == key]
        ranked = sorted(own, key=lambda item: (-item[1], item[0]))
        assert best.of(key) == [number for number, _ in ranked[:size]]
        assert best.seen[key] == len(own)
    # Nothing is made that was not among the best when it came.
    kept = {number for key in "ab" for number in best.of(key)}
    assert kept <= set(made) and len(made) <= len(items)


def test_texts_of_each_key_in_turn() -> None:
    best: Best[str] = Best(3)
    order = [("rare", 1), ("often", 2), ("often", 3), ("often", 4), ("often", 5)]
    for key, number in order:
        best.add(key, None, lambda number=number: number)
    assert best.mixed(10) == [2, 1, 3, 4] and best.mixed(2) == [2, 1]


def test_examples_by_hand() -> None:
    # "The Bank of New York said that Ann Bell left Rome today ."
    gold = {(1, 5, "ORG"), (7, 8, "PER"), (8, 9, "PER"), (10, 11, "LOC"), (11, 12, "TIME")}
    scores = {(1, 2, "ORG"): 0.4, (3, 5, "LOC"): 0.7, (7, 9, "PER"): 0.9, (5, 6, "X"): 0.2}
    scores[10, 11, "ORG"] = 0.8
    examples = ErrorExamples(3, 10)
    examples.add(make_document(gold, scores, scores))
    found = examples.result()
    shown = {
        kind: [(text["gold"], text["predicted"], text["score"]) for text in texts]
        for kind, texts in found.items()
    }
    assert shown == {
        "missed": [([[11, 12, "TIME"]], [], None)],
        # What shares words with it is shown as well.
        "spurious": [
            ([[1, 5, "ORG"]], [[3, 5, "LOC"]], 0.7),
            ([], [[5, 6, "X"]], 0.2),
        ],
        "fragmented": [([[1, 5, "ORG"]], [[1, 2, "ORG"], [3, 5, "LOC"]], 0.7)],
        "merged": [([[7, 8, "PER"], [8, 9, "PER"]], [[7, 9, "PER"]], 0.9)],
    }
    (pair,) = examples.pairs.of(("LOC", "ORG"))
    assert (pair["gold"], pair["predicted"], pair["score"]) == (
        [[10, 11, "LOC"]],
        [[10, 11, "ORG"]],
        0.8,
    )


@given(PAIRS)
def test_all_confused_pairs_are_seen(pairs: Any) -> None:
    examples = ErrorExamples(2, 3)
    confused = 0
    for gold, predicted in pairs:
        scores = {entity: random.Random(0).random() for entity in predicted}
        document = make_document(gold, predicted, scores)
        examples.add(document)
        confused += sum(match.kind in (OTHER_LABEL, OVERLAP) for match in document.matches)
    assert sum(examples.pairs.seen.values()) == confused
    assert all(len(texts) <= 3 for texts in examples.result().values())

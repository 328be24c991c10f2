"""Agreement of annotators, by counting and against scikit-learn."""

import random
from typing import List, Optional

import pytest
from sklearn.metrics import cohen_kappa_score

from mtnlp.data.agreement import f1, kappa, measure, print_agreement
from mtnlp.types import Annotation, Record

PER, LOC = Annotation(0, 4, "PER"), Annotation(5, 9, "LOC")


def judged(
    annotator: str,
    label: Optional[str] = None,
    entities: Optional[List[Annotation]] = None,
) -> Record:
    cats = None if label is None else {f"topic/{x}": float(x == label) for x in "abc"}
    return Record(
        text="Anna Rome", cats=cats, entities=entities, meta={"annotator": annotator}
    )  # fmt: skip


@pytest.mark.parametrize("labels", ["ab", "abcd"])
def test_kappa_is_that_of_scikit_learn(labels: str) -> None:
    rng = random.Random(0)
    for noise in (0.0, 0.3, 1.0):
        left = rng.choices(labels, weights=range(1, len(labels) + 1), k=200)
        right = [rng.choice(labels) if rng.random() < noise else label for label in left]
        expected = cohen_kappa_score(left, right)
        assert kappa(list(zip(left, right, strict=True))) == pytest.approx(expected)


def test_kappa_by_hand() -> None:
    # Observed 0.7; expected 0.6 * 0.5 + 0.4 * 0.5 = 0.5.
    pairs = [("y", "y")] * 4 + [("y", "n")] * 2 + [("n", "y")] + [("n", "n")] * 3
    assert kappa(pairs) == pytest.approx(0.4)
    assert kappa([("y", "y")] * 3) is None
    assert kappa([]) is None


def test_entity_f1() -> None:
    assert f1([(True, True), (True, False), (False, True)]) == pytest.approx(0.5)
    assert f1([]) is None


def test_the_mean_over_pairs() -> None:
    """Pairs without a document in common are no pairs."""
    groups = [
        [judged("x", "a"), judged("y", "a"), judged("z")],
        [judged("x", "b"), judged("y", "b")],
        [judged("x", "c"), judged("z", "a")],
        [judged("x", "a"), judged("z", "a")],
    ]
    found = measure(groups, {"topic"})
    assert (found.annotators, found.documents) == (3, 4)
    score = found.kappa["topic"]
    # x and y agree throughout; x and z: observed 0.5, expected 0.5.
    assert score.value == pytest.approx((1.0 + 0.0) / 2)
    assert (score.pairs, score.documents) == (2, 4)
    assert found.f1 == {}


def test_labels_that_hold_each_for_itself() -> None:
    """Every judgement of a label counts, and only where both gave one."""
    left, right = judged("x"), judged("y")
    left.cats = {"t/a": 1.0, "t/b": 1.0, "t/c": 0.0, "t/d": 0.0}
    right.cats = {"t/a": 1.0, "t/b": 0.0, "t/c": 0.0, "t/e": 1.0}
    assert measure([[left, right]], set()).kappa["t"].value == pytest.approx(
        cohen_kappa_score([1, 1, 0], [1, 0, 0])
    )


def test_entities_and_layers() -> None:
    left, right = judged("x", entities=[PER, LOC]), judged("y", entities=[PER])
    left.spans = {"deep": [PER]}
    third = judged("z")
    found = measure([[left, right, third]], set())
    assert found.f1[None].value == pytest.approx(2 / 3)
    assert (found.f1[None].pairs, found.f1[None].documents) == (1, 1)
    assert (found.f1["deep"].value, found.f1["deep"].documents) == (None, 0)
    right.missing = [(5, 9)]
    assert measure([[left, right, third]], set()).f1[None].value == 1.0


def test_the_screen(capsys: pytest.CaptureFixture) -> None:
    print_agreement(measure([[judged("x", "a", [PER]), judged("y", "b", [PER, LOC])]], {"topic"}))
    output = capsys.readouterr().out
    assert "2 annotators, 1 document judged by several of them" in output
    assert "topic" in output and "0.000" in output
    assert "ents" in output and "0.667" in output

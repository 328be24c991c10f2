"""Two pipelines compared on the same documents."""

from typing import Any, Dict, List, Optional, Tuple

import numpy as np
import pytest
from spacy.tokens import Doc
from spacy.training import Example

from mtnlp.analysis.options import Settings
from mtnlp.analysis.versus import Versus
from mtnlp.annotation.layers import SpansLayer
from mtnlp.evaluation.confusions import LabelTask, category_task, entity_task
from mtnlp.evaluation.intervals import paired_bootstrap
from mtnlp.scorers.categories import CategoryTask
from mtnlp.scorers.entities import SpanKey
from tests.analysis.documents import VOCAB, WORDS, make_pair
from tests.analysis.test_category_report import EXCLUSIVE, one_hot
from tests.analysis.test_category_report import make_pair as make_cats

SETTINGS = Settings(samples=200, texts=4)
TASKS: Dict[str, LabelTask] = {
    "ner": entity_task(SpansLayer("key")),
    "cat: t": category_task(EXCLUSIVE),
    "old": entity_task(SpansLayer("old")),
}
# A task of the same name that is counted in another way is another task.
OTHERS: Dict[str, LabelTask] = {
    "ner": entity_task(SpansLayer("key")),
    "cat: t": category_task(EXCLUSIVE),
    "old": category_task(CategoryTask("old", ("old/a",), True)),
}
Layer = List[SpanKey]


def compare(documents: List[Tuple[Optional[Layer], Layer, Layer]]) -> Dict[str, Any]:
    """Of gold, what this pipeline finds and what the other one finds."""
    versus = Versus(TASKS, OTHERS, SETTINGS)
    for gold, this, other in documents:
        sides = (make_pair(gold, dict.fromkeys(side, 0.5)) for side in (this, other))
        versus.add(*([side] for side in sides))
    return versus.result()


def test_scores_differences_and_intervals() -> None:
    one, wrong = (0, 1, "A"), (5, 6, "B")
    documents = [([one], [one], [])] * 12 + [([one], [one, wrong], [one])] * 2
    found = compare(documents)
    (row,) = found["tasks"]
    # tp 14, fp 2, fn 0 against tp 2, fp 0, fn 12.
    assert row["this"] == pytest.approx(28 / 30) and row["other"] == pytest.approx(4 / 16)
    assert row["difference"] == pytest.approx(28 / 30 - 4 / 16)
    counts = [
        np.array([[1, 0, 0]] * 12 + [[1, 1, 0]] * 2),
        np.array([[0, 0, 1]] * 12 + [[1, 0, 0]] * 2),
    ]
    expected = paired_bootstrap(counts[1], counts[0], samples=200, seed=0)
    assert (row["low"], row["high"], row["p_value"]) == (*expected.interval, expected.p_value)
    assert row["verdict"] == "better" and row["documents"] == 14
    swapped = compare([(gold, b, a) for gold, a, b in documents])["tasks"][0]
    assert swapped["verdict"] == "worse"
    assert swapped["difference"] == pytest.approx(-row["difference"])
    labels = {item["label"]: item for item in found["labels"]}
    assert (labels["A"]["this"], labels["A"]["support"]) == (1.0, 14)
    assert labels["A"]["other"] == pytest.approx(4 / 16)
    assert (labels["B"]["difference"], labels["B"]["support"]) == (0.0, 0)
    same = compare([([one], [one], [one])])["tasks"][0]
    assert same["verdict"] == "no clear difference" and same["difference"] == 0.0


def test_texts_where_they_differ() -> None:
    gold = [(1, 5, "ORG"), (7, 9, "PER")]
    found = compare(
        [
            (gold, gold, gold),
            (gold, gold, [(3, 5, "LOC")]),
            (gold, [], gold[:1]),
            (gold, [(1, 5, "LOC"), gold[1]], [(1, 5, "MISC"), gold[1]]),
            (None, [], gold),
        ]
    )
    texts = {text["which_right"]: text for text in found["texts"]}
    assert set(texts) == {"this", "other", "neither"} and len(found["texts"]) == 3
    assert texts["this"]["words"] == WORDS and texts["this"]["task"] == "ner"
    assert texts["this"]["other"] == [[3, 5, "LOC"]]
    assert texts["this"]["gold"] == texts["this"]["this"] == [[1, 5, "ORG"], [7, 9, "PER"]]
    assert texts["other"]["this"] == []


def test_tasks_that_one_has_alone_and_categories() -> None:
    versus = Versus(TASKS, OTHERS, SETTINGS)
    assert versus.only_this == versus.only_other == ["old"]
    mine, theirs = make_cats(one_hot(0), [0.9, 0.1, 0.0]), make_cats(one_hot(0), [0.2, 0.3, 0.1])
    versus.add([mine] * 3, [theirs] * 3)
    found = versus.result()
    (row,) = found["tasks"]
    assert (row["name"], row["metric"], row["this"], row["other"]) == (
        "cat: t",
        "accuracy",
        1.0,
        0.0,
    )
    assert found["texts"][0] == {
        "task": "cat: t",
        "text": "a text",
        "words": None,
        "spaces": None,
        "gold": ["x"],
        "this": ["x"],
        "other": ["y"],
        "which_right": "this",
    }
    assert (found["only_this"], found["only_other"]) == (["old"], ["old"])


def test_vectors_of_both() -> None:
    """Pairs whose gold similarity one pipeline follows, and the other one turns round."""

    def make_sides(number: int) -> List[Example]:
        sides = []
        for angle in (number, 9 - number):
            reference, predicted = (Doc(VOCAB, words=["one", "other"]) for _ in range(2))
            reference.spans["pair"] = [reference[0:1], reference[1:2]]
            reference.cats = {"similarity": 1 - number / 10}
            predicted.tensor = np.array([[1.0, 0.0], [np.cos(angle / 10), np.sin(angle / 10)]])
            predicted.user_span_hooks["vector"] = lambda span: span.doc.tensor[span.start]
            sides.append(Example(predicted, reference))
        return sides

    versus, without = (Versus({}, {}, SETTINGS, name) for name in ("vectors", None))
    for number in range(10):
        mine, theirs = make_sides(number)
        versus.add([mine], [theirs])
        without.add([mine], [theirs])
    (row,) = versus.result()["tasks"]
    assert (row["name"], row["metric"], row["documents"]) == ("vectors", "Spearman", 10)
    assert (row["this"], row["other"]) == (pytest.approx(1.0), pytest.approx(-1.0))
    assert row["difference"] == pytest.approx(2.0) and row["verdict"] == "better"
    assert row["low"] == pytest.approx(2.0) and row["p_value"] == pytest.approx(2 / 201)
    assert without.result()["tasks"] == []

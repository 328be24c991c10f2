"""Which findings are told, in which order, and that what they say is counted."""

from typing import Any, Dict, List

import pytest
from spacy.training import Example

from mtnlp.analysis.category_report import CategoryReport
from mtnlp.analysis.entity_report import EntityReport
from mtnlp.analysis.finding import ErrorSums
from mtnlp.analysis.findings import find_findings
from mtnlp.analysis.options import Settings
from mtnlp.annotation.layers import SpansLayer
from mtnlp.evaluation.dictionary import Dictionary
from tests.analysis.documents import make_pair
from tests.analysis.test_category_report import EXCLUSIVE, MULTILABEL, one_hot
from tests.analysis.test_category_report import make_pair as make_cats

SETTINGS = Settings(samples=10)
NOTHING: Dict[str, Any] = {
    "tasks": [],
    "entities": {},
    "classification": {},
    "data": {"duplicates": []},
}


def of_entities(examples: List[Example], told: int = 10) -> List[Dict[str, Any]]:
    dictionary = Dictionary()
    dictionary.learn(["Rome", "said"], [(0, 1, "LOC")])
    report = EntityReport("ner", SpansLayer("key"), SETTINGS, dictionary, {"LOC": 1})
    report.add(examples)
    return find_findings({**NOTHING, "entities": {"ner": report.result()}}, told)


def of_categories(task: Any, examples: List[Example]) -> List[Dict[str, Any]]:
    report = CategoryReport(task, SETTINGS, {"x": 3, "y": 70})
    report.add(examples)
    return find_findings({**NOTHING, "classification": {"cat: t": report.result()}}, 10)


def test_gains_by_hand() -> None:
    errors = ErrorSums(right=6, missed=4, spurious=2)
    assert errors.gain() == 0.0
    assert errors.gain(missed=4, spurious=2) == pytest.approx(1 - 12 / 18)
    assert errors.gain(missed=2) == pytest.approx(16 / 20 - 12 / 18)
    assert errors.gain(spurious=2) == pytest.approx(12 / 16 - 12 / 18)
    assert ErrorSums(0, 0, 0).gain() == 0.0


def test_findings_of_entities() -> None:
    # "The Bank of New York said that Ann Bell left Rome today ."
    bank, rome, ann = (1, 5, "ORG"), (10, 11, "LOC"), (7, 9, "PER")
    examples = [
        make_pair([bank, rome, ann], {(1, 5, "LOC"): 0.5, rome: 0.5, (7, 8, "PER"): 0.5})
    ] * 3
    examples += [make_pair([rome], {(5, 6, "LOC"): 0.5})] * 4
    found = {finding["kind"]: finding for finding in of_entities(examples)}
    assert "3 ORG are taken for LOC, 0 LOC for ORG" in found["confused"]["text"]
    assert (
        "3 entities are found with other words, most often too short (3)"
        in found["boundaries"]["text"]
    )
    assert "4 of 7 LOC are missed. Train has 1 of them" in found["missed"]["text"]
    assert "4 of 10 predicted LOC are seen where nothing is" in found["spurious"]["text"]
    # 3 right, 10 missed, 10 spurious; the confused ones are 6 of 20 errors.
    assert "That is 30% of its errors" in found["confused"]["text"]
    gain = 2 * 6 / (12 + 7 + 7) - 2 * 3 / (6 + 10 + 10)
    assert found["confused"]["points"] == pytest.approx(gain)
    assert all(one["task"] == "ner" and one["text"].startswith("ner: ") for one in found.values())
    # Most points first; no two of one kind.
    everything = of_entities(examples)
    points = [finding["points"] for finding in everything]
    assert points == sorted(points, reverse=True) and len(everything) == len(found)
    assert of_entities(examples, told=2) == everything[:2]


def test_unseen_forms() -> None:
    rome, ann, bank = (10, 11, "LOC"), (7, 9, "PER"), (1, 5, "ORG")
    first = of_entities([make_pair([rome, ann, bank], {rome: 0.99})] * 5)[0]
    assert "10 of the entities are names that train does not have" in first["text"]
    assert "0% of these are found, of known ones 100%" in first["text"]
    # It says more than that 5 PER are missed, which are the same errors.
    assert first["kind"] == "missed"


def test_few_errors_and_none_say_nothing() -> None:
    rome = (10, 11, "LOC")
    assert of_entities([make_pair([rome], {rome: 0.99})] * 50) == []
    assert of_entities([make_pair([rome], {rome: 0.99})] * 50 + [make_pair([rome], {})]) == []


def test_findings_of_categories() -> None:
    wrong = [make_cats(one_hot(0), [0.1, 0.9, 0.0])] * 3
    right = [make_cats(one_hot(1), [0.1, 0.9, 0.0])] * 7
    (confused, confidence) = of_categories(EXCLUSIVE, wrong + right)
    assert "3 x are taken for y, 0 the other way round; 30.0 points" in confused["text"]
    assert confused["points"] == pytest.approx(0.3)
    assert "0.90 on average, where 0.70 are right" in confidence["text"]
    assert "most of all for y (0.90 for 0.70)" in confidence["text"]
    assert confidence["points"] == pytest.approx(0.1)
    found = {one["kind"]: one["text"] for one in of_categories(MULTILABEL, wrong + right)}
    assert "3 x are missed: it is predicted in 0% of the texts and gold in 30%" in found["missed"]
    assert "A lower threshold" in found["missed"]
    assert "3 y are spurious: it is predicted in 100%" in found["spurious"]
    assert "A higher threshold" in found["spurious"]
    assert "have fewer than 50 examples in train; 3 of their 3 are missed" in found["rare"]


def test_baselines_and_duplicates_come_in_their_place() -> None:
    line = {
        "name": "cat: t",
        "kind": "exclusive",
        "metric": "accuracy",
        "score": 0.62,
        "low": 0.55,
        "high": 0.7,
        "baseline": 0.6,
        "baseline_says": "always y",
    }
    keys = ("corpus", "split", "other", "count", "documents", "share")
    values = (
        ("imdb", "train", "test", 5, 50, 0.1),
        ("imdb", "test", "test", 9, 50, 0.18),
        ("conll", "train", "test", 1, 500, 0.002),
    )
    rows = [dict(zip(keys, row, strict=True)) for row in values]
    numbers = {**NOTHING, "tasks": [line], "data": {"duplicates": rows}}
    first, second = find_findings(numbers)
    assert "not clearly better than its baseline of 0.600 (always y)" in first["text"]
    assert (first["section"], second["section"]) == ("classification", "data")
    assert "5 of the 50 texts of test are also in train" in second["text"]
    better = {**line, "low": 0.61}
    assert find_findings({**NOTHING, "tasks": [better, {**line, "baseline": None}]}) == []


def test_a_threshold_is_no_advice_where_shares_are_right() -> None:
    examples = [make_cats(one_hot(0), [0.1, 0.9, 0.0]), make_cats(one_hot(1), [0.9, 0.1, 0.0])]
    found = {one["kind"]: one["text"] for one in of_categories(MULTILABEL, examples * 3)}
    assert "No threshold helps" in found["missed"] and "No threshold helps" in found["spurious"]

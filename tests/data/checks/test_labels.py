"""Labels that are probably one, and rare ones."""

from typing import List

import pytest

from mtnlp.data.checks.labels import LabelCheck, similar
from mtnlp.data.checks.unit import Finding, record_unit
from mtnlp.types import Annotation, Record


def record(label: str, line: int = 1, **cats: float) -> Record:
    values = {f"mood/{name}": value for name, value in cats.items()}
    meta = {"path": "a.jsonl", "line": line}
    return Record(text="Anna", entities=[Annotation(0, 4, label)], cats=values, meta=meta)


def look(records: List[Record], split: str = "train") -> List[Finding]:
    check = LabelCheck()
    for item in records:
        check.look(record_unit(item), split)
    return check.findings()


@pytest.mark.parametrize(
    "first, second",
    [
        *(("PER", "per"), ("Person", "PERSON"), ("PERSON", "PERSN"), ("person", "persons")),
        *(("organisation", "Organization"), ("first_name", "first-name")),
    ],
)
def test_meant_to_be_one(first: str, second: str) -> None:
    assert list(similar({first, second, "OTHER"})) == [tuple(sorted((first, second)))]


@pytest.mark.parametrize(
    "first, second",
    [
        *(("CAT", "CAR"), ("LAYER1", "LAYER2"), ("LAYER1", "LAYER12"), ("Q9_a", "Q10_a")),
        *(("fromloc", "toloc"), ("GIVE", "GAIN"), ("joy", "annoyance")),
    ],
)
def test_meant_to_be_two(first: str, second: str) -> None:
    assert list(similar({first, second})) == []


def test_the_finding_names_counts_and_where_the_rarer_one_is() -> None:
    findings = look([record("PERSON")] * 12 + [record("Person", 7), record("PERSON")])
    kinds = {finding.kind: finding for finding in findings}
    assert kinds["similar_labels"].message.startswith("Labels of ents that differ in case")
    assert list(kinds["similar_labels"].places) == ["PERSON 13, Person 1 at a.jsonl:7"]
    assert list(kinds["rare_labels"].places) == ["Person 1"]


def test_rare_categories_are_those_that_rarely_hold() -> None:
    records = [record("X", good=1.0, bad=0.0) for _ in range(9)] + [record("X", good=1.0, bad=1.0)]
    (finding,) = look(records)
    assert finding.message == "Labels of mood with fewer than 10 examples in train"
    assert list(finding.places) == ["bad 1"]


def test_without_train_nothing_is_rare() -> None:
    assert look([record("X")], "test") == []


def test_labels_of_different_layers_are_not_compared() -> None:
    records = [record("PERSON", Person=1.0) for _ in range(10)]
    assert look(records) == []

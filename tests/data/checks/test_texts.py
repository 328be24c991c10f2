"""Texts that come again."""

from typing import Dict, List, Optional

from mtnlp.data.checks.texts import LengthCheck, RepetitionCheck
from mtnlp.data.checks.unit import Finding, record_unit
from mtnlp.types import Annotation, Record


def record(
    text: str,
    line: int,
    label: Optional[str] = None,
    cats: Optional[Dict[str, float]] = None,
    path: str = "a",
) -> Record:
    entities = None if label is None else [Annotation(0, 4, label)] if label else []
    meta = {"path": path, "line": line}
    return Record(text=text, entities=entities, cats=cats, meta=meta)


def look(**splits: List[Record]) -> Dict[str, Finding]:
    check = RepetitionCheck("document")
    for split, records in splits.items():
        for item in records:
            check.look(record_unit(item), split)
    return {finding.message: finding for finding in check.findings()}


def test_texts_of_several_splits() -> None:
    found = look(
        train=[record("A  b\n", 1), record("c", 2)],
        dev=[record("a B", 1, path="d"), record("a b", 2, path="d"), record("x", 3, path="d")],
        test=[record("X", 1, path="t"), record("y", 2, path="t")],
    )
    assert {message: finding.count for message, finding in found.items()} == {
        "Documents of dev whose text is also in train": 2,
        "Documents of test whose text is also in dev": 1,
    }
    (shared,) = (finding for finding in found.values() if finding.count == 2)
    assert str(shared).endswith("in train: 2 (d:1 and a:1, …)")


def test_other_annotations_of_one_text() -> None:
    found = look(
        train=[
            record("Anna left.", 1, "PER"),
            record("anna left.", 2, "PER"),
            record("Anna left.", 3, "ORG"),
            record("Anna left.", 4, ""),
        ]
    )
    (finding,) = found.values()
    assert (finding.kind, finding.count) == ("contradictions", 2)
    assert list(finding.places) == ["a:3 and a:1", "a:4 and a:1"]


def test_what_only_one_annotates_contradicts_nothing() -> None:
    found = look(
        train=[
            record("Anna left.", 1, "PER"),
            record("Anna left.", 2, None, {"mood/good": 1.0}),
            record("Ben left.", 3, None, {"mood/good": 1.0}),
            record("Ben left.", 4, None, {"mood/bad": 0.0}),
        ]
    )
    assert found == {}
    found = look(train=[record("a", n, None, {"mood/good": float(n)}) for n in (0, 1)])
    assert [finding.kind for finding in found.values()] == ["contradictions"]


def test_long_texts_are_no_fault() -> None:
    check = LengthCheck("sentence", 3)
    for line, text in enumerate(("one two three", "one two three four"), start=1):
        check.look(record_unit(record(text, line)), "train")
    (finding,) = check.findings()
    assert (finding.count, list(finding.places), finding.is_fault) == (1, ["a:2"], False)
    assert finding.message.startswith("Sentences of more than about 3 words")
    nobody_knows = LengthCheck("sentence", None)
    nobody_knows.look(record_unit(record("one two three four", 1)), "train")
    assert nobody_knows.findings() == []

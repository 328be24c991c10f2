import json
from pathlib import Path
from typing import Any

import pytest

from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.training_tuples import read_training_tuples, recognise
from mtnlp.errors import DataError
from tests.data.corpora import write
from tests.data.formats.exports import EXPORTS, quoted, write_lines

ADA = ["Ada sang.", {"entities": [[0, 3, "PER"]]}]


def test_an_export(strict: BadInput) -> None:
    records = list(read_training_tuples(EXPORTS / "training_tuples.json", strict, task="intent"))
    assert len(records) == 40 and not strict.notes and not strict.warnings
    assert quoted(records[0]) == [("Halden kettle", "PRODUCT"), ("Tartu", "CITY")]
    assert records[1].cats == {
        "intent/complaint": 0.0,
        "intent/question": 1.0,
        "intent/praise": 0.0,
    }
    assert (records[-1].entities, records[-1].meta["line"]) == ([], 41)


def test_forms(tmp_path: Path, strict: BadInput) -> None:
    """An array, pairs in lines, and what annotators in the browser write."""
    other = ["Nobody sang.", {"entities": []}]
    mapping = {"classes": ["PER"], "annotations": [ADA, None, other]}
    paths = [
        write(tmp_path / "array.json", json.dumps([ADA, other])),
        write_lines(tmp_path / "lines.jsonl", [ADA, other]),
        write(tmp_path / "browser.json", json.dumps(mapping)),
        write(tmp_path / "pretty.json", json.dumps(mapping, indent=1)),
    ]
    for path in paths:
        assert recognise(path), path
        first, second = read_training_tuples(path, strict)
        assert (first.text, quoted(first), second.entities) == ("Ada sang.", [("Ada", "PER")], [])
    assert strict.notes == {"texts that the annotator skipped (null) left out": 2}


def test_the_line_of_an_element(tmp_path: Path) -> None:
    text = '{"classes": ["PER"],\n"annotations": [\n["a", {}],\nnull,\n["b"]]}'
    with pytest.raises(DataError, match=r"a\.json:5: \[E183\]"):
        list(read_training_tuples(write(tmp_path / "a.json", text), BadInput()))


def test_all_that_a_tuple_may_hold(tmp_path: Path, strict: BadInput) -> None:
    annotation = {
        "entities": [[0, 3, "PER", "Q7259"]],
        "spans": {"mine": [[0, 3, "X"], [0, 8, "Y"]], "key": [[4, 8, "Z"]]},
        "cats": {"good": 1, "topic/music": True},
        "heads": [1, 1, 1],
        "links": {},
    }
    path = write_lines(tmp_path / "a.jsonl", [["Ada sang.", annotation]])
    (record,) = read_training_tuples(path, strict)
    assert record.entities == [(0, 3, "PER")]
    assert record.spans == {"mine": [(0, 3, "X"), (0, 8, "Y")], "key": [(4, 8, "Z")]}
    assert record.cats == {"category/good": 1.0, "topic/music": 1.0}
    assert strict.notes == {"texts whose 'heads' is left out": 1}
    (record,) = read_training_tuples(path, strict, spans_key="key")
    assert record.entities is None
    assert record.spans is not None and record.spans["key"] == [(0, 3, "PER"), (4, 8, "Z")]


def test_missing_is_not_empty(tmp_path: Path, strict: BadInput) -> None:
    (record,) = read_training_tuples(write_lines(tmp_path / "a.jsonl", [["a", {}]]), strict)
    assert (record.entities, record.spans, record.cats) == (None, None, None)
    assert "E172" in strict.warning_lines()[0]


@pytest.mark.parametrize(
    "value, code",
    [
        (["a"], "E183"),
        ([" ", {}], "E183"),
        ({"text": "a"}, "E183"),
        (["a", {"entities": [[0, 2, "X"]]}], "E122"),
        (["a", {"entities": ["O"]}], "E136"),
        (["a", {"spans": [[0, 1, "X"]]}], "E136"),
        (["a", {"cats": {"x": 0.5}}], "E136"),
    ],
)
def test_malformed(tmp_path: Path, lenient: BadInput, value: Any, code: str) -> None:
    path = write_lines(tmp_path / "a.jsonl", [ADA, value])
    with pytest.raises(DataError, match=rf"a\.jsonl:2: \[{code}\]"):
        list(read_training_tuples(path, BadInput()))
    assert len(list(read_training_tuples(path, lenient))) == 1
    assert len(lenient.errors) == 1


@pytest.mark.parametrize("value", [{"text": "a", "annotations": [[0, 1, "X"]]}, ["a", "b"], 5])
def test_other_forms(tmp_path: Path, value: Any) -> None:
    assert not recognise(write_lines(tmp_path / "a.jsonl", [value]))
    assert not recognise(tmp_path)

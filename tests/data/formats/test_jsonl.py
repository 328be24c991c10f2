import json
from pathlib import Path
from typing import Any, List

import pytest

from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.jsonl import Fields, read_jsonl
from mtnlp.errors import DataError
from mtnlp.types import Record
from tests.data.corpora import write


def read(folder: Path, *rows: Any, fields: Fields = Fields()) -> List[Record]:
    path = write(folder / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    return list(read_jsonl(path, BadInput(), fields))


def test_label(tmp_path: Path) -> None:
    (record,) = read(tmp_path, {"text": "fine", "label": "good", "group": 7})
    assert record.text == "fine"
    assert record.cats == {"category/good": 1.0}
    assert (record.meta["stratum"], record.meta["group"]) == ("good", "7")


def test_labels_and_cats(tmp_path: Path) -> None:
    rows = [{"text": "a", "labels": ["x", 3]}, {"text": "b", "cats": {"x": 1, "y": False}}]
    first, second = read(tmp_path, *rows, fields=Fields(task="topic"))
    assert first.cats == {"topic/x": 1.0, "topic/3": 1.0}
    assert second.cats == {"topic/x": 1.0, "topic/y": 0.0}


def test_missing_is_not_empty(tmp_path: Path) -> None:
    rows = [{"text": "a"}, {"text": "b", "spans": None}, {"text": "c", "spans": [], "labels": []}]
    bare, null, empty = read(tmp_path, *rows)
    assert (bare.cats, bare.entities, bare.spans) == (None, None, None)
    assert null.entities is None
    assert (empty.cats, empty.entities) == ({}, [])


def test_spans(tmp_path: Path) -> None:
    row = {"text": " New York ", "spans": [{"start": 0, "end": 10, "label": "LOC"}]}
    (record,) = read(tmp_path, row)
    assert record.entities == [(1, 9, "LOC")]
    (record,) = read(tmp_path, row, fields=Fields(spans_key="mine"))
    assert (record.entities, record.spans) == (None, {"mine": [(1, 9, "LOC")]})


def test_overlap_needs_a_layer(tmp_path: Path) -> None:
    spans = [{"start": 0, "end": 8, "label": "LOC"}, {"start": 4, "end": 8, "label": "X"}]
    with pytest.raises(DataError, match="E137"):
        read(tmp_path, {"text": "New York", "spans": spans})
    (record,) = read(
        tmp_path, {"text": "New York", "spans": spans}, fields=Fields(spans_key="mine")
    )
    assert record.spans is not None and len(record.spans["mine"]) == 2


@pytest.mark.parametrize(
    "row, code",
    [
        ({"label": "x"}, "E135"),
        ({"text": "  "}, "E135"),
        ({"text": 5}, "E135"),
        (["text"], "E135"),
        ({"text": "a", "label": ["x"]}, "E136"),
        ({"text": "a", "label": ""}, "E136"),
        ({"text": "a", "labels": "x"}, "E136"),
        ({"text": "a", "cats": {"x": 2}}, "E136"),
        ({"text": "a", "spans": "x"}, "E136"),
        ({"text": "a", "spans": [5]}, "E136"),
        ({"text": "a", "spans": [{"start": 0, "end": 1}]}, "E136"),
        ({"text": "a", "spans": [{"start": 0, "end": 2, "label": "X"}]}, "E122"),
        ({"text": "a", "spans": [{"start": -1, "end": 1, "label": "X"}]}, "E122"),
        ({"text": "a", "spans": [{"start": "0", "end": 1, "label": "X"}]}, "E122"),
        ({"text": "a b", "spans": [{"start": 1, "end": 2, "label": "X"}]}, "E122"),
    ],
)
def test_malformed(tmp_path: Path, row: Any, code: str) -> None:
    with pytest.raises(DataError, match=rf"a\.jsonl:2: \[{code}\]"):
        read(tmp_path, {"text": "fine"}, row)


def test_skipping(tmp_path: Path, lenient: BadInput) -> None:
    path = write(tmp_path / "a.jsonl", b'{"text": "a"}\r\n{"text"\r\n\xff\r\n\r\n{"text": "b"}')
    assert [record.text for record in read_jsonl(path, lenient)] == ["a", "b"]
    assert [error.line for error in lenient.errors] == [2, 3]

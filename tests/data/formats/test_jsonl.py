import json
from pathlib import Path
from typing import Any, List

import pytest

from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.jsonl import Fields, read_jsonl, row_to_record
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


def test_overlap(tmp_path: Path) -> None:
    """Both stay: where they go only the whole corpus tells (`separate_overlaps`)."""
    spans = [{"start": 4, "end": 8, "label": "X"}, {"start": 0, "end": 8, "label": "LOC"}]
    (record,) = read(tmp_path, {"text": "New York", "spans": spans})
    assert record.entities == [(0, 8, "LOC"), (4, 8, "X")]
    (record,) = read(
        tmp_path, {"text": "New York", "spans": spans}, fields=Fields(spans_key="mine")
    )
    assert record.spans is not None and len(record.spans["mine"]) == 2


SPAN = {"start": 0, "end": 3, "label": "PER"}
OFFSETS = {"start_offset": 0, "end_offset": 3, "type": "PER"}


@pytest.mark.parametrize(
    "row",
    [
        {"text": "Ada", "entities": [SPAN]},
        {"text": "Ada", "entities": [[0, 3, "PER"]]},
        {"text": "Ada", "annotations": [OFFSETS]},
        {"text": "Ada", "label": [[0, 3, "PER"]]},
        {"text": "Ada", "labels": [[0, 3, "PER"]]},
        {"text": "Ada", "spans": None, "entities": [SPAN]},
        ["Ada", {"entities": [[0, 3, "PER"]]}],
    ],
)
def test_spans_as_tools_write_them(row: Any) -> None:
    record = row_to_record(row, Fields())
    assert (record.text, record.entities, record.cats) == ("Ada", [(0, 3, "PER")], None)


def test_tokens(tmp_path: Path) -> None:
    tokens = ["Ada", "'s", "film"]
    rows = [
        {"tokens": tokens, "tags": ["B-PER", "-", "O"], "text": "Ada's film"},
        {"tokens": tokens, "ner_tags": ["U-PER", "O", "O"]},
        {"tokens": tokens, "entities": [{"start": 0, "end": 2, "type": "PER"}]},
        {"tokens": tokens, "label": "x", "text": ""},
    ]
    tagged, biluo, indices, bare = read(tmp_path, *rows)
    assert (tagged.entities, tagged.missing) == ([(0, 1, "PER")], [(1, 2)])
    assert tagged.meta["spaces"] == [False, True, False]
    assert (biluo.entities, indices.entities) == ([(0, 1, "PER")], [(0, 2, "PER")])
    assert (bare.tokens, bare.entities, bare.cats) == (tokens, None, {"category/x": 1.0})


@pytest.mark.parametrize(
    "row, code",
    [
        ({"tokens": ["a"], "tags": ["O", "O"]}, "E131"),
        ({"tokens": ["a"], "tags": ["NN"]}, "E104"),
        ({"tokens": ["a"], "spans": [[0, 2, "X"]]}, "E166"),
        ({"tokens": ["a"], "my": [3]}, "E136"),
        ({"tokens": ["a", ""]}, "E136"),
    ],
)
def test_malformed_tokens(tmp_path: Path, row: Any, code: str) -> None:
    fields = Fields(tags="my" if "my" in row else None)
    with pytest.raises(DataError, match=rf"a\.jsonl:1: \[{code}\]"):
        read(tmp_path, row, fields=fields)


def test_empty_lists_are_of_the_kind_of_the_others(tmp_path: Path) -> None:
    """Doccano writes spans under `label`, and an empty list where there are none."""
    rows = [{"text": "Ada", "label": [[0, 3, "PER"]]}, {"text": "b", "label": []}]
    second = read(tmp_path, *rows)[1]
    assert (second.entities, second.cats) == ([], None)


def test_several_tasks_in_one_mapping(tmp_path: Path) -> None:
    cats = {"topic/film": 1, "mood": {"good": True, "bad": False}, "old": 0}
    (record,) = read(tmp_path, {"text": "a", "cats": cats, "labels": ["x/y"]})
    assert record.cats == {
        "topic/film": 1.0,
        "mood/good": 1.0,
        "mood/bad": 0.0,
        "category/old": 0.0,
        "category/x/y": 1.0,
    }
    assert record.meta["judged"] == ["category"]


def test_choices(tmp_path: Path) -> None:
    row = {"text": "a", "options": [{"id": "x"}, {"id": "y"}], "accept": ["x"]}
    (record,) = read(tmp_path, {**row, "answer": "accept"})
    assert record.cats == {"category/x": 1.0}


def test_what_the_annotator_refused_is_left_out(tmp_path: Path, strict: BadInput) -> None:
    rows = [{"text": name, "label": "x", "answer": name} for name in ("accept", "reject", "ignore")]
    path = write(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    assert [record.text for record in read_jsonl(path, strict)] == ["accept"]
    assert list(strict.notes.values()) == [2]


@pytest.mark.parametrize(
    "field, value, code",
    [
        ("ents", [[0, 1, "X"]], "E167"),
        ("ents", [{"start_offset": 0, "end_offset": 1, "label": "X"}], "E167"),
        ("ner", ["O"], "E168"),
        ("ner_tags", [0], "E170"),
        ("intent", "x", "E169"),
        ("tags", ["x"], "E168"),
        ("scores", {"x": 1, "y": 0}, "E169"),
    ],
)
def test_fields_nobody_reads_are_named(
    tmp_path: Path, strict: BadInput, field: str, value: Any, code: str
) -> None:
    row = {"text": "a", "label": "z", field: value, "id": 7, "url": "x"}
    row |= {"pos": ["NN"], "ids": [101], "label_text": "zed"}
    row |= {"tokens": ["a"]} if code in ("E168", "E170") else {}
    if field == "tags":
        row, code = {"text": "a", "label": "z", "tags": ["x"]}, "E169"
    path = write(tmp_path / "a.jsonl", (json.dumps(row) + "\n") * 2)
    list(read_jsonl(path, strict))
    (warning,) = strict.warning_lines()
    assert warning.startswith(f"{path}:1: [{code}] The field '{field}'")
    assert warning.endswith("(2 lines)")


def test_a_file_without_annotation_is_a_warning(tmp_path: Path, strict: BadInput) -> None:
    list(read_jsonl(write(tmp_path / "a.jsonl", '{"text": "a", "lbl": "x"}'), strict))
    assert "E172" in strict.warning_lines()[0] and "text, lbl" in strict.warning_lines()[0]


@pytest.mark.parametrize(
    "row, code",
    [
        ({"label": "x"}, "E135"),
        ({"text": "  "}, "E135"),
        ({"text": 5}, "E135"),
        (["text"], "E135"),
        ({"text": "a", "label": [["x"]]}, "E136"),
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

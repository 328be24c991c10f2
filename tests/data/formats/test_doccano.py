from pathlib import Path
from typing import Any, List

import pytest

from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.doccano import EMPTY_NOTE, read_doccano, recognise
from mtnlp.errors import DataError
from mtnlp.types import Record
from tests.data.formats.exports import EXPORTS, quoted, write_lines

# One row of each export, all of the same text.
TEXT = "Ada sang in Rome."
SPANS = [[0, 3, "PER"], [12, 16, "LOC"]]
OBJECTS = [
    {"id": 4, "label": "PER", "start_offset": 0, "end_offset": 3},
    {"id": 5, "label": "LOC", "start_offset": 12, "end_offset": 16},
]
RELATIONS = [{"id": 1, "from_id": 4, "to_id": 5, "type": "in"}]


def read(folder: Path, on_bad: BadInput, *rows: Any, **options: Any) -> List[Record]:
    return list(read_doccano(write_lines(folder / "ada.jsonl", rows), on_bad, **options))


def test_an_export(strict: BadInput) -> None:
    records = list(read_doccano(EXPORTS / "doccano.jsonl", strict))
    assert len(records) == 40 == len({record.meta["document"] for record in records})
    assert quoted(records[0]) == [("Halden kettle", "PRODUCT"), ("Tartu", "CITY")]
    assert (records[-1].entities, records[0].cats) == ([], None)
    assert (records[1].meta["annotator"], records[1].meta["line"]) == ("doccano", 2)
    nobody = [record for record in records if not record.entities]
    assert strict.notes == {"comments left out": 1, EMPTY_NOTE: len(nobody)}
    assert not strict.warnings


@pytest.mark.parametrize(
    "row",
    [
        {"id": 1, "text": TEXT, "label": SPANS, "Comments": []},
        {"id": 1, "data": TEXT, "label": SPANS},
        {"id": 1, "text": TEXT, "labels": SPANS, "meta": {}, "annotation_approver": None},
        {"id": 1, "text": TEXT, "entities": OBJECTS, "relations": RELATIONS, "Comments": ["?"]},
        {"text": TEXT, "entities": SPANS, "cats": ["concert"]},
        {"text": TEXT, "label": SPANS},
    ],
)
def test_forms_of_spans(tmp_path: Path, strict: BadInput, row: Any) -> None:
    path = write_lines(tmp_path / "ada.jsonl", [row])
    assert recognise(path)
    (record,) = read_doccano(path, strict)
    assert (record.text, quoted(record)) == (TEXT, [("Ada", "PER"), ("Rome", "LOC")])
    assert record.cats == ({"category/concert": 1.0} if "cats" in row else None)
    left_out = {"relations left out": 1, "comments left out": 1}
    assert strict.notes == (left_out if "relations" in row else {})


def test_categories(tmp_path: Path, strict: BadInput) -> None:
    """Where a text may have several, none is an answer; else the text was not annotated."""
    rows = [
        {"id": n, "text": str(n), "label": labels, "Comments": []}
        for n, labels in enumerate([["good"], [], ["bad"]])
    ]
    good, none, _ = read(tmp_path, strict, *rows, task="mood")
    assert (good.cats, good.meta["judged"]) == ({"mood/good": 1.0}, ["mood"])
    assert (good.meta["stratum"], good.entities, none.cats) == ("good", None, None)
    assert strict.notes == {"texts without a category: not annotated": 1}
    rows[2]["label"] = ["bad", 5]
    _, none, both = read(tmp_path, strict, *rows)
    assert (none.cats, none.meta["judged"]) == ({}, ["category"])
    assert both.cats == {"category/bad": 1.0, "category/5": 1.0}


def test_an_annotator_has_a_file(tmp_path: Path, strict: BadInput) -> None:
    rows = [{"id": n, "text": text, "label": SPANS} for n, text in ((1, TEXT), (1, TEXT + "!"))]
    same = read_doccano(write_lines(tmp_path / "bo.jsonl", rows), strict)
    first, other = read(tmp_path, strict, *rows)
    theirs = next(same)
    assert (first.meta["annotator"], theirs.meta["annotator"]) == ("ada", "bo")
    assert first.meta["document"] == theirs.meta["document"] != other.meta["document"]


def test_options(tmp_path: Path, strict: BadInput) -> None:
    row = {"body": TEXT, "label": SPANS}
    (record,) = read(tmp_path, strict, row, text_field="body", spans_key="mine")
    assert record.spans == {"mine": [(0, 3, "PER"), (12, 16, "LOC")]}


def test_numbers_for_labels(tmp_path: Path, strict: BadInput) -> None:
    row = {"id": 1, "text": TEXT, "annotations": [{"label": 4, "start_offset": 0, "end_offset": 3}]}
    with pytest.raises(DataError, match=r"ada\.jsonl:1: \[E181\]"):
        read(tmp_path, strict, row)
    assert recognise(tmp_path / "ada.jsonl")


@pytest.mark.parametrize(
    "row, code",
    [
        ({"label": SPANS}, "E135"),
        (["text"], "E135"),
        ({"text": "Ada", "label": [[0, 9, "PER"]]}, "E122"),
        ({"text": "Ada", "label": [[0, 3]]}, "E136"),
        ({"text": "Ada", "cats": [None]}, "E136"),
    ],
)
def test_malformed(tmp_path: Path, lenient: BadInput, row: Any, code: str) -> None:
    rows = [{"text": TEXT, "label": SPANS}, row]
    with pytest.raises(DataError, match=rf"ada\.jsonl:2: \[{code}\]"):
        read(tmp_path, BadInput(), *rows)
    assert len(read(tmp_path, lenient, *rows)) == 1
    assert len(lenient.errors) == 1


def test_nothing_annotated(tmp_path: Path, strict: BadInput) -> None:
    read(tmp_path, strict, {"id": 1, "text": "a", "Comments": []})
    assert "E172" in strict.warning_lines()[0]


@pytest.mark.parametrize(
    "row",
    [
        {"text": TEXT, "label": "x"},
        {"text": TEXT, "spans": [{"start": 0, "end": 3, "label": "PER"}]},
        {"tokens": ["Ada"], "label": SPANS},
        [TEXT, {"entities": SPANS}],
    ],
)
def test_other_forms(tmp_path: Path, row: Any) -> None:
    assert not recognise(write_lines(tmp_path / "a.jsonl", [row]))
    assert not recognise(tmp_path) and not recognise(tmp_path / "nowhere")

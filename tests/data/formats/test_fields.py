"""Fields of rows that nobody named."""

import json
from pathlib import Path
from typing import Any, List

import pytest

from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.fields import is_running_text
from mtnlp.data.formats.jsonl import fields_of, read_jsonl
from mtnlp.data.options import ConvertOptions
from mtnlp.errors import DataError
from mtnlp.types import Record
from tests.data.corpora import write

TEXTS = ("The lamp broke after a day", "A very good lamp indeed", "Never again will I order here")


def read(folder: Path, on_bad: BadInput, *rows: Any, **options: Any) -> List[Record]:
    path = write(folder / "rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    return list(read_jsonl(path, on_bad, fields_of(ConvertOptions("jsonl", **options))))


def test_usual_names(tmp_path: Path, strict: BadInput) -> None:
    (record,) = read(tmp_path, strict, {"id": 7, "Review": "Fine", "Sentiment": ["good", "new"]})
    assert (record.text, record.cats) == ("Fine", {"category/good": 1.0, "category/new": 1.0})
    (line,) = strict.found
    assert line == (
        "Found: text = Review, label = Sentiment. To say otherwise: --text-field, --label-field"
    )
    assert not strict.warnings


def test_content(tmp_path: Path, strict: BadInput) -> None:
    rows = [{"a": f"n{n}", "b": TEXTS[n % 3] + str(n), "c": n % 2} for n in range(6)]
    records = read(tmp_path, strict, *rows)
    assert [record.text for record in records] == [row["b"] for row in rows]
    assert [list(record.cats or {}) for record in records[:2]] == [["category/0"], ["category/1"]]


@pytest.mark.parametrize(
    "row",
    [
        {"text": "Fine", "label": "x", "intent": "y", "body": "Bad"},
        {"text": "Fine", "cats": {"x": 1}, "sentiment": "y", "topic": "z"},
        {"text": "Fine", "spans": [], "intent": "y"},
        {"tokens": ["Fine"], "tags": ["O"], "sentence": "Bad", "topic": "z"},
    ],
)
def test_what_has_the_fields_of_jsonl_is_left_alone(
    tmp_path: Path, strict: BadInput, row: Any
) -> None:
    (record,) = read(tmp_path, strict, row)
    assert "Fine" in (record.text or record.tokens or ())
    assert not strict.found and "category/y" not in (record.cats or {})


def test_what_is_not_clear_is_asked(tmp_path: Path, strict: BadInput) -> None:
    with pytest.raises(DataError, match=r"rows\.jsonl: \[E188\] .*text.*topic \('x'\)"):
        read(tmp_path, strict, {"one": "a", "two": "b", "topic": "x"})
    with pytest.raises(DataError, match=r"\[E188\] .*label.*--label-field NAME"):
        read(tmp_path, strict, {"text": "a", "sentiment": "b", "topic": "x"})
    (record,) = read(
        tmp_path, strict, {"text": "a", "sentiment": "b", "topic": "x"}, label_field="topic"
    )
    assert record.cats == {"category/x": 1.0}
    # Nothing annotated is a warning, as ever.
    assert read(tmp_path, strict, {"text": "a", "url": "b"})[0].cats is None
    assert "[E172]" in strict.warning_lines()[-1]


def test_a_name_that_somebody_gave_is_taken_at_its_word(tmp_path: Path, strict: BadInput) -> None:
    with pytest.raises(DataError, match=r"E135.*'text'"):
        read(tmp_path, strict, {"review": "Fine", "label": "x"}, text_field="text")
    (record,) = read(tmp_path, strict, {"text": "a", "topic": "x"}, label_field="label")
    assert record.cats is None


def test_running_text() -> None:
    assert is_running_text(TEXTS) and is_running_text(["今天天气很好我们一起去公园散步吧"])
    dates = ["2021-03-04 10:22", "2021-03-05 11:40"]
    for cells in ([], ["good", "bad"], dates, ["https://example.org/some/page/of/mine"], ["a b"]):
        assert not is_running_text(cells)
    assert not is_running_text([TEXTS[0]] * 4)

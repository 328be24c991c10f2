import json
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest

from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.label_studio import read_label_studio, recognise
from mtnlp.errors import DataError
from mtnlp.types import Record, Trimmed
from tests.data.corpora import write
from tests.data.formats.exports import EXPORTS, by_annotator, quoted, write_lines

TEXT = "Ada sang in Rome."


def region(kind: str, name: str, to: str = "text", **value: Any) -> Dict[str, Any]:
    return {"id": "x", "from_name": name, "to_name": to, "type": kind, "value": value}


ADA = region("labels", "label", start=0, end=3, text="Ada", labels=["PER"])


def annotation(*result: Any, **fields: Any) -> Dict[str, Any]:
    return {"id": 1, "was_cancelled": False, "completed_by": 1, "result": list(result), **fields}


def task(*annotations: Any, data: Optional[Dict[str, Any]] = None, **fields: Any) -> Dict[str, Any]:
    return {"id": 7, "data": data or {"text": TEXT}, "annotations": list(annotations), **fields}


def read(folder: Path, on_bad: BadInput, *tasks: Any, **options: Any) -> List[Record]:
    path = write(folder / "a.json", json.dumps(tasks))
    assert recognise(path)
    return list(read_label_studio(path, on_bad, **options))


def test_an_export(strict: BadInput) -> None:
    records = list(read_label_studio(EXPORTS / "label_studio.json", strict))
    found = by_annotator(records)
    assert len(records) == 50 and len({record.meta["document"] for record in records}) == 40
    first = found["The Halden kettle arrived in Tartu with a dented lid.", "1"]
    assert quoted(first) == [("Halden kettle", "PRODUCT"), ("Tartu", "CITY")]
    assert first.cats == {"intent/complaint": 1.0, "topic/shop > delivery": 1.0}
    assert first.meta["judged"] == ["intent", "topic"]
    assert (first.meta["line"], records[-1].meta["line"]) == (1, 40)
    assert found["There was no one to help me, and nothing was explained.", "2"].entities == []
    assert strict.notes == {
        "relations left out": 1,
        "regions of the type 'textarea' left out": 1,
        "predictions left out": 2,
        "cancelled annotations left out": 2,
        "tasks without an annotation left out": 2,
    }


def test_several_annotators(tmp_path: Path, strict: BadInput) -> None:
    people = [annotation(completed_by=2), annotation(completed_by={"id": 3, "email": "ada@x.org"})]
    records = read(tmp_path, strict, task(annotation(ADA), *people))
    assert [record.meta["annotator"] for record in records] == ["1", "2", "ada@x.org"]
    assert len({record.meta["document"] for record in records}) == 1
    assert [record.entities for record in records] == [[(0, 3, "PER")], [], []]


def test_an_id_may_stand_for_another_text_elsewhere(tmp_path: Path, strict: BadInput) -> None:
    tasks = [task(annotation(ADA)), task(annotation(), data={"text": "Nobody sang."})]
    assert len({record.meta["document"] for record in read(tmp_path, strict, *tasks)}) == 2


@pytest.mark.parametrize(
    "first, second, kept",
    [
        ({"updated_at": "2024-01-02"}, {"updated_at": "2024-01-01"}, 0),
        ({"updated_at": "2024-01-01"}, {"updated_at": "2024-01-02"}, 1),
        ({"ground_truth": True, "created_at": "2024-01-01"}, {"updated_at": "2024-01-02"}, 0),
        ({}, {}, 1),
    ],
)
def test_one_person_twice(
    tmp_path: Path, strict: BadInput, first: Any, second: Any, kept: int
) -> None:
    """The ground truth counts, or else the last one."""
    both = [annotation(ADA, **first), annotation(**second)]
    (record,) = read(tmp_path, strict, task(*both))
    assert record.entities == [[(0, 3, "PER")], []][kept]
    assert list(strict.notes.values()) == [1]


def test_old_exports(tmp_path: Path, strict: BadInput) -> None:
    """`completions`, of people who are not named."""
    skipped = {"result": [], "skipped": True}
    people = [{"result": [ADA]}, {"result": []}, skipped]
    old = {"id": 7, "data": {"text": TEXT}, "completions": people}
    first, second = read(tmp_path, strict, old)
    assert first.meta["annotator"] != second.meta["annotator"]
    assert (quoted(first), second.entities) == ([("Ada", "PER")], [])
    assert strict.notes == {"cancelled annotations left out": 1}


def test_choices(tmp_path: Path, strict: BadInput) -> None:
    """Each control tag is a task; where an annotation says nothing of it, it is missing."""
    good = region("choices", "mood", choices=["good"])
    both = region("choices", "about/what", choices=["music", "travel"])
    wood = region("taxonomy", "genre", taxonomy=[["song"], ["song", "aria"]])
    tasks = [
        task(annotation(good, both, wood)),
        task(annotation(good), data={"text": "b"}),
    ]
    first, second = read(tmp_path, strict, *tasks)
    assert first.cats == {
        "mood/good": 1.0,
        "about-what/music": 1.0,
        "about-what/travel": 1.0,
        "genre/song": 1.0,
        "genre/song > aria": 1.0,
    }
    assert first.meta["judged"] == ["mood", "about-what", "genre"]
    assert (second.cats, second.meta["judged"]) == ({"mood/good": 1.0}, ["mood"])
    assert second.meta["stratum"] == "mood/good"
    # The project has no regions with labels: nobody was asked for entities.
    assert first.entities is None
    assert strict.notes == {
        "annotations without a choice for 'about-what': not annotated": 1,
        "annotations without a choice for 'genre': not annotated": 1,
    }


def test_regions_of_other_kinds(tmp_path: Path, strict: BadInput) -> None:
    others = [
        region("rectanglelabels", "box", x=1, y=2, width=3, height=4, rectanglelabels=["Car"]),
        {"from_id": "x", "to_id": "y", "type": "relation", "direction": "right"},
        region("choices", "sure", start=0, end=3, choices=["no"]),
        region("labels", "label", start=0, end=3),
        region("labels", "label", to="title", start=0, end=3, labels=["X"]),
    ]
    (record,) = read(tmp_path, strict, task(annotation(ADA, ADA, *others), drafts=[{"id": 1}]))
    assert (set(quoted(record)), record.cats) == ({("Ada", "PER")}, None)
    assert strict.notes == {
        "regions of the type 'rectanglelabels' left out": 1,
        "relations left out": 1,
        "choices of a single region left out": 1,
        "regions without a label left out": 1,
        "regions of 'title' left out: the text is 'text'": 1,
        "drafts left out": 1,
    }


def test_white_space_is_left_out_and_known(tmp_path: Path, strict: BadInput) -> None:
    wide = region("labels", "label", start=3, end=8, text=" sang", labels=["X"])
    (record,) = read(tmp_path, strict, task(annotation(ADA, wide)))
    assert record.entities == [(0, 3, "PER"), (4, 8, "X")]
    assert [isinstance(span, Trimmed) for span in record.entities or ()] == [False, True]


def test_several_labels_of_a_region(tmp_path: Path, strict: BadInput) -> None:
    both = region("labels", "label", start=0, end=4, text="Ada ", labels=["PER", "NAME"])
    (record,) = read(tmp_path, strict, task(annotation(both)), spans_key="sc")
    assert record.spans == {"sc": [(0, 3, "NAME"), (0, 3, "PER")]}


def test_hypertext(tmp_path: Path, strict: BadInput) -> None:
    """Paths into the document, and characters beside them."""
    value = {"start": "/p[1]/text()[1]", "end": "/p[1]/text()[1]", "startOffset": 0, "endOffset": 3}
    with_characters = {**value, "globalOffsets": {"start": 12, "end": 16}, "text": "Rome"}
    row = region("hypertextlabels", "label", hypertextlabels=["LOC"], **with_characters)
    (record,) = read(tmp_path, strict, task(annotation(row)))
    assert quoted(record) == [("Rome", "LOC")]
    row = region("hypertextlabels", "label", hypertextlabels=["LOC"], **value)
    with pytest.raises(DataError, match="E122"):
        read(tmp_path, strict, task(annotation(row)))


@pytest.mark.parametrize(
    "data, to, options, expected",
    [
        # What is quoted tells, whatever the fields are called.
        ({"review": TEXT, "title": "Rome", "by": "Bo"}, "txt", {}, TEXT),
        ({"text": "summary", "review": TEXT}, "txt", {}, TEXT),
        # Else the name of the object, then `text`, then the only string.
        ({"copy": TEXT, "html": TEXT, "text": TEXT + "!"}, "text", {}, TEXT + "!"),
        ({"body": TEXT, "stars": 5}, "txt", {}, TEXT),
        ({"body": TEXT, "copy": TEXT + "!"}, "txt", {"text_field": "copy"}, TEXT + "!"),
    ],
)
def test_the_field_of_the_text(
    tmp_path: Path, strict: BadInput, data: Any, to: str, options: Any, expected: str
) -> None:
    row = {**ADA, "to_name": to}
    (record,) = read(tmp_path, strict, task(annotation(row), data=data), **options)
    assert (record.text, quoted(record)) == (expected, [("Ada", "PER")])


def test_no_field_is_the_text(tmp_path: Path, strict: BadInput) -> None:
    two = {"question": "Who?", "answer": "Ada."}
    good = region("choices", "mood", to="txt", choices=["good"])
    with pytest.raises(DataError, match=r"\[E180\].*question, answer"):
        read(tmp_path, strict, task(annotation(good), data=two))
    # A field that another object has the name of is not it.
    more = [good, region("choices", "a", to="txt", choices=["x"])]
    other = region("choices", "b", to="question", choices=["y"])
    (record,) = read(tmp_path, strict, task(annotation(*more, other), data=two))
    assert record.text == "Ada."


def test_offsets_of_browsers(tmp_path: Path, strict: BadInput) -> None:
    """They count UTF-16 units, two for an emoji, and line ends once; the quotation tells."""
    row = region("labels", "label", start=3, end=6, text="Ada", labels=["PER"])
    (record,) = read(tmp_path, strict, task(annotation(row), data={"text": "😀 Ada"}))
    assert quoted(record) == [("Ada", "PER")]
    assert list(strict.notes.values()) == [1]
    row = region("labels", "label", start=5, end=8, text="Ada", labels=["PER"])
    (record,) = read(tmp_path, strict, task(annotation(row), data={"text": "😀\r\na\r\nAda"}))
    assert quoted(record) == [("Ada", "PER")]
    assert list(strict.notes.values()) == [2]
    lines = region("labels", "label", start=0, end=5, text="a\\nb c", labels=["X"])
    (record,) = read(tmp_path, strict, task(annotation(lines), data={"text": "a\nb c"}))
    assert quoted(record) == [("a\nb c", "X")]


@pytest.mark.parametrize(
    "bad, code",
    [
        (task(annotation({**ADA, "value": {**ADA["value"], "end": 4, "text": "Bob"}})), "E184"),
        (task(annotation({**ADA, "value": {**ADA["value"], "end": 99}})), "E122"),
        (task(annotation({**ADA, "value": {"labels": ["PER"]}})), "E122"),
        (task(annotation({**ADA, "value": {"start": 3, "end": 4, "labels": ["X"]}})), "E122"),
        (task(annotation({**ADA, "value": None})), "E136"),
        (task(annotation({**ADA, "value": {**ADA["value"], "labels": "PER"}})), "E136"),
        (task(annotation(region("choices", "a", choices="x"))), "E136"),
        (task(annotation(region("taxonomy", "a", taxonomy="x"))), "E136"),
        (task(annotation(), data={"text": " "}), "E135"),
        (task({"result": 5}), "E136"),
        (task({"result": [5]}), "E136"),
        (task(5), "E136"),
        ({"data": {"text": "a"}}, "E136"),
        ([], "E136"),
    ],
)
def test_malformed(tmp_path: Path, lenient: BadInput, bad: Any, code: str) -> None:
    path = write_lines(
        tmp_path / "a.json", [task(annotation(ADA), annotation(completed_by=2)), bad]
    )
    with pytest.raises(DataError, match=rf"a\.json:2: \[{code}\]"):
        list(read_label_studio(path, BadInput()))
    assert len(list(read_label_studio(path, lenient))) == 2
    assert len(lenient.errors) == 1


def test_nobody_has_begun(tmp_path: Path, strict: BadInput) -> None:
    assert read(tmp_path, strict, task()) == []


def test_other_forms(tmp_path: Path) -> None:
    rows = [{"text": TEXT, "data": {"a": 1}, "annotations": 5}]
    assert not recognise(write_lines(tmp_path / "a.json", rows))
    assert not recognise(write(tmp_path / "a.json", "[]"))

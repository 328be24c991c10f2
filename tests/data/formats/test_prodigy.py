from pathlib import Path
from typing import Any, Dict, List

import pytest

from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.jsonl import REFUSED_NOTE, read_jsonl
from mtnlp.data.formats.prodigy import UNNAMED, read_prodigy, recognise
from mtnlp.errors import DataError
from mtnlp.types import Record
from tests.data.formats.exports import EXPORTS, by_annotator, quoted, write_lines

TEXT = "Ada Lovelace met Babbage."
ADA = {"start": 0, "end": 12, "token_start": 0, "token_end": 1, "label": "PERSON"}
TOKENS = [
    {"text": "Ada", "start": 0, "end": 3, "id": 0, "ws": True},
    {"text": "Lovelace", "start": 4, "end": 12, "id": 1, "ws": True},
]


def row(**fields: Any) -> Dict[str, Any]:
    return {"text": TEXT, "_input_hash": 7, "_task_hash": 9, "answer": "accept", **fields}


def read(folder: Path, on_bad: BadInput, *rows: Any, **options: Any) -> List[Record]:
    return list(read_prodigy(write_lines(folder / "a.jsonl", rows), on_bad, **options))


def test_an_export(strict: BadInput) -> None:
    records = list(read_prodigy(EXPORTS / "prodigy.jsonl", strict, task="intent"))
    found = by_annotator(records)
    # 40 texts, ten of them by two people; each has entities and a category, from two lines.
    assert len(records) == 50 and len({record.meta["document"] for record in records}) == 40
    assert strict.notes == {REFUSED_NOTE: 3} and not strict.warnings
    text = "The Halden kettle arrived in Tartu with a dented lid."
    first, second = found[text, "shop-ada"], found[text, "shop-bo"]
    assert quoted(first) == [("Halden kettle", "PRODUCT"), ("Tartu", "CITY")]
    assert first.cats == {"intent/complaint": 1.0, "intent/question": 0.0, "intent/praise": 0.0}
    assert (first.meta["document"], first.meta["stratum"]) == (second.meta["document"], "complaint")
    assert first.meta["line"] == 1
    # Nothing was marked: with an empty list, and without any.
    nothing = "There was no one to help me, and nothing was explained."
    assert found[nothing, "shop-bo"].entities == []
    assert (
        found[
            "My Orrin toaster burns one side of the bread and leaves the other pale.", "shop-ada"
        ].entities
        == []
    )


def test_answers(tmp_path: Path, strict: BadInput) -> None:
    rows = [
        row(text=str(n), _input_hash=n, _view_id="ner_manual", spans=[], answer=answer)
        for n, answer in enumerate(["accept", "reject", "ignore"])
    ]
    assert [record.text for record in read(tmp_path, strict, *rows)] == ["0"]
    assert strict.notes == {REFUSED_NOTE: 2}


def test_one_label_at_a_time(tmp_path: Path, strict: BadInput) -> None:
    """A refusal says that the label does not hold; a label not asked about is missing."""
    rows = [
        row(label="GOOD", _view_id="classification"),
        row(label="LONG", _view_id="classification", answer="reject"),
        row(label="OLD", _view_id="classification", answer="ignore"),
        row(text="b", _input_hash=8, label="LONG", _view_id="classification"),
    ]
    first, second = read(tmp_path, strict, *rows, task="topic")
    assert first.cats == {"topic/GOOD": 1.0, "topic/LONG": 0.0}
    assert second.cats == {"topic/LONG": 1.0}
    assert "judged" not in first.meta and strict.notes == {REFUSED_NOTE: 1}


def test_changed_judgements_are_counted(tmp_path: Path, strict: BadInput) -> None:
    rows = [
        row(label="GOOD"),
        row(label="GOOD", answer="reject"),
        row(spans=[ADA], _view_id="ner_manual"),
        row(spans=[], _view_id="ner_manual"),
        row(spans=[], _view_id="ner_manual"),
    ]
    (record,) = read(tmp_path, strict, *rows)
    assert (record.cats, record.entities) == ({"category/GOOD": 0.0}, [])
    assert list(strict.notes.values()) == [1, 1]


def test_choices(tmp_path: Path, strict: BadInput) -> None:
    options = [{"id": "x", "text": "X!"}, {"id": 2, "text": "Two"}]
    multiple = row(options=options, accept=["x"], config={"choice_style": "multiple"})
    rows = [
        multiple,
        {**multiple, "text": "b", "_input_hash": 8, "accept": []},
        row(text="c", _input_hash=1, options=options, accept=[], config={"choice_style": "single"}),
        row(text="d", _input_hash=2, accept=["x"]),
    ]
    first, none, single, bare = read(tmp_path, strict, *rows)
    assert first.cats == {"category/x": 1.0, "category/2": 0.0}
    assert none.cats == {"category/x": 0.0, "category/2": 0.0}
    assert single.cats is None and list(strict.notes.values()) == [1]
    # Without the options only the whole corpus tells which labels there are.
    assert (bare.cats, bare.meta["judged"]) == ({"category/x": 1.0}, ["category"])


def test_annotators(tmp_path: Path, strict: BadInput) -> None:
    names: List[Dict[str, Any]] = [
        {"_annotator_id": "set-ada", "_session_id": "set-ada"},
        {"_session_id": "set-bo"},
        {"_session_id": None},
        {"_annotator_id": "2024-06-13_16-40-37", "_session_id": "2024-06-13_16-40-37"},
    ]
    rows = [row(spans=[ADA], _view_id="ner_manual", **name) for name in names]
    records = read(tmp_path, strict, *rows)
    assert [record.meta["annotator"] for record in records] == ["set-ada", "set-bo", UNNAMED]
    assert {record.meta["document"] for record in records} == {"7"}
    without = {name: value for name, value in rows[0].items() if name != "_input_hash"}
    (record,) = read(tmp_path, strict, without)
    assert record.meta["document"] == TEXT


def test_single_spans(tmp_path: Path, strict: BadInput) -> None:
    """The interface that shows one span and asks whether it is right (`ner.teach`)."""
    babbage = {"start": 17, "end": 24, "label": "PERSON"}
    rows = [
        row(spans=[ADA], _view_id="ner"),
        row(spans=[babbage], _view_id="blocks", _is_binary=True),
        row(spans=[{**babbage, "label": "CITY"}], _view_id="ner", answer="reject"),
    ]
    (record,) = read(tmp_path, strict, *rows)
    assert quoted(record) == [("Ada Lovelace", "PERSON"), ("Babbage", "PERSON")]
    assert record.missing == [(12, 17), (24, 25)]
    assert sorted(strict.notes.values()) == [1, 1]
    (record,) = read(tmp_path, strict, *rows, spans_key="sc")
    assert (record.entities, record.spans) == (None, None)
    (record,) = read(tmp_path, strict, *rows, row(spans=[ADA], _view_id="ner_manual"))
    assert (quoted(record), record.missing) == ([("Ada Lovelace", "PERSON")], None)


def test_spans_with_tokens_alone(tmp_path: Path, strict: BadInput) -> None:
    """`token_end` is the last token."""
    span = {"token_start": 0, "token_end": 1, "label": "PERSON"}
    (record,) = read(tmp_path, strict, row(spans=[span], tokens=TOKENS, _view_id="ner_manual"))
    assert quoted(record) == [("Ada Lovelace", "PERSON")]
    with pytest.raises(DataError, match=r"a\.jsonl:1: \[E166\]"):
        read(tmp_path, strict, row(spans=[{**span, "token_end": 2}], tokens=TOKENS))


def test_what_is_left_out(tmp_path: Path, strict: BadInput) -> None:
    relation = {"head": 1, "child": 3, "label": "MET"}
    rows = [
        row(spans=[ADA], relations=[relation], _view_id="relations"),
        row(
            text="b", _input_hash=8, spans=[{**ADA, "end": 1}], label="x", _view_id="classification"
        ),
    ]
    first, second = read(tmp_path, strict, *rows)
    assert quoted(first) == [("Ada Lovelace", "PERSON")]
    assert (second.entities, second.cats) == (None, {"category/x": 1.0})
    assert strict.notes == {
        "relations left out": 1,
        "spans that the interface 'classification' only shows, left out": 1,
    }


def test_spans_with_answers(tmp_path: Path, strict: BadInput) -> None:
    spans = [{**ADA, "answer": "accept"}, {**ADA, "label": "CITY", "answer": "reject"}]
    (record,) = read(tmp_path, strict, row(spans=spans))
    assert quoted(record) == [("Ada Lovelace", "PERSON")]
    assert strict.notes == {"spans left out that the annotator rejected": 1}


def test_review(tmp_path: Path, strict: BadInput) -> None:
    """Lines of `prodigy review` name the interface of what was reviewed, and keep the versions."""
    versions = [{"text": TEXT, "spans": [], "sessions": ["set-ada"]}]
    reviewed = row(_view_id="review", view_id="ner_manual", spans=[ADA], versions=versions)
    (record,) = read(tmp_path, strict, reviewed)
    assert quoted(record) == [("Ada Lovelace", "PERSON")]


def test_layer(tmp_path: Path, strict: BadInput) -> None:
    nested = [ADA, {"start": 0, "end": 3, "label": "NAME"}]
    (record,) = read(tmp_path, strict, row(spans=nested, _view_id="spans_manual"), spans_key="sc")
    assert record.spans == {"sc": [(0, 3, "NAME"), (0, 12, "PERSON")]}


def test_nothing_annotated(tmp_path: Path, strict: BadInput) -> None:
    read(tmp_path, strict, row())
    assert "E172" in strict.warning_lines()[0]


@pytest.mark.parametrize(
    "bad, code",
    [
        (row(text=" "), "E135"),
        ([], "E135"),
        (row(spans=[{**ADA, "end": 99}]), "E122"),
        (row(spans=[{"start": 0, "end": 3}]), "E136"),
        (row(spans=5), "E136"),
        (row(options=[{}], accept=[]), "E136"),
        (row(options=5, accept=[]), "E136"),
        (row(accept="x"), "E136"),
        (row(label=True), "E136"),
    ],
)
def test_malformed(tmp_path: Path, lenient: BadInput, bad: Any, code: str) -> None:
    rows = [row(text="fine", _input_hash=1, spans=[]), bad]
    with pytest.raises(DataError, match=rf"a\.jsonl:2: \[{code}\]"):
        read(tmp_path, BadInput(), *rows)
    assert read(tmp_path, lenient, *rows)[0].text == "fine"
    assert len(lenient.errors) == 1


def test_recognise(tmp_path: Path) -> None:
    assert recognise(EXPORTS / "prodigy.jsonl")
    plain = [{"text": "a", "spans": [], "answer": "accept"}]
    path = write_lines(tmp_path / "a.jsonl", plain)
    assert not recognise(path)
    # What lacks the signature stays readable as JSONL.
    assert [record.text for record in read_jsonl(path, BadInput())] == ["a"]

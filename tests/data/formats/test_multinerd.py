from pathlib import Path

import pytest

from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.multinerd import read_multinerd
from mtnlp.data.labels import MULTINERD_LABELS, MULTINERD_TAGS
from mtnlp.errors import DataError
from tests.data.corpora import JSONL, TSV, multinerd_line, write


def test_published_ids() -> None:
    assert len(MULTINERD_LABELS) == 15
    assert len(MULTINERD_TAGS) == 31
    ids = {"B-PER": 1, "I-LOC": 6, "B-ANIM": 7, "B-DIS": 13, "B-TIME": 27, "I-VEHI": 30, "O": 0}
    assert {tag: MULTINERD_TAGS.index(tag) for tag in ids} == ids


def test_jsonl_keeps_english(tmp_path: Path, strict: BadInput) -> None:
    first, second = read_multinerd(write(tmp_path / "a.jsonl", JSONL), strict)
    assert first.tokens == ["Ada", "saw", "a", "red", "fox"]
    assert first.spans == {"multinerd": [(0, 1, "PER"), (3, 5, "ANIM")]}
    assert first.entities is None
    assert second.spans == {"multinerd": []}
    assert second.meta["line"] == 3
    assert dict(strict.notes) == {"sentences in other languages left out": 1}


def test_jsonl_with_tags_as_strings(tmp_path: Path, strict: BadInput) -> None:
    text = '{"tokens": ["Ada"], "ner_tags": ["B-PER"]}\n'
    (record,) = read_multinerd(write(tmp_path / "a.jsonl", text), strict)
    assert record.spans == {"multinerd": [(0, 1, "PER")]}


def test_tsv_where_entities_begin_with_i(tmp_path: Path, strict: BadInput) -> None:
    first, second = read_multinerd(write(tmp_path / "a.tsv", TSV), strict)
    assert first.tokens == ["In", "New", "York"]
    assert first.sent_starts == [True, False, False]
    assert first.spans == {"multinerd": [(1, 3, "LOC")]}
    assert second.spans == {"multinerd": [(0, 1, "PER")]}


@pytest.mark.parametrize("name, text", [("a.jsonl", JSONL), ("a.tsv", TSV)])
def test_windows_line_ends(tmp_path: Path, strict: BadInput, name: str, text: str) -> None:
    expected = list(read_multinerd(write(tmp_path / name, text), strict))
    path = write(tmp_path / name, text.replace("\n", "\r\n"))
    assert list(read_multinerd(path, strict)) == expected


@pytest.mark.parametrize(
    "name, text, line, code",
    [
        ("a.jsonl", JSONL[: len(JSONL) - 20], 3, "E133"),
        ("a.jsonl", "[1, 2]\n" + JSONL, 1, "E130"),
        ("a.jsonl", '{"tokens": ["a"]}\n' + JSONL, 1, "E130"),
        ("a.jsonl", '{"tokens": [], "ner_tags": []}\n' + JSONL, 1, "E130"),
        ("a.jsonl", '{"tokens": [""], "ner_tags": [0]}\n' + JSONL, 1, "E130"),
        ("a.jsonl", '{"tokens": "ab", "ner_tags": [0, 0]}\n' + JSONL, 1, "E130"),
        ("a.jsonl", JSONL + multinerd_line(["a"], [0, 0]), 4, "E131"),
        ("a.jsonl", JSONL + multinerd_line(["a"], [31]), 4, "E132"),
        ("a.jsonl", JSONL + multinerd_line(["a"], [-1]), 4, "E132"),
        ("a.jsonl", JSONL + multinerd_line(["a"], [True]), 4, "E132"),
        ("a.jsonl", JSONL.encode() + b'{"tokens": ["\xff"]}', 4, "E102"),
        ("a.tsv", TSV.replace("2\tYork\tI-LOC", "2\tYork"), 3, "E103"),
        ("a.tsv", TSV.replace("York", ""), 3, "E103"),
        ("a.tsv", TSV.replace("1\tNew", "7\tNew"), 2, "E134"),
        ("a.tsv", TSV.replace("I-LOC", "I-DRAGON"), 3, "E105"),
        ("a.tsv", TSV.replace("I-LOC", "I_LOC"), 3, "E104"),
        ("a.tsv", TSV.encode().replace(b"York", b"Y\xff"), 3, "E102"),
    ],
)
def test_malformed(
    tmp_path: Path, lenient: BadInput, name: str, text: "str | bytes", line: int, code: str
) -> None:
    path = write(tmp_path / name, text)
    with pytest.raises(DataError, match=rf"{name}:{line}: \[{code}\]"):
        list(read_multinerd(path, BadInput()))
    assert len(list(read_multinerd(path, lenient))) >= 1
    assert [error.line for error in lenient.errors] == [line]


def test_empty(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="E101"):
        list(read_multinerd(write(tmp_path / "a.jsonl", ""), BadInput()))

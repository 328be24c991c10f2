"""Formats are told by content."""

import json
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin

from mtnlp.data.datasets import FORMATS
from mtnlp.data.formats.sniff import SIZE, beginning, first_lines, first_values
from mtnlp.data.recognise import recognise, recognised
from mtnlp.errors import MtnlpError
from tests.data.corpora import COLUMNS, CONLL, REAL_DATA, TSV, write
from tests.data.formats.test_webanno import SIMPLE

ROWS = [{"text": "Anna flew.", "label": "move"}, {"text": "Nobody sang.", "label": "sound"}]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)


@pytest.mark.parametrize(
    "content, format",
    [
        (COLUMNS, "columns"),
        (CONLL, "columns"),
        (TSV, "columns"),
        ("# global.columns = token tag\nAnna B-work of art\n", None),
        ("# a comment\nAnna\tB-work of art\nflew\tO\n", "columns"),
        ("Anna S-PER\nBerg -\n", "columns"),
        (CONLL.replace("rejects VBZ I-VP O", "rejects"), "columns"),
        ("Anna flew to Rome\nand Bob flew to Oslo\n", None),
        (LINES, "jsonl"),
        (LINES.replace("\n", "\r\n"), "jsonl"),
        ("# exported\n" + LINES, "jsonl"),
        (json.dumps(ROWS), "jsonl"),
        (json.dumps(ROWS, indent=2), "jsonl"),
        ('["Anna flew.", {"label": "move"}]\n["Bob", {"label": "move"}]\n', "jsonl"),
        (LINES * 2 + "{cut", "jsonl"),
        ('{"data": [\n{"text": "Anna"}\n]}', None),
        ("[1, 2, 3]", None),
        ("text,label\nAnna flew,move\n", "csv"),
        ('label;text\nmove;"Anna; Bob"\n', "csv"),
        ("Anna flew.\t27\tx1\nBob sang.\t3\tx2\n", "csv"),
        ("Anna, who flew\nBob, who sang\n", None),
        ("text\nAnna\n", None),
        (SIMPLE, "webanno"),
        ("\ufeff" + LINES, "jsonl"),
        (b"text,label\nAnna fl\xe9w,move\n", "csv"),
        (b"PK\x03\x04\x00\x00text,label\nx,y\n", None),
        ("", None),
    ],
)
def test_by_content(tmp_path: Path, content: "str | bytes", format: "str | None") -> None:
    found = recognised(write(tmp_path / "data", content))
    assert (found and found.name) == format


def test_docbin(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    path = tmp_path / "data"
    DocBin(docs=[nlp("Anna flew.")]).to_disk(path)
    assert recognise(path).name == "docbin"


def test_commas_need_a_name_or_a_header(tmp_path: Path) -> None:
    rows = "Anna flew,move\nBob sang,sound\n"
    assert recognised(write(tmp_path / "a.txt", rows)) is None
    assert recognise(write(tmp_path / "a.csv", rows)).name == "csv"


@pytest.mark.parametrize("name", FORMATS)
def test_recognising_never_raises(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    for path in (
        tmp_path / "gone",
        tmp_path / "folder",
        write(tmp_path / "binary", bytes(range(256)) * 20),
        write(tmp_path / "deep", "[" * 100_000),
        write(tmp_path / "quote", 'text,label\n"' + "x" * 200_000),
    ):
        assert FORMATS[name].recognise(path) is False


def test_what_a_message_says(tmp_path: Path) -> None:
    for content, seen in (
        ("Dear all,\nhow are you", "a text that begins with 'Dear all,'"),
        (b"\x00\x01", "2 bytes that are no UTF-8 text"),
        ("", "an empty file"),
    ):
        with pytest.raises(MtnlpError, match=f"E155.*{seen}.*--format.*columns, jsonl"):
            recognise(write(tmp_path / "x", content))
    with pytest.raises(MtnlpError, match="E156"):
        recognise(tmp_path / "gone")


def test_a_long_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = write(tmp_path / "long", ("é" * 100 + "\n") * (SIZE // 100))
    assert len(beginning(path)) < SIZE
    assert set(first_lines(path)) == {"é" * 100}
    array = write(tmp_path / "array", json.dumps([{"text": "x" * 1000}] * 2000))
    values = first_values(array)
    assert values and all(value == {"text": "x" * 1000} for value in values)


@pytest.mark.skipif(not REAL_DATA.is_dir(), reason="needs the published corpora")
@pytest.mark.parametrize(
    "path, format",
    [
        ("atis/train.jsonl", "jsonl"),
        ("conll04/train.json", "jsonl"),
        ("conll2003/eng.train", "columns"),
        ("crossner/ai/dev.txt", "columns"),
        ("goemotions/train.tsv", "csv"),
        ("wikineural_en/val.conllu", "columns"),
        ("NEREL-v1.1/dev", "brat"),
        ("README.md", None),
        ("goemotions/labels.txt", None),
    ],
)
def test_published_data(path: str, format: "str | None") -> None:
    found = recognised(REAL_DATA / path)
    assert (found and found.name) == format

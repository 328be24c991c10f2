"""Plain texts of text files, corpora and folders."""

from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin

from mtnlp.data.texts import find_texts, split_lines
from mtnlp.errors import DataError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "brat").mkdir()
    (tmp_path / "brat" / "1.txt").write_text("Привет,\nмир", encoding="utf8")
    (tmp_path / "brat" / "1.ann").write_text("T1\tLOC 8 11\tмир", encoding="utf8")
    (tmp_path / "brat" / "2.txt").write_text("", encoding="utf8")
    nlp = spacy.blank("en")
    docs = [nlp("One text."), nlp(""), nlp("Another  one")]
    DocBin(docs=docs).to_disk(tmp_path / "two.spacy")
    (tmp_path / "notes").write_text("none", encoding="utf8")
    return tmp_path


def test_a_folder_with_all_that_is_below(folder: Path) -> None:
    found = find_texts([folder])
    assert list(found.read()) == ["Привет,\nмир", "One text.", "Another  one"]
    assert list(found.read()) == list(found.read())
    assert found.left_out == {".ann": 1, "notes": 1}


def test_single_files(folder: Path) -> None:
    found = find_texts([folder / "two.spacy", folder / "brat" / "1.txt"])
    assert list(found.read()) == ["One text.", "Another  one", "Привет,\nмир"]
    assert not found.left_out


@pytest.mark.parametrize("name", ["none.txt", "rows.jsonl", "empty"])
def test_what_is_no_text_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "rows.jsonl").write_text("{}", encoding="utf8")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=rf"{name}: \[E464\].*mtnlp convert"):
        find_texts([tmp_path / name])


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_bytes(b"one\n\xff\n")
    with pytest.raises(DataError, match=r"bad.txt:2: \[E102\]"):
        list(find_texts([tmp_path]).read())


def test_long_files_come_in_whole_lines() -> None:
    text = "ab\ncde\r\n\nf"
    assert list(split_lines(text, size=4)) == ["ab\ncde\r\n", "\nf"]
    assert "".join(split_lines(text, size=1)) == text
    assert list(split_lines(text)) == [text]
    assert list(split_lines("")) == []

"""The command line against malformed input: each corpus, each kind of damage.

What every case must show: exit status 1, a coded message that names the file (and the line,
where there is one), no traceback, and an output folder without a single file.
"""

import re
from pathlib import Path
from typing import Dict, NamedTuple, Optional

import pytest

from tests.data.corpora import (
    BRAT_ANN,
    BRAT_TEXT,
    COLUMNS,
    CONLL,
    JSONL,
    MAKERS,
    SAMPLE,
    TSV,
    files_below,
    flat,
    invoke,
    pack,
    write,
)


class Damage(NamedTuple):
    """A file of a corpus, its broken content, and what the message must name."""

    file: str
    content: bytes
    line: Optional[int]
    code: str


def damage(file: str, content: "str | bytes", line: Optional[int], code: str) -> Damage:
    return Damage(file, content.encode() if isinstance(content, str) else content, line, code)


TRAIN, POS, ANN, TXT = "eng.train", "aclImdb/train/pos/3_9.txt", "train/1.ann", "train/1.txt"
LINES, ROWS = "train_en.jsonl", "train_en.tsv"
CASES: Dict[str, Dict[str, Damage]] = {
    "conll": {
        "truncated": damage(TRAIN, CONLL[: CONLL.index("Paris") + 10], 9, "E103"),
        "columns": damage(TRAIN, CONLL.replace("rejects VBZ", "rejects"), 4, "E103"),
        "utf8": damage(TRAIN, CONLL.encode().replace(b"Rome", b"R\xf6me"), 8, "E102"),
        "tag": damage(TRAIN, CONLL.replace("I-MISC", "I-DOG"), 5, "E105"),
        "empty": damage(TRAIN, "", None, "E101"),
    },
    "imdb": {
        "empty": damage(POS, "", None, "E101"),
        "utf8": damage(POS, b"ok\nb\xe9d", 2, "E102"),
        "name": damage("aclImdb/train/pos/review.txt", "good", None, "E111"),
        "rating": damage("aclImdb/train/pos/3_4.txt", "good", None, "E112"),
        "truncated list": damage("aclImdb/train/urls_pos.txt", "http://a\n", 1, "E113"),
    },
    "nerel": {
        "truncated text": damage(TXT, BRAT_TEXT[:15], 3, "E122"),
        "truncated annotation": damage(ANN, BRAT_ANN + "T7\tCITY 38", 6, "E121"),
        "columns": damage(ANN, BRAT_ANN.replace("CITY 13 17", "CITY 13"), 4, "E121"),
        "offsets": damage(ANN, BRAT_ANN.replace("38 42", "39 43"), 5, "E123"),
        "offsets outside": damage(ANN, BRAT_ANN.replace("38 42", "380 420"), 5, "E122"),
        "utf8": damage(TXT, b"Anna\xff", 1, "E102"),
        "entity type": damage(ANN, BRAT_ANN.replace("PERSON", "WIZARD"), 2, "E125"),
        "relation type": damage(ANN, BRAT_ANN.replace("WORKPLACE", "HATES"), 1, "E125"),
        "argument": damage(ANN, BRAT_ANN.replace("Arg2:T2", "Arg2:T8"), 1, "E124"),
        "empty text": damage(TXT, "", None, "E101"),
    },
    "multinerd": {
        "truncated": damage(LINES, JSONL[:-15], 3, "E133"),
        "columns": damage(LINES, JSONL.replace("[1, 0, 0, 7, 8]", "[1, 0]"), 1, "E131"),
        "utf8": damage(LINES, JSONL.encode().replace(b"fox", b"f\xff"), 1, "E102"),
        "tag": damage(LINES, JSONL.replace("[0, 0]", "[0, 99]"), 3, "E132"),
        "empty": damage(LINES, "", None, "E101"),
    },
    "multinerd_tsv": {
        "truncated": damage(ROWS, TSV[: TSV.index("sang") + 4], 6, "E103"),
        "columns": damage(ROWS, TSV.replace("1\tNew", "New"), 2, "E103"),
        "offsets": damage(ROWS, TSV.replace("2\tYork", "5\tYork"), 3, "E134"),
        "utf8": damage(ROWS, TSV.encode().replace(b"York", b"Y\xff"), 3, "E102"),
        "tag": damage(ROWS, TSV.replace("I-LOC", "I-DRAGON"), 3, "E105"),
        "empty": damage(ROWS, "\r\n", None, "E101"),
    },
}
MATRIX = [(corpus, kind) for corpus, kinds in CASES.items() for kind in kinds]


def convert_local(corpus: str, root: Path, out: Path, *extra: str) -> "tuple[int, str]":
    name = corpus.removesuffix("_tsv")
    result = invoke("convert", name, "--source", "local", "--path", root, "--out", out, *extra)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    assert "Traceback" not in result.output
    return result.exit_code, flat(result.output)


@pytest.mark.parametrize("corpus, kind", MATRIX)
def test_malformed_input(tmp_path: Path, corpus: str, kind: str) -> None:
    root, out = tmp_path / "in", tmp_path / "out"
    MAKERS[corpus](root)
    case = CASES[corpus][kind]
    write(root / case.file, case.content)
    status, output = convert_local(corpus, root, out)
    assert status == 1
    # A text cut short is found where its annotation points beyond it.
    file = ANN if kind == "truncated text" else case.file
    where = f"{root / file}" + ("" if case.line is None else f":{case.line}")
    assert f"{where}: [{case.code}]" in output
    assert not out.exists() or files_below(out) == []


@pytest.mark.parametrize("corpus, kind", MATRIX)
def test_malformed_input_left_out(tmp_path: Path, corpus: str, kind: str) -> None:
    """With --skip-bad the conversion goes on, unless a whole split is bad."""
    root, out = tmp_path / "in", tmp_path / "out"
    MAKERS[corpus](root)
    case = CASES[corpus][kind]
    write(root / case.file, case.content)
    status, output = convert_local(corpus, root, out, "--skip-bad")
    if kind == "empty" and corpus != "imdb":
        assert status == 1 and "E145" in output
        assert not out.exists() or files_below(out) == []
    else:
        assert status == 0
        found = re.search(r"(\d+) malformed units? left out", output)
        assert found is not None and int(found[1]) >= 1
        assert case.code in output
        assert len(files_below(out)) == 3


@pytest.mark.parametrize("corpus", MAKERS)
def test_windows_line_ends(tmp_path: Path, corpus: str) -> None:
    root = MAKERS[corpus](tmp_path / "in")
    unix = convert_local(corpus, root, tmp_path / "unix")
    for path in (tmp_path / "in").rglob("*.*"):
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    windows = convert_local(corpus, root, tmp_path / "windows")
    assert unix[0] == windows[0] == 0
    assert files_below(tmp_path / "unix") == files_below(tmp_path / "windows")
    for name in files_below(tmp_path / "unix"):
        assert (tmp_path / "unix" / name).read_bytes() == (tmp_path / "windows" / name).read_bytes()


def test_truncated_archive(tmp_path: Path) -> None:
    archive = pack(MAKERS["imdb"](tmp_path / "in"), tmp_path / "aclImdb_v1.tar.gz")
    archive.write_bytes(archive.read_bytes()[:-200])
    status, output = convert_local("imdb", archive, tmp_path / "out")
    assert status == 1
    assert f"{archive}: [E115]" in output
    assert not (tmp_path / "out").exists()


OWN = {
    "columns": ("a.txt", (COLUMNS + "\n") * 8, (COLUMNS + "\n") * 8 + "cut", 49, "E103"),
    "jsonl": ("a.jsonl", '{"text": "a"}\n' * 9, '{"text": "a"}\n' * 9 + '{"text"', 10, "E133"),
    "csv": ("a.csv", "text,label\n" + "a,b\n" * 9, "text,label\n" + "a,b\n" * 9 + '"a', 11, "E138"),
}


@pytest.mark.parametrize("name", OWN)
def test_ones_own_data(tmp_path: Path, name: str) -> None:
    file, good, bad, line, code = OWN[name]
    train, test = write(tmp_path / file, bad), write(tmp_path / f"test_{file}", good)
    arguments = (name, "--train", train, "--test", test, "--name", "own", "--out", tmp_path / "o")
    result = invoke("convert", *arguments)
    assert result.exit_code == 1
    assert f"{train}:{line}: [{code}]" in flat(result.output)
    assert not (tmp_path / "o").exists()
    assert invoke("convert", *arguments, "--skip-bad").exit_code == 0
    assert files_below(tmp_path / "o") == ["dev/own.spacy", "test/own.spacy", "train/own.spacy"]


def test_a_broken_docbin(tmp_path: Path) -> None:
    path = write(tmp_path / "a.spacy", "junk")
    result = invoke("convert", "docbin", "--train", path, "--test", path, "--out", tmp_path / "o")
    assert result.exit_code == 1
    assert f"{path}: [E140]" in flat(result.output)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("conll", "--source", "local"), "E144"),
        (("conll", "--source", "local", "--path", "nowhere"), "E141"),
        (("conll", "--path", "nowhere"), "[E141] There is nothing to read at nowhere."),
        (("conll", "--sample", str(SAMPLE), "--lang", "zz"), "[E144] --lang 'zz'"),
        (("conll", "--train", "eng.train"), "[E154] --train is for"),
        (("conll", "--ratio", "1:2"), "E144"),
        (("conll", "--limit", "many"), "E144"),
        (("imdb", "--unit", "sentence"), "E148"),
        (("conll", "--labels", "DOG", "--sample", str(SAMPLE)), "E147"),
        (("columns",), "E144"),
        (("columns", "--train", "nowhere.txt"), "nowhere.txt: [E100]"),
    ],
)
def test_options_that_cannot_be_met(
    tmp_path: Path, arguments: "tuple[str, ...]", message: str
) -> None:
    result = invoke("convert", *arguments, "--out", tmp_path)
    assert result.exit_code == 1
    assert message in flat(result.output)
    assert files_below(tmp_path) == []


def test_an_output_folder_that_cannot_be(tmp_path: Path) -> None:
    blocked = write(tmp_path / "file", "here")
    result = invoke("convert", "conll", "--sample", SAMPLE, "--out", blocked)
    assert result.exit_code == 1
    assert str(blocked) in flat(result.output)


def test_success_reports_units_and_files(tmp_path: Path) -> None:
    result = invoke("convert", "conll", "--sample", SAMPLE, "--out", tmp_path, "--limit", "20:5:5")
    assert result.exit_code == 0
    assert re.search(r"train\s+20\s", result.output)
    assert files_below(tmp_path) == ["dev/conll.spacy", "test/conll.spacy", "train/conll.spacy"]


def test_help_names_every_corpus_and_format() -> None:
    output = invoke("convert", "--help").output
    for word in ("imdb", "conll", "nerel", "multinerd", "columns", "jsonl", "csv", "docbin"):
        assert word in output


def test_half_characters_and_unread_fields(tmp_path: Path) -> None:
    """What a first user brings: a field by another name, a cut emoji, refused lines."""
    good = '{"text": "Ada sang", "ents": [[0, 3, "PER"]], "label": "x"}\n'
    refused = '{"text": "No", "answer": "reject"}\n'
    train = write(tmp_path / "a.jsonl", good * 3 + '{"text": "half \\ud83d"}\n' + refused)
    test = write(tmp_path / "b.jsonl", good)
    arguments = ("jsonl", "--train", train, "--dev", test, "--test", test, "--out", tmp_path / "o")
    result = invoke("convert", *arguments)
    assert result.exit_code == 1 and f"{train}:4: [E163]" in flat(result.output)
    result = invoke("convert", *arguments, "--skip-bad")
    output = flat(result.output)
    assert result.exit_code == 0, output
    assert f"{train}:1: [E167] The field 'ents' holds offsets" in output
    assert "--spans-field ents (5 lines)" in output
    assert "Answers left out (rejected or ignored): 1" in output
    result = invoke("convert", *arguments, "--skip-bad", "--spans-field", "ents")
    assert result.exit_code == 0 and "E167" not in result.output


def test_a_table_with_another_separator(tmp_path: Path) -> None:
    train = write(tmp_path / "a.csv", "text;label\na, b;x\nc;y\nd;x\n")
    arguments = ("csv", "--train", train, "--test", train, "--out", tmp_path / "o")
    result = invoke("convert", *arguments)
    assert result.exit_code == 0 and "separator ';'" in flat(result.output)
    result = invoke("convert", *arguments, "--delimiter", ",")
    assert result.exit_code == 1 and "--delimiter ';'" in flat(result.output)
    result = invoke("convert", *arguments, "--delimiter", "::")
    assert result.exit_code == 1 and "E144" in result.output


def test_data_recognised_by_content(tmp_path: Path) -> None:
    rows = '{"text": "Anna flew.", "label": "move"}\n{"text": "Bob sang.", "label": "sound"}\n'
    path, out = write(tmp_path / "notes.jsonl", rows * 10), tmp_path / "out"
    result = invoke("convert", path, "--out", out)
    assert result.exit_code == 0, result.output
    assert f"Recognised as jsonl: train {path}" in flat(result.output)
    assert files_below(out) == ["dev/notes.spacy", "test/notes.spacy", "train/notes.spacy"]
    folder = tmp_path / "shop"
    for split in ("train", "valid", "test"):
        write(folder / f"{split}.txt", COLUMNS * 4)
    train, dev, test = (folder / f"{split}.txt" for split in ("train", "valid", "test"))
    by_option = ("--train", train, "--dev", dev, "--test", test)
    for arguments in ((folder,), (train, dev, test), by_option):
        result = invoke("convert", *arguments, "--out", tmp_path / "shop_out")
        assert result.exit_code == 0, result.output
        assert "Recognised as columns" in result.output
        assert "dev/shop.spacy" in files_below(tmp_path / "shop_out")
    result = invoke("convert", write(tmp_path / "a.md", "Hello there"), "--out", tmp_path / "none")
    assert result.exit_code == 1 and "[E155]" in result.output
    result = invoke("convert", tmp_path / "a.md", "--format", "columns", "--out", tmp_path / "none")
    assert result.exit_code == 1 and "a.md:1: [E104]" in flat(result.output)
    assert not (tmp_path / "none").exists()

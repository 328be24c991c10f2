"""Numbered labels of a multi-label task, as GoEmotions is published: no header, no quoting, ids
separated by commas, their names in a file beside."""

from pathlib import Path
from typing import List

import spacy
from spacy.tokens import Doc, DocBin

from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.csvfile import CsvOptions, read_csv
from mtnlp.data.formats.label_names import read_label_names
from tests.data.corpora import REAL_DATA, files_below, flat, invoke, write
from tests.data.test_real_data import present

NAMES = "joy\nfear\nanger\nneutral\n"
ROWS = [
    'He said "no\t3\tee1\n',
    "I laughed, and was afraid\t0,1\tee2\n",
    "So, so happy\t0\tee3\n",
    "Again\t3\tee4\n",
]
OPTIONS = ["--text-field", 0, "--label-field", 1, "--label-separator", ",", "--task", "emotion"]


def docs_of(path: Path) -> List[Doc]:
    return list(DocBin().from_disk(path).get_docs(spacy.blank("en").vocab))


def test_every_label_in_every_document(tmp_path: Path) -> None:
    train = write(tmp_path / "train.tsv", "".join(ROWS * 3))
    names = write(tmp_path / "labels.txt", NAMES)
    result = invoke(
        *("convert", "csv", "--train", train, "--test", train, *OPTIONS),
        *("--label-names", names, "--name", "emotions", "--out", tmp_path / "out"),
    )
    assert result.exit_code == 0, result.output
    assert files_below(tmp_path / "out") == [
        f"{split}/emotions.spacy" for split in ("dev", "test", "train")
    ]
    docs = docs_of(tmp_path / "out" / "test" / "emotions.spacy")
    assert [doc.text for doc in docs][:2] == ['He said "no', "I laughed, and was afraid"]
    # Nobody is angry, and every document says so.
    keys = {f"emotion/{name}" for name in NAMES.split()}
    assert all(set(doc.cats) == keys for doc in docs)
    positive = [{key for key, value in doc.cats.items() if value} for doc in docs]
    assert positive[:3] == [{"emotion/neutral"}, {"emotion/joy", "emotion/fear"}, {"emotion/joy"}]


def test_one_named_label(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "text,label\nFine,0\nWell,\n")
    first, second = read_csv(path, BadInput(), CsvOptions(label_names=["good", "bad"]))
    assert first.cats == {"category/good": 1.0, "category/bad": 0.0}
    assert first.meta["stratum"] == "good"
    assert second.cats is None


def test_errors_name_file_and_line(tmp_path: Path) -> None:
    train = write(tmp_path / "train.tsv", "".join([*ROWS, "Odd\t2,4\tee5\n"]))
    names = write(tmp_path / "labels.txt", NAMES)
    arguments = ["--train", train, "--test", train, "--label-names", names, "--out", tmp_path / "o"]
    result = invoke("convert", "csv", *arguments, *OPTIONS)
    assert result.exit_code == 1 and f"{train}:5: [E152] '4'" in flat(result.output)
    assert not (tmp_path / "o").exists()
    assert invoke("convert", "csv", *arguments, *OPTIONS, "--skip-bad").exit_code == 0
    result = invoke("convert", "jsonl", *arguments)
    assert result.exit_code == 1 and "[E154]" in result.output
    write(names, "joy\njoy\n")
    result = invoke("convert", "csv", *arguments, *OPTIONS)
    assert result.exit_code == 1 and f"{names}:2: [E153]" in flat(result.output)


def test_goemotions() -> None:
    names = read_label_names(present("goemotions/labels.txt"))
    assert len(names) == 28 and names[0] == "admiration" and names[-1] == "neutral"
    options = CsvOptions("0", "1", ",", task="emotion", label_names=names)
    records = list(read_csv(REAL_DATA / "goemotions" / "dev.tsv", BadInput(), options))
    assert len(records) == 5_426
    assert all(len(record.cats or {}) == 28 for record in records)
    counts = {name: sum(record.cats[f"emotion/{name}"] for record in records) for name in names}  # type: ignore[index]
    assert counts["neutral"] == 1_766 and min(counts, key=counts.__getitem__) == "grief"

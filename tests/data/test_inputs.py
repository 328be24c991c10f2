"""Which file is which split, and what the corpus is called."""

import os
from pathlib import Path
from typing import Dict, List

import pytest

from mtnlp.data.inputs import Inputs, corpus_name, find_inputs, inputs_of, requested
from mtnlp.errors import MtnlpError
from tests.data.corpora import COLUMNS, write

ROW = '{"text": "Anna flew.", "label": "move"}\n'


def names(inputs: Inputs) -> Dict[str, str]:
    return {split: path.name for split, path in inputs.splits.items()}


def test_one_file(tmp_path: Path) -> None:
    path = write(tmp_path / "reviews.jsonl", ROW)
    assert find_inputs([path]) == Inputs("jsonl", {"train": path}, "reviews", recognised=True)


@pytest.mark.parametrize(
    "files, expected",
    [
        (["train.jsonl", "dev.jsonl", "test.jsonl"], ["train.jsonl", "dev.jsonl", "test.jsonl"]),
        (["test", "validation", "training"], ["training", "validation", "test"]),
        (["eng.train", "eng.testa", "eng.testb"], ["eng.train", "eng.testa", "eng.testb"]),
        (["my_VAL.json", "my-train.json"], ["my-train.json", "my_VAL.json"]),
        (["train.json", "old_train.json", "dev2.json"], ["train.json", "dev2.json"]),
    ],
)
def test_splits_by_name(tmp_path: Path, files: List[str], expected: List[str]) -> None:
    paths = [write(tmp_path / name, ROW) for name in files]
    write(tmp_path / "train.log", "step 1")
    write(tmp_path / "LICENSE", "Use it.")
    assert list(names(find_inputs([tmp_path])).values()) == expected
    if len(files) == len(expected):
        assert list(names(find_inputs(paths)).values()) == expected
    else:
        with pytest.raises(MtnlpError, match=r"E157.*old_train\.json"):
            find_inputs(paths)


def test_folders_per_split_and_files_alone(tmp_path: Path) -> None:
    write(tmp_path / "one" / "data.jsonl", ROW)
    assert names(find_inputs([tmp_path / "one"])) == {"train": "data.jsonl"}
    write(tmp_path / "two" / "train.jsonl", ROW)
    write(tmp_path / "two" / "notes.jsonl", ROW)
    assert names(find_inputs([tmp_path / "two"])) == {"train": "train.jsonl"}


def test_a_name_counts_only_as_a_word_of_its_own(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, ROW) for name in ("trainers.jsonl", "contest.jsonl")]
    with pytest.raises(MtnlpError, match=r"E157.*trainers\.jsonl.*contest\.jsonl"):
        find_inputs(paths)
    with pytest.raises(MtnlpError, match="E157"):
        find_inputs([write(tmp_path / "dev.jsonl", ROW), write(tmp_path / "test.jsonl", ROW)])


def test_two_files_for_one_split(tmp_path: Path) -> None:
    for name in ("train_a.jsonl", "train_b.jsonl"):
        write(tmp_path / name, ROW)
    with pytest.raises(MtnlpError, match=r"E157.*train_a\.jsonl.*train_b\.jsonl"):
        find_inputs([tmp_path])


def test_different_formats(tmp_path: Path) -> None:
    paths = [write(tmp_path / "train.jsonl", ROW), write(tmp_path / "dev.txt", COLUMNS)]
    with pytest.raises(MtnlpError, match=r"E158.*train\.jsonl \(jsonl\).*dev\.txt \(columns\)"):
        find_inputs(paths)
    assert find_inputs(paths, "csv").format == "csv"


def test_a_format_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "notes.txt", "nothing that is known")
    assert find_inputs([path], "columns") == Inputs("columns", {"train": path}, "notes")
    assert names(find_inputs([tmp_path], "columns")) == {"train": tmp_path.name}
    with pytest.raises(MtnlpError, match=r"E144.*--format 'conl'.*columns"):
        find_inputs([path], "conl")


def test_what_is_not_there_or_not_known(tmp_path: Path) -> None:
    with pytest.raises(MtnlpError, match=r"E156.*gone\.jsonl.*conll.*jsonl"):
        find_inputs([tmp_path / "gone.jsonl"])
    with pytest.raises(MtnlpError, match=r"E155.*an empty folder"):
        find_inputs([tmp_path])
    write(tmp_path / "readme.md", "Hello")
    with pytest.raises(MtnlpError, match=r"E155.*a folder of readme\.md.*jsonl.*imdb"):
        find_inputs([tmp_path])


def test_given_splits(tmp_path: Path) -> None:
    splits = {name: write(tmp_path / f"{name}.x", ROW) for name in ("train", "test")}
    assert inputs_of(splits) == Inputs("jsonl", splits, tmp_path.name, recognised=True)


def test_requests(tmp_path: Path) -> None:
    """A name, a path, options, or a path and options."""
    nothing = {"train": None, "dev": None, "test": None}
    train, dev = (write(tmp_path / f"{name}.jsonl", ROW) for name in ("train", "dev"))
    assert requested(["conll"], nothing) == Inputs("conll", {})
    assert requested(["csv"], {**nothing, "train": train}) == Inputs("csv", {"train": train})
    both = Inputs("jsonl", {"train": train, "dev": dev}, tmp_path.name, recognised=True)
    assert requested([str(tmp_path)], nothing) == both
    assert requested([str(train), str(dev)], nothing) == both
    assert requested([str(train)], {"dev": dev}) == both
    assert requested([], {"train": train, "dev": dev}) == both
    assert requested([str(train)], nothing, "columns").format == "columns"
    with pytest.raises(MtnlpError, match=r"E144.*--train .*no second file for train"):
        requested([str(train)], {"train": dev})
    with pytest.raises(MtnlpError, match=r"E144 ?.*NAME"):
        requested([], {**nothing, "dev": dev})
    with pytest.raises(MtnlpError, match=r"E156.*conl\b"):
        requested(["conl"], nothing)
    with pytest.raises(MtnlpError, match=r"E156.*no file or folder jsonl"):
        requested(["jsonl", str(train)], nothing)


@pytest.mark.parametrize(
    "path, name",
    [
        ("shop/reviews.jsonl", "reviews"),
        ("shop/train.jsonl", "shop"),
        ("shop/train_en.jsonl", "shop"),
        ("shop/sts-train.csv", "sts"),
        ("shop/eng.train", "eng"),
        ("shop/my.train.jsonl", "my"),
        ("shop/train-00000-of-00001.parquet", "shop"),
    ],
)
def test_corpus_name(tmp_path: Path, path: str, name: str) -> None:
    assert corpus_name(tmp_path / path) == name


def test_corpus_name_of_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "NEREL-v1.1" / "train").mkdir(parents=True)
    assert corpus_name(tmp_path / "NEREL-v1.1") == "NEREL-v1.1"
    assert corpus_name(tmp_path / "NEREL-v1.1" / "train") == "NEREL-v1.1"
    monkeypatch.chdir(tmp_path / "NEREL-v1.1")
    assert corpus_name(Path(os.curdir)) == "NEREL-v1.1"

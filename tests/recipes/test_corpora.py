"""Which paths are one corpus, and what it is called."""

from pathlib import Path
from typing import List

import pytest

from mtnlp.errors import MtnlpError
from mtnlp.recipes.corpora import Source, find_sources, plain_name
from tests.data.corpora import COLUMNS, write

CSV = "text,label\nGood.,yes\nBad.,no\n"


def named(sources: List[Source]) -> List[str]:
    return [f"{s.name}: {s.inputs.format} {' '.join(s.inputs.splits)}" for s in sources]


def test_files_that_differ_in_the_split_are_one_corpus(tmp_path: Path) -> None:
    names = ["a_train.csv", "b.csv", "a_test.csv", "a_dev.csv"]
    paths = [write(tmp_path / name, CSV) for name in names]
    assert named(find_sources(paths)) == ["a: csv train dev test", "b: csv train"]


def test_bare_splits_are_called_after_their_folder(tmp_path: Path) -> None:
    paths = [write(tmp_path / "My shop" / f"{split}.csv", CSV) for split in ("train", "test")]
    assert named(find_sources(paths)) == ["my_shop: csv train test"]


def test_folders_and_files_together(tmp_path: Path) -> None:
    write(tmp_path / "news" / "train.txt", COLUMNS)
    write(tmp_path / "news" / "dev.txt", COLUMNS)
    file = write(tmp_path / "reviews.csv", CSV)
    found = find_sources([tmp_path / "news", file])
    assert named(found) == ["news: columns train dev", "reviews: csv train"]


def test_corpora_of_one_name_are_numbered(tmp_path: Path) -> None:
    paths = [write(tmp_path / folder / "a.csv", CSV) for folder in ("x", "y", "z")]
    assert [source.name for source in find_sources(paths)] == ["a", "a_2", "a_3"]


def test_a_path_named_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.csv", CSV)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MtnlpError, match=r"E486.*a.csv"):
        find_sources([path, Path("a.csv")])


@pytest.mark.parametrize("path", ["missing.csv", "missing"])
def test_nothing_there(tmp_path: Path, path: str) -> None:
    with pytest.raises(MtnlpError, match=path):
        find_sources([tmp_path / path])


def test_names_become_plain() -> None:
    assert plain_name("My Shop (2024)-v2") == "my_shop_2024_v2"
    assert plain_name("Отзывы") == "отзывы" and plain_name("--") == ""

import shutil
from pathlib import Path

import pytest

from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.imdb import clean_review, read_imdb
from mtnlp.errors import DataError
from tests.data.corpora import make_imdb, pack, write


def test_tree(tmp_path: Path, strict: BadInput) -> None:
    records = list(read_imdb(make_imdb(tmp_path, 12), strict))
    assert len(records) == 48
    first = records[0]
    assert first.text == "test neg film number 0."
    assert first.cats == {"sentiment/positive": 0.0, "sentiment/negative": 1.0}
    assert (first.entities, first.spans, first.tokens) == (None, None, None)
    assert first.meta["split"] == "test"
    assert first.meta["group"] == "http://movies/testneg0"
    assert (first.meta["stratum"], first.meta["rating"]) == ("neg", 2)
    # By number, not by name: 2 stands before 10.
    names = [Path(record.meta["path"]).name for record in records[:12]]
    assert names == [f"{number}_2.txt" for number in range(12)]


@pytest.mark.parametrize("name", ["aclImdb.tar.gz", "aclImdb.tar"])
def test_archive_reads_like_the_tree(tmp_path: Path, strict: BadInput, name: str) -> None:
    tree = make_imdb(tmp_path)
    from_tree = [(r.text, r.cats, r.meta["group"]) for r in read_imdb(tree, strict)]
    archive = pack(tree, tmp_path / name)
    assert [(r.text, r.cats, r.meta["group"]) for r in read_imdb(archive, strict)] == from_tree


def test_without_movie_lists_there_are_no_groups(tmp_path: Path, strict: BadInput) -> None:
    tree = make_imdb(tmp_path)
    for listing in tree.rglob("urls_*.txt"):
        listing.unlink()
    assert all("group" not in record.meta for record in read_imdb(tree, strict))


def test_the_unlabelled_part_is_left_alone(tmp_path: Path, strict: BadInput) -> None:
    tree = make_imdb(tmp_path)
    write(tree / "train" / "unsup" / "0_0.txt", "no label")
    write(tree / "train" / "pos" / ".DS_Store", "no review")
    assert len(list(read_imdb(tree, strict))) == 40


@pytest.mark.parametrize(
    "raw, clean",
    [
        ("One.<br /><br />Two.", "One. Two."),
        ("One. <br/> Two<br>", "One. Two"),
        ("<br />A  B", "A  B"),
        ("a < b and b > c", "a < b and b > c"),
    ],
)
def test_breaks(raw: str, clean: str) -> None:
    assert clean_review(raw) == clean


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("train/pos/0_9.txt", b"", r"0_9\.txt: \[E101\]"),
        ("train/pos/0_9.txt", b"<br /><br />", r"0_9\.txt: \[E101\]"),
        ("train/pos/0_9.txt", b"fine\nb\xe9", r"0_9\.txt:2: \[E102\]"),
        ("train/pos/review.txt", b"good", r"review\.txt: \[E111\]"),
        ("train/pos/3_2.txt", b"good", r"3_2\.txt: \[E112\]"),
        ("train/neg/3_5.txt", b"bad", r"3_5\.txt: \[E112\]"),
        ("train/pos/99_9.txt", b"good", r"urls_pos\.txt:10: \[E113\]"),
        ("train/urls_pos.txt", b"\n" * 30, r"urls_pos\.txt:1: \[E114\]"),
        ("train/urls_pos.txt", b"http://a\nhttp://b\n", r"urls_pos\.txt:2: \[E113\]"),
    ],
)
def test_malformed(
    tmp_path: Path, lenient: BadInput, name: str, content: bytes, message: str
) -> None:
    tree = make_imdb(tmp_path)
    write(tree / name, content)
    with pytest.raises(DataError, match=message):
        list(read_imdb(tree, BadInput()))
    records = list(read_imdb(tree, lenient))
    assert lenient.errors
    assert len(records) + len(lenient.errors) == len(list(tree.rglob("*/*/*.txt")))


def test_broken_archives(tmp_path: Path, lenient: BadInput) -> None:
    whole = pack(make_imdb(tmp_path), tmp_path / "a.tar.gz").read_bytes()
    for cut in (0, 5, len(whole) // 2, len(whole) - 12):
        broken = write(tmp_path / "b.tar.gz", whole[:cut])
        with pytest.raises(DataError, match=r"b\.tar\.gz: "):
            list(read_imdb(broken, BadInput()))
    assert list(read_imdb(broken, lenient)) == []
    with pytest.raises(DataError, match="E115"):
        list(read_imdb(write(tmp_path / "c.tar.gz", "no archive"), BadInput()))


def test_nothing_there(tmp_path: Path) -> None:
    tree = make_imdb(tmp_path)
    for split in ("train", "test"):
        shutil.rmtree(tree / split)
    with pytest.raises(DataError, match="E110"):
        list(read_imdb(tree, BadInput()))

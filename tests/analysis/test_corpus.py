"""Which files are read."""

from pathlib import Path

import pytest
from spacy.tokens import Doc

from mtnlp.analysis.corpus import cut_chunks, find_files
from mtnlp.errors import MtnlpError
from tests.analysis.documents import VOCAB


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    for name in ("train/a", "train/b", "dev/a", "test/a", "test/b", "plain/c", "own/a"):
        path = tmp_path / f"{name}.spacy"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


def test_a_folder_of_splits(corpus: Path) -> None:
    files = find_files(corpus)
    assert files.split == "test" and files.path == corpus
    assert files.scored == [corpus / "test/a.spacy", corpus / "test/b.spacy"]
    assert files.train == [corpus / "train/a.spacy", corpus / "train/b.spacy"]
    assert list(files.splits["a"]) == ["train", "dev", "test"]
    dev = find_files(corpus, ["a"], "dev", corpus / "own")
    assert dev.scored == [corpus / "dev/a.spacy"] and dev.train == [corpus / "own/a.spacy"]
    assert dev.splits["a"]["train"] == corpus / "own/a.spacy" and "b" not in dev.splits
    # The part that is scored may be train.
    assert find_files(corpus, ["a"], "train").train == [corpus / "train/a.spacy"]


def test_a_folder_of_files_and_a_file(corpus: Path) -> None:
    folder = find_files(corpus / "test", ["a"])
    assert folder.split == "test" and folder.train == []
    assert folder.splits == {"a": {"test": corpus / "test/a.spacy"}}
    assert (
        find_files(corpus / "dev").split == "dev" and find_files(corpus / "plain").split == "test"
    )
    one = find_files(corpus / "plain/c.spacy", train=corpus / "train")
    # No file of train has its name: all of train.
    assert one.scored == [corpus / "plain/c.spacy"] and len(one.train) == 2
    assert find_files(corpus / "test/a.spacy", train=corpus / "train").train == [
        corpus / "train/a.spacy"
    ]


@pytest.mark.parametrize(
    ("path", "options", "code"),
    [
        ("nowhere", {}, "E701"),
        ("test", {"train": Path("nowhere")}, "E701"),
        ("test", {"names": ["z"]}, "E150"),
        (".", {"names": ["z"]}, "E520"),
        (".", {"split": "dev", "names": ["b"]}, "E150"),
    ],
)
def test_what_is_missing_is_named(corpus: Path, path: str, options: dict, code: str) -> None:
    with pytest.raises(MtnlpError, match=code):
        find_files(corpus / path, **options)


def test_chunks_have_few_documents_and_words() -> None:
    docs = [Doc(VOCAB, words=["w"] * length) for length in (3, 3, 5, 20, 0, 1, 1, 1, 1)]
    chunks = [[len(doc) for doc in chunk] for chunk in cut_chunks(iter(docs), 3, 8)]
    assert chunks == [[3, 3], [5], [20], [0, 1, 1], [1, 1]]
    assert list(cut_chunks([], 3, 8)) == []

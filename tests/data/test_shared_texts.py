"""Texts of one corpus' dev and test in the train part of another."""

from pathlib import Path
from typing import Sequence

import spacy
from spacy.tokens import DocBin

from mtnlp.data.shared_texts import shared_texts


def write(folder: Path, split: str, name: str, texts: Sequence[str]) -> None:
    nlp = spacy.blank("en")
    path = folder / split / f"{name}.spacy"
    path.parent.mkdir(exist_ok=True)
    DocBin(docs=[nlp(text) for text in texts]).to_disk(path)


def test_the_pairs_are_named(tmp_path: Path) -> None:
    write(tmp_path, "train", "news", ["Anna came.", "Bea went.", "Carl stayed."])
    write(tmp_path, "dev", "news", ["Dan ran."])
    write(tmp_path, "test", "news", ["Eve sat."])
    write(tmp_path, "train", "mails", ["Fay sang.", "EVE  sat."])
    write(tmp_path, "test", "mails", ["bea went.", "Anna  came.", "Gus hid."])
    first, second = shared_texts(tmp_path, ["news", "mails"])
    assert "1 of 1 test texts of 'news' are in the train part of 'mails'" in first
    assert "2 of 3 test texts of 'mails' are in the train part of 'news'" in second


def test_nothing_is_shared_within_a_corpus(tmp_path: Path) -> None:
    """The data doctor says that."""
    for split in ("train", "test"):
        write(tmp_path, split, "news", ["Anna came."])
    assert shared_texts(tmp_path, ["news"]) == []

"""Folds: the same each time, about equal, and no document in two of them."""

from pathlib import Path
from typing import List, Optional

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from mtnlp.analysis.label_errors.corpus import CheckedCorpus, Place, pick
from mtnlp.analysis.label_errors.folds import make_folds
from mtnlp.errors import MtnlpError

IDS = st.lists(st.one_of(st.none(), st.integers(0, 9).map(str)), min_size=20, max_size=60)


@given(ids=IDS, count=st.integers(2, 5), seed=st.integers(0, 3))
def test_no_document_is_torn_apart(ids: List[Optional[str]], count: int, seed: int) -> None:
    sizes = [1 + index % 7 for index in range(len(ids))]
    documents = len({index if name is None else name for index, name in enumerate(ids)})
    if documents < 2 * count:
        with pytest.raises(MtnlpError, match="E720"):
            make_folds(ids, sizes, count, seed)
        return
    folds = make_folds(ids, sizes, count, seed)
    assert sorted(np.concatenate([fold.held for fold in folds]).tolist()) == list(range(len(ids)))
    for fold in folds:
        parts = [fold.held, fold.train, fold.dev]
        assert all(len(part) for part in parts)
        assert sorted(np.concatenate(parts).tolist()) == list(range(len(ids)))
        names = [{ids[i] for i in part if ids[i] is not None} for part in parts]
        assert not (names[0] & names[1] or names[0] & names[2] or names[1] & names[2])


def test_same_again_and_balanced() -> None:
    ids = [str(index // 3) for index in range(300)]
    sizes = [10 + index % 13 for index in range(300)]
    folds = make_folds(ids, sizes, 5, seed=1)
    again = make_folds(ids, sizes, 5, seed=1)
    assert all(np.array_equal(a.held, b.held) for a, b in zip(folds, again, strict=True))
    other = make_folds(ids, sizes, 5, seed=2)
    assert any(not np.array_equal(a.held, b.held) for a, b in zip(folds, other, strict=True))
    words = [sum(sizes[i] for i in fold.held) for fold in folds]
    assert max(words) - min(words) <= 3 * 22  # a document


def make_bin(path: Path, name: str, count: int) -> None:
    vocab = Vocab()
    docs = []
    for number in range(count):
        doc = Doc(vocab, words=["In", "Rome", str(number)])
        doc.set_ents([Span(doc, 1, 2, "LOC")], default="outside")
        doc.spans["sc"] = [Span(doc, 0, 2, "X")]
        doc.cats = {"topic/A": float(number % 2)}
        doc.user_data["document"] = str(number // 2)
        docs.append(doc)
    docs.insert(1, Doc(vocab))
    DocBin(docs=docs, store_user_data=True).to_disk(path / name)


def test_corpus_of_two_files(tmp_path: Path) -> None:
    make_bin(tmp_path, "a.spacy", 6)
    make_bin(tmp_path, "b.spacy", 4)
    corpus = CheckedCorpus(tmp_path)
    # The empty one is no place, but it counts.
    assert [place.number for place in corpus.places] == [0, 2, 3, 4, 5, 6, 0, 2, 3, 4]
    docs = list(corpus.docs(Vocab(), [1, 5, 6, 9]))
    assert [place for place, _ in docs] == [
        Place("a.spacy", 2),
        Place("a.spacy", 6),
        Place("b.spacy", 0),
        Place("b.spacy", 4),
    ]
    assert [doc[2].text for _, doc in docs] == ["1", "5", "0", "3"]
    # Documents of two files are not the same because they are called the same.
    folds = corpus.folds(2, 0)
    held = [{corpus.places[i] for i in fold.held} for fold in folds]
    assert {len(part) for part in held} == {4, 6}


def test_what_is_picked_is_whole(tmp_path: Path) -> None:
    make_bin(tmp_path, "a.spacy", 6)
    docbin = DocBin().from_disk(tmp_path / "a.spacy")
    picked = DocBin().from_bytes(pick(docbin, [0, 4]).to_bytes())
    first, second = picked.get_docs(Vocab())
    assert [ent.text for ent in second.ents] == ["Rome"]
    assert [(span.text, span.label_) for span in second.spans["sc"]] == [("In Rome", "X")]
    assert (first.cats, second.cats) == ({"topic/A": 0.0}, {"topic/A": 1.0})
    assert (first.user_data["document"], second.user_data["document"]) == ("0", "1")


def test_nothing_to_check(tmp_path: Path) -> None:
    DocBin(docs=[Doc(Vocab())]).to_disk(tmp_path / "a.spacy")
    with pytest.raises(MtnlpError, match="E721"):
        CheckedCorpus(tmp_path / "a.spacy")

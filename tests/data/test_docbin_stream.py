"""Corpora of several shards, streamed."""

from collections import Counter
from pathlib import Path
from typing import Any, Iterator, List
from weakref import WeakSet

import pytest
from spacy.language import Language
from spacy.tokens import Doc
from spacy.vocab import Vocab

from mtnlp.data import docbin_stream
from mtnlp.data.corpus_settings import CorpusSettings
from mtnlp.data.docbin import write_shards
from mtnlp.data.mixed_corpus import create_mixed_corpus_v1
from mtnlp.errors import DataError, MtnlpError
from tests.data.mixed_cases import first_words, news, numbered, save, spans_of


def sharded(folder: Path, shards: int, size: int, prefix: str = "a") -> Path:
    """Documents a0, a1, … in `shards` files of `size`."""
    vocab = Vocab()
    docs = (Doc(vocab, words=[f"{prefix}{i}", "."]) for i in range(shards * size))
    write_shards(docs, folder, size)
    return folder


def make_stream(path: Path, **settings: Any) -> Any:
    own = {key: settings.pop(key) for key in ("weight", "limit") if key in settings}
    return create_mixed_corpus_v1({"a": {"path": path, **own}}, stream=True, **settings)


def test_an_epoch_is_every_document_of_every_shard(nlp, tmp_path):
    reader = make_stream(sharded(tmp_path / "a", 5, 20), buffer=30)
    first, second = first_words(reader(nlp)), first_words(reader(nlp))
    assert sorted(first) == sorted(second) == sorted(f"a{i}" for i in range(100))
    assert first != second
    # Neither the order of the shards nor that within a shard is left.
    assert {int(word[1:]) // 20 for word in first[:20]} > {int(first[0][1:]) // 20}


def test_without_shuffle_it_reads_as_from_memory(nlp, tmp_path):
    folder = sharded(tmp_path / "a", 4, 6)
    corpora = {"a": {"path": folder, "weight": 2}, "b": {"path": folder / "000001.spacy"}}
    streamed = create_mixed_corpus_v1(corpora, stream=True, shuffle=False)
    loaded = create_mixed_corpus_v1(corpora, shuffle=False)
    assert first_words(streamed(nlp)) == first_words(loaded(nlp))


@pytest.mark.parametrize("weight, expected", [(0.5, {1: 50}), (2.5, {2: 50, 3: 50})])
def test_a_fractional_weight_goes_on_where_it_stopped(nlp, tmp_path, weight, expected):
    reader = make_stream(sharded(tmp_path / "a", 5, 20), weight=weight, buffer=10)
    first, second = first_words(reader(nlp)), first_words(reader(nlp))
    assert Counter(Counter(first).values()) == Counter(Counter(second).values()) == expected
    assert set(Counter(first + second).values()) == {2 * weight}


@pytest.fixture
def alive(monkeypatch: pytest.MonkeyPatch) -> "WeakSet[Doc]":
    """The Docs read from files that still exist."""
    docs: WeakSet[Doc] = WeakSet()
    read = docbin_stream.read_docs

    def watch(*arguments: Any) -> Iterator[Doc]:
        for doc in read(*arguments):
            docs.add(doc)
            yield doc

    monkeypatch.setattr(docbin_stream, "read_docs", watch)
    return docs


def most_alive(reader: Any, nlp: Language, alive: "WeakSet[Doc]") -> int:
    most = 0
    for _ in reader(nlp):
        most = max(most, len(alive))
    return most


def test_memory_holds_the_buffer_and_no_more(nlp, tmp_path, alive):
    a, b = sharded(tmp_path / "a", 4, 50), sharded(tmp_path / "b", 3, 50, "b")
    corpora = {"a": {"path": a}, "b": {"path": b}}
    reader = create_mixed_corpus_v1(corpora, stream=True, buffer=20)
    # Of each corpus the buffer and the one that just came in; the one that just went out.
    assert 40 <= most_alive(reader, nlp, alive) <= 2 * 21 + 2
    loaded = create_mixed_corpus_v1(corpora)
    assert most_alive(loaded, nlp, alive) == 350


def test_no_more_is_made_than_a_limit_leaves(nlp, tmp_path, alive):
    """In memory; the same documents, in the same order, as where all are made and some chosen."""
    folder, limit = sharded(tmp_path / "a", 4, 50), 20
    reader = create_mixed_corpus_v1({"a": {"path": folder, "limit": limit}}, shuffle=False)
    assert most_alive(reader, nlp, alive) == limit
    every = first_words(create_mixed_corpus_v1({"a": {"path": folder}}, shuffle=False)(nlp))
    settings = CorpusSettings("a", folder, limit=limit)
    chosen = docbin_stream.draw_limit(settings, 0, len(every))
    assert first_words(reader(nlp)) == [every[index] for index in chosen]


def test_reading_ahead_is_no_more_than_is_asked_for(nlp, tmp_path, alive):
    """An epoch as `spacy train` begins it for initialisation."""
    reader = make_stream(sharded(tmp_path / "a", 10, 20), buffer=5)
    examples = [example for example, _ in zip(reader(nlp), range(30), strict=False)]
    assert len(examples) == 30
    assert len(alive) <= 30 + 5 + 2


def test_a_limit_takes_shards_by_seed_and_is_nested(nlp, tmp_path):
    folder = sharded(tmp_path / "a", 10, 10)

    def sample(limit: int, seed: int = 0) -> List[str]:
        reader = make_stream(folder, limit=limit, seed=seed)
        first, second = first_words(reader(nlp)), first_words(reader(nlp))
        assert sorted(first) == sorted(second) and len(set(first)) == len(first)
        return sorted(first)

    assert len(sample(25)) == 25
    assert len({int(word[1:]) // 10 for word in sample(25)}) == 3
    assert set(sample(5)) < set(sample(25)) < set(sample(60))
    assert sample(25) == sample(25) != sample(25, seed=1)
    assert len(sample(0)) == len(sample(1000)) == 100


def test_a_limit_opens_no_shard_that_it_does_not_need(nlp, tmp_path):
    folder = sharded(tmp_path / "a", 6, 10)
    needed = make_stream(folder, limit=20, seed=3)
    kept = {int(word[1:]) // 10 for word in first_words(needed(nlp))}
    for number in set(range(6)) - kept:
        (folder / f"{number:06d}.spacy").write_bytes(b"broken")
    assert len(first_words(make_stream(folder, limit=20, seed=3)(nlp))) == 20


def test_layers_are_mapped(nlp, tmp_path):
    path = write_shards((news(nlp.vocab) for _ in range(4)), tmp_path / "a", 2)[0].parent
    settings = {"path": path, "ents_to": "conll", "spans": {"nested": "nerel"}}
    reader = create_mixed_corpus_v1({"a": settings}, stream=True)
    for _ in range(2):
        references = [example.reference for example in reader(nlp)]
        assert len(references) == 4
        for reference in references:
            assert set(reference.spans) == {"conll", "fine", "nerel"}
            assert spans_of(reference.spans["conll"]) == [(0, 1, "PER"), (2, 3, "LOC")]
            assert not reference.has_annotation("ENT_IOB")


def test_empty_documents_and_empty_shards_are_left_out(nlp, tmp_path):
    vocab = Vocab()
    save(tmp_path / "a" / "0.spacy", [Doc(vocab), Doc(vocab, words=["a"]), Doc(vocab)])
    save(tmp_path / "a" / "1.spacy", [Doc(vocab)])
    save(tmp_path / "a" / "2.spacy", [Doc(vocab), Doc(vocab, words=["b"])])
    assert sorted(first_words(make_stream(tmp_path / "a")(nlp))) == ["a", "b"]


@pytest.mark.filterwarnings("ignore:.*W090")
def test_what_is_wrong_is_said_at_the_call(nlp, tmp_path):
    with pytest.raises(MtnlpError, match=r"E190.*'a'"):
        make_stream(tmp_path / "absent")(nlp)
    (tmp_path / "empty").mkdir()
    with pytest.raises(MtnlpError, match="E191"):
        make_stream(tmp_path / "empty")(nlp)
    folder = sharded(tmp_path / "a", 2, 5)
    reader = create_mixed_corpus_v1({"a": {"path": folder, "ents_to": "x"}}, stream=True)
    with pytest.raises(MtnlpError, match=r"E193.*the entities.*neither"):
        reader(nlp)
    (folder / "000001.spacy").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"000001\.spacy: \[E140\]"):
        make_stream(folder)(nlp)


def test_a_shard_that_shrinks_while_it_is_streamed_is_named(nlp, tmp_path):
    folder = sharded(tmp_path / "a", 3, 10)
    reader = make_stream(folder)
    first_words(reader(nlp))
    numbered(folder / "000002.spacy", "a", 4)
    with pytest.raises(DataError, match=r"000002\.spacy: \[E161\] 4 documents were read, but 10"):
        first_words(reader(nlp))


def test_another_vocab_is_read_for(nlp, tmp_path):
    reader = make_stream(sharded(tmp_path / "a", 2, 5))
    assert len(first_words(reader(nlp))) == 10
    other = Language()
    assert all(example.reference.vocab is other.vocab for example in reader(other))

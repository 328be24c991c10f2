"""`taught` of a corpus in `mtnlp.MixedCorpus.v1`: each document has its own opinions."""

import json
import pickle
from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from mtnlp.data.docbin import write_shards
from mtnlp.data.mixed_corpus import create_mixed_corpus_v1
from mtnlp.data.opinion_file import Teacher
from mtnlp.data.taught import opinion_path
from mtnlp.errors import DataError, MtnlpError
from mtnlp.gold.opinions import KEY, opinions_of
from tests.data.mixed_cases import news, numbered, save, spans_of
from tests.data.taught_cases import head, telling, told, write_opinions

HEADS = [head("textcat", labels=("topic/A", "topic/B"))]


def teach(corpus: Path, taught: Path, **settings: Any) -> Path:
    """Opinions on each file of a corpus that tell whose they are."""
    files = sorted(corpus.rglob("*.spacy")) if corpus.is_dir() else [corpus]
    for file in files:
        write_opinions(file, opinion_path(taught, corpus, file), HEADS, telling, **settings)
    return taught


def numbers(reader: Any, nlp: Any) -> List[int]:
    """The documents of an epoch; each must have its own opinion."""
    found = []
    for example in reader(nlp):
        number = int(example.reference[0].text[1:])
        assert told(opinions_of(example.reference, "textcat")) == number
        assert opinions_of(example.reference, "ner") == []
        assert not opinions_of(example.predicted, "textcat")
        found.append(number)
    return found


@pytest.fixture(scope="module")
def sharded(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Any]:
    """Three shards of ten documents, empty ones among them, and the opinions on them."""
    vocab = Vocab()
    docs: List[Doc] = []
    folder = tmp_path_factory.mktemp("sharded")
    for number in range(30):
        if number % 4 == 0:
            docs.append(Doc(vocab))
        docs.append(Doc(vocab, words=[f"a{number}", "."]))
    write_shards(docs, folder / "a", 13)
    return {"path": folder / "a", "taught": teach(folder / "a", folder / "taught")}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "settings, own",
    [
        ({}, {}),
        ({"shuffle": False}, {}),
        ({"sampling": "power"}, {"weight": 1.5}),
        ({"sampling": "round_robin"}, {}),
        ({"seed": 5}, {"limit": 11, "weight": 2.5}),
    ],
)
def test_documents_keep_their_opinions(
    nlp: Any, tmp_path: Path, sharded: Any, stream: bool, settings: Any, own: Any
) -> None:
    other = numbered(tmp_path / "b.spacy", "b", 7)
    corpora = {
        "a": {**sharded, **own},
        "b": {"path": other, "taught": teach(other, tmp_path / "t")},
    }
    reader = create_mixed_corpus_v1(corpora, stream=stream, buffer=4, **settings)
    first, second = numbers(reader, nlp), numbers(reader, nlp)
    assert len(first) == len(second) > 15
    assert len(set(first)) > 25 or own.get("limit")


def test_a_file_and_files_of_one_name(nlp: Any, tmp_path: Path) -> None:
    """Files of the same name in several folders, and a corpus that is a single file."""
    one = numbered(tmp_path / "train" / "x" / "same.spacy", "a", 3)
    numbered(tmp_path / "train" / "y" / "same.spacy", "a", 5)
    taught = teach(tmp_path / "train", tmp_path / "taught")
    assert (taught / "x" / "same.opinions.safetensors").is_file()
    corpora = {"all": {"path": tmp_path / "train", "taught": taught}}
    assert len(numbers(create_mixed_corpus_v1(corpora), nlp)) == 8
    for place in (taught / "x", taught / "x" / "same.opinions.safetensors"):
        corpora = {"all": {"path": one, "taught": place}}
        assert len(numbers(create_mixed_corpus_v1(corpora), nlp)) == 3


def test_layers_move_and_opinions_stay(nlp: Any, tmp_path: Path) -> None:
    path = save(tmp_path / "a.spacy", [news(Vocab()) for _ in range(3)])
    settings = {"path": path, "taught": teach(path, tmp_path / "t"), "ents_to": "conll"}
    for example in create_mixed_corpus_v1({"a": settings})(nlp):
        assert spans_of(example.reference.spans["conll"]) == [(0, 1, "PER"), (2, 3, "LOC")]
        assert told(opinions_of(example.reference, "textcat")) == -1


@pytest.mark.parametrize("stream", [False, True])
def test_teachers_only(nlp: Any, tmp_path: Path, stream: bool) -> None:
    """Words, spaces and opinions; no gold of any layer."""
    vocab = Vocab()
    docs = [news(vocab), Doc(vocab, words=["b7", "unknown", "spaces"], tags=["A", "B", "C"])]
    docs[0].cats = {"topic/A": 1.0}
    docs[0].user_data["document"] = "article 1"
    docs[1].set_ents([Span(docs[1], 0, 1, "PER")])
    path = save(tmp_path / "a.spacy", docs)
    settings = {"path": path, "taught": teach(path, tmp_path / "t"), "teachers_only": True}
    reader = create_mixed_corpus_v1({"a": settings}, shuffle=False, stream=stream)
    for _ in range(2):
        first, second = (example.reference for example in reader(nlp))
        assert first.text == "Anna left Rome." and first.user_data["document"] == "article 1"
        assert second.has_unknown_spaces and not second.has_annotation("TAG")
        for doc in (first, second):
            assert not doc.has_annotation("ENT_IOB") and not doc.spans and not doc.cats
            assert not doc.has_annotation("SENT_START")
        assert told(opinions_of(second, "textcat")) == 7


@pytest.mark.parametrize(
    "settings, option",
    [
        ({"taught": ""}, "taught"),
        ({"taught": 3}, "taught"),
        ({"teachers_only": True}, "teachers_only"),
        ({"teachers_only": 1, "taught": "x"}, "teachers_only"),
        ({"teachers_only": True, "taught": "x", "ents_to": "a"}, "teachers_only"),
        ({"teachers_only": True, "taught": "x", "spans": {"a": "b"}}, "teachers_only"),
    ],
)
def test_wrong_settings(settings: Any, option: str) -> None:
    with pytest.raises(MtnlpError, match=f"E192.*'a': {option} = "):
        create_mixed_corpus_v1({"a": {"path": "a.spacy", **settings}})


@pytest.mark.parametrize("stream", [False, True])
def test_stale_files(nlp: Any, tmp_path: Path, stream: bool) -> None:
    """Documents that changed, went, came or moved are found when the corpus is opened."""
    path = numbered(tmp_path / "train" / "a.spacy", "a", 6)
    taught = teach(path.parent, tmp_path / "t")
    vocab = Vocab()

    def read(*words: str) -> Any:
        save(path, [Doc(vocab, words=[word, "."]) for word in words])
        corpora = {"a": {"path": path.parent, "taught": taught}}
        return create_mixed_corpus_v1(corpora, stream=stream)(nlp)

    right = [f"a{i}" for i in range(6)]
    assert len(list(read(*right))) == 6
    where = r"a\.opinions\.safetensors: \[E742\].*'a'.*a\.spacy"
    with pytest.raises(DataError, match=f"{where}: document 2 .*other words.*mtnlp teach"):
        read(*right[:2], "another", *right[3:])
    with pytest.raises(DataError, match=f"{where}: .*another order"):
        read(*right[::-1])
    with pytest.raises(DataError, match=f"{where}: it is of 6 documents, and there are 7"):
        read(*right, "a6")
    with pytest.raises(DataError, match=r"t.b\.opinions\.safetensors: \[E740\]"):
        numbered(path.parent / "b.spacy", "b", 2)
        read(*right)


@pytest.mark.parametrize("stream", [False, True])
def test_documents_that_nobody_was_asked_about(nlp: Any, tmp_path: Path, stream: bool) -> None:
    """As after teaching for a limit: those may be used, more may not."""
    path = numbered(tmp_path / "a.spacy", "a", 10)

    def read(limit: int) -> List[int]:
        settings = {"path": path, "taught": tmp_path / "t.opinions.safetensors", "limit": limit}
        return numbers(create_mixed_corpus_v1({"a": settings}, stream=stream), nlp)

    teach(path, tmp_path / "t.opinions.safetensors")
    chosen = set(read(4))
    write_opinions(
        path,
        tmp_path / "t.opinions.safetensors",
        HEADS,
        lambda index, doc: telling(index, doc) if index in chosen else None,
    )
    assert set(read(4)) == chosen
    with pytest.raises(DataError, match=r"E744.*'a' uses 10 documents.* 6 of them"):
        read(0)


def test_a_teacher_that_was_trained_anew(nlp: Any, tmp_path: Path) -> None:
    path = numbered(tmp_path / "a.spacy", "a", 2)
    model = tmp_path / "model"
    model.mkdir()
    taught = teach(path, tmp_path / "t", teachers=[Teacher("x", "1", str(model), "f")])

    def read() -> List[int]:
        return numbers(create_mixed_corpus_v1({"a": {"path": path, "taught": taught}}), nlp)

    def labels(*names: str) -> None:
        meta = {"labels": {"textcat": list(names)}}
        (model / "meta.json").write_text(json.dumps(meta), encoding="utf8")

    assert len(read()) == 2  # the teacher has gone: nothing can be said
    labels("topic/B", "topic/A")
    assert len(read()) == 2
    labels("topic/A", "topic/C")
    with pytest.raises(DataError, match=r"E743.*'textcat'.*model.*topic/B\. .*topic/C\."):
        read()


def test_the_student_must_be_able_to_learn(tmp_path: Path, caplog: Any) -> None:
    path = numbered(tmp_path / "a.spacy", "a", 2)
    taught = write_opinions(
        path,
        tmp_path / "a.opinions.safetensors",
        [*HEADS, head("spare")],
        lambda index, doc: telling(index, doc) * 2,
    )
    nlp = spacy.blank("en")
    reader = create_mixed_corpus_v1({"a": {"path": path, "taught": taught}})
    assert len(list(reader(nlp))) == 2  # no student yet
    nlp.add_pipe("sentencizer")
    with pytest.raises(MtnlpError, match=r"E745.* textcat, spare.*sentencizer.*--to"):
        reader(nlp)
    nlp.add_pipe("textcat_multilabel", name="textcat")
    assert len(list(reader(nlp))) == 2
    assert "Opinions for 'spare' are not used" in caplog.text


def test_references_travel(nlp: Any, tmp_path: Path) -> None:
    """A pickled reference finds its file again, and its opinions are a mapping."""
    path = numbered(tmp_path / "a.spacy", "a", 3)
    corpora = {"a": {"path": path, "taught": teach(path, tmp_path / "t")}}
    for example in create_mixed_corpus_v1(corpora)(nlp):
        again = pickle.loads(pickle.dumps(example.reference))
        number = int(again[0].text[1:])
        assert told(opinions_of(again, "textcat")) == number
        carried = again.user_data[KEY]
        assert list(carried) == ["textcat"] and len(carried) == 1 and "ner" not in carried

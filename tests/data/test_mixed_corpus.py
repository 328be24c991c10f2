"""`mtnlp.MixedCorpus.v1`: what an epoch holds, and errors."""

from collections import Counter
from typing import List

import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from mtnlp.data.mixed_corpus import MixedCorpus, create_mixed_corpus_v1
from mtnlp.errors import DataError, MtnlpError
from tests.data.mixed_cases import first_words, numbered, read_one, save

# What an epoch holds


def test_an_epoch_holds_every_document_of_every_corpus_shuffled(nlp, tmp_path):
    a, b = numbered(tmp_path / "a.spacy", "a", 30), numbered(tmp_path / "b.spacy", "b", 20)
    words = first_words(create_mixed_corpus_v1({"a": {"path": a}, "b": {"path": b}})(nlp))
    in_order = [f"a{i}" for i in range(30)] + [f"b{i}" for i in range(20)]
    assert sorted(words) == sorted(in_order)
    assert words != in_order
    assert {word[0] for word in words[:25]} == {"a", "b"}


def test_without_shuffle_the_order_is_that_of_config_and_file(nlp, tmp_path):
    a, b = numbered(tmp_path / "a.spacy", "a", 3), numbered(tmp_path / "b.spacy", "b", 2)
    reader = create_mixed_corpus_v1({"b": {"path": b}, "a": {"path": a}}, shuffle=False)
    assert first_words(reader(nlp)) == ["b0", "b1", "a0", "a1", "a2"]
    assert first_words(reader(nlp)) == ["b0", "b1", "a0", "a1", "a2"]


def test_epochs_differ_and_the_seed_gives_them_again(nlp, tmp_path):
    corpora = {"a": {"path": numbered(tmp_path / "a.spacy", "a", 20), "weight": 0.5}}

    def epochs(seed: int) -> List[List[str]]:
        reader = create_mixed_corpus_v1(corpora, seed=seed)
        return [first_words(reader(nlp)) for _ in range(3)]

    first, second, third = epochs(0)
    assert first != second != third
    assert set(first) != set(second)
    assert epochs(0) == [first, second, third]
    assert epochs(1) != [first, second, third]


def test_epoch_can_be_set_to_go_on(nlp, tmp_path):
    corpora = {"a": {"path": numbered(tmp_path / "a.spacy", "a", 20), "weight": 0.5}}
    reader, resumed = create_mixed_corpus_v1(corpora), create_mixed_corpus_v1(corpora)
    assert isinstance(reader, MixedCorpus) and isinstance(resumed, MixedCorpus)
    epochs = [first_words(reader(nlp)) for _ in range(3)]
    assert reader.epoch == 3
    resumed.epoch = 2
    assert first_words(resumed(nlp)) == epochs[2]


@pytest.mark.parametrize(
    "weight, expected",
    [(0.5, {0: 5, 1: 5}), (1, {1: 10}), (2.0, {2: 10}), (2.5, {2: 5, 3: 5}), (0.01, {0: 9, 1: 1})],
)
def test_weight_says_how_often_each_document_is_seen(nlp, tmp_path, weight, expected):
    path = numbered(tmp_path / "a.spacy", "a", 10)
    reader = create_mixed_corpus_v1({"a": {"path": path, "weight": weight}})
    seen = Counter(first_words(reader(nlp)))
    assert Counter(seen[f"a{i}"] for i in range(10)) == expected


def test_a_fractional_weight_reaches_every_document_over_the_epochs(nlp, tmp_path):
    path = numbered(tmp_path / "a.spacy", "a", 10)
    reader = create_mixed_corpus_v1({"a": {"path": path, "weight": 0.5}})
    assert len({word for _ in range(12) for word in first_words(reader(nlp))}) == 10


def test_weight_zero_leaves_a_corpus_out_unread(nlp, tmp_path):
    path = numbered(tmp_path / "a.spacy", "a", 3)
    absent = {"path": tmp_path / "absent.spacy", "weight": 0.0}
    reader = create_mixed_corpus_v1({"a": {"path": path}, "b": absent})
    assert sorted(first_words(reader(nlp))) == ["a0", "a1", "a2"]


def test_limit_is_a_fixed_fair_nested_sample(nlp, tmp_path):
    path = numbered(tmp_path / "a.spacy", "a", 100)

    def sample(limit: int, seed: int = 0) -> List[str]:
        reader = create_mixed_corpus_v1({"a": {"path": path, "limit": limit}}, seed=seed)
        epochs = [first_words(reader(nlp)) for _ in range(2)]
        assert set(epochs[0]) == set(epochs[1])
        return sorted(epochs[0])

    assert len(sample(10)) == 10
    assert sample(10) == sample(10)
    assert sample(10) != sample(10, seed=1)
    assert set(sample(10)) < set(sample(30))
    assert not set(sample(30)) <= {f"a{i}" for i in range(50)}
    assert len(sample(0)) == len(sample(1000)) == 100


def test_a_draw_does_not_depend_on_the_other_corpora(nlp, tmp_path):
    a = {"path": numbered(tmp_path / "a.spacy", "a", 20), "weight": 0.5, "limit": 10}
    b = {"path": numbered(tmp_path / "b.spacy", "b", 20)}
    alone = create_mixed_corpus_v1({"a": a})
    mixed = create_mixed_corpus_v1({"b": b, "a": a})
    of_a = [word for word in first_words(mixed(nlp)) if word.startswith("a")]
    assert sorted(of_a) == sorted(first_words(alone(nlp)))


def test_a_folder_is_read_as_one_corpus(nlp, tmp_path):
    numbered(tmp_path / "all" / "a.spacy", "a", 2)
    numbered(tmp_path / "all" / "deeper" / "b.spacy", "b", 2)
    (tmp_path / "all" / "notes.txt").write_text("not a corpus", encoding="utf8")
    reader = create_mixed_corpus_v1({"all": {"path": str(tmp_path / "all")}}, shuffle=False)
    assert first_words(reader(nlp)) == ["a0", "a1", "b0", "b1"]


def test_empty_documents_are_left_out(nlp, tmp_path):
    vocab = Vocab()
    docs = [Doc(vocab), Doc(vocab, words=["a"]), Doc(vocab)]
    path = save(tmp_path / "a.spacy", docs)
    reader = create_mixed_corpus_v1({"a": {"path": path, "limit": 1}})
    assert first_words(reader(nlp)) == ["a"]


# The Examples


def test_predicted_has_the_gold_tokens_and_nothing_else(nlp, tmp_path):
    doc = Doc(nlp.vocab, words=["don't", "stop", "!"], spaces=[True, False, False])
    doc.ents = [Span(doc, 1, 2, "X")]
    doc.cats = {"sentiment/positive": 1.0}
    doc[0].is_sent_start, doc[1].is_sent_start, doc[2].is_sent_start = True, False, True
    example = read_one(nlp, doc, tmp_path)
    assert [token.text for token in example.predicted] == ["don't", "stop", "!"]
    assert example.predicted.text == "don't stop!"
    for attribute in ("ENT_IOB", "SENT_START", "TAG"):
        assert not example.predicted.has_annotation(attribute)
    assert example.predicted.cats == {} and not example.predicted.spans
    assert example.reference.has_annotation("SENT_START")
    assert example.get_aligned_ner() == ["O", "U-X", "O"]


def test_raw_text_is_tokenized_by_the_pipeline(nlp, tmp_path):
    doc = Doc(nlp.vocab, words=["don't", "stop!"], spaces=[True, False])
    path = save(tmp_path / "a.spacy", [doc])
    (example,) = create_mixed_corpus_v1({"a": {"path": path}}, gold_tokens=False)(nlp)
    assert [token.text for token in example.predicted] == ["do", "n't", "stop", "!"]
    assert example.predicted.text == example.reference.text


def test_gold_tokens_stay_where_the_spaces_are_unknown(nlp, tmp_path):
    path = save(tmp_path / "a.spacy", [Doc(nlp.vocab, words=["don't", "stop!"])])
    (example,) = create_mixed_corpus_v1({"a": {"path": path}}, gold_tokens=False)(nlp)
    assert [token.text for token in example.predicted] == ["don't", "stop!"]
    assert example.predicted.has_unknown_spaces


def test_missing_stays_missing_and_empty_stays_empty(nlp, tmp_path):
    vocab = Vocab()
    review = Doc(vocab, words=["Fine", "film"])
    review.cats = {"sentiment/positive": 1.0}
    nothing_there = Doc(vocab, words=["Nothing", "here"], tags=["NN", "RB"])
    nothing_there.ents = []
    nothing_there.spans["fine"] = []
    path = save(tmp_path / "a.spacy", [review, nothing_there])
    reader = create_mixed_corpus_v1({"a": {"path": path}}, shuffle=False)
    missing, empty = [example.reference for example in reader(nlp)]

    assert not missing.has_annotation("ENT_IOB") and not missing.has_annotation("TAG")
    assert not missing.has_annotation("SENT_START")
    assert "fine" not in missing.spans
    assert missing.cats == {"sentiment/positive": 1.0}

    assert empty.has_annotation("ENT_IOB", require_complete=True) and empty.ents == ()
    assert "fine" in empty.spans and len(empty.spans["fine"]) == 0
    assert [token.tag_ for token in empty] == ["NN", "RB"]
    assert empty.cats == {}


def test_references_are_made_once_a_vocab_and_predicted_anew(nlp, tmp_path):
    path = numbered(tmp_path / "a.spacy", "a", 3)
    reader = create_mixed_corpus_v1({"a": {"path": path, "weight": 2}}, shuffle=False)
    first, second = list(reader(nlp)), list(reader(nlp))
    assert all(x.reference is y.reference for x, y in zip(first, second, strict=True))
    assert len({id(example.predicted) for example in first + second}) == 12
    other = spacy.blank("en")
    assert all(example.reference.vocab is other.vocab for example in reader(other))


# Errors


@pytest.mark.parametrize(
    "settings, code",
    [
        ({}, "E192.*path"),
        ({"path": None}, "E192.*path"),
        ({"path": "x", "wieght": 1.0}, "E192.*wieght"),
        ({"path": "x", "name": "y"}, "E192.*name"),
        ({"path": "x", "weight": -1.0}, "E192.*weight"),
        ({"path": "x", "weight": float("nan")}, "E192.*weight"),
        ({"path": "x", "weight": True}, "E192.*weight"),
        ({"path": "x", "limit": 0.5}, "E192.*limit"),
        ({"path": "x", "ents_to": ""}, "E192.*ents_to"),
        ({"path": "x", "spans": ["old"]}, "E192.*spans"),
        ({"path": "x", "spans": {"old": None}}, "E192.*spans"),
        ({"path": "x", "spans": {"a": "b"}, "spans_to_ents": "a"}, "E192.*spans"),
        ({"path": "x", "weight": 0.0}, "E197"),
    ],
)
def test_impossible_settings_are_refused(settings, code):
    with pytest.raises(MtnlpError, match=code):
        create_mixed_corpus_v1({"conll": settings})


def test_a_missing_file_is_named_at_the_call(nlp, tmp_path):
    reader = create_mixed_corpus_v1({"conll": {"path": tmp_path / "absent.spacy"}})
    with pytest.raises(MtnlpError, match=r"E190.*conll.*absent\.spacy.*convert"):
        reader(nlp)


@pytest.mark.filterwarnings("ignore:.*W090")
def test_no_documents_is_an_error(nlp, tmp_path):
    (tmp_path / "empty").mkdir()
    file = save(tmp_path / "empty.spacy", [Doc(Vocab())])
    for path in (tmp_path / "empty", file):
        with pytest.raises(MtnlpError, match="E191"):
            create_mixed_corpus_v1({"a": {"path": path}})(nlp)


def test_a_broken_file_is_named(nlp, tmp_path):
    path = numbered(tmp_path / "a.spacy", "a", 50)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"a\.spacy: \[E140\]"):
        create_mixed_corpus_v1({"a": {"path": path}})(nlp)

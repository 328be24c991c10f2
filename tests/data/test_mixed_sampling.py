"""`mtnlp.MixedCorpus.v1`: the samplings, from memory and streamed."""

from collections import Counter
from pathlib import Path
from typing import Any, Dict, List

import pytest
from spacy.language import Language

from mtnlp.data.mixed_corpus import MixedCorpus, create_mixed_corpus_v1
from mtnlp.errors import MtnlpError
from tests.data.mixed_cases import first_words, numbered

SIZES = {"a": 40, "b": 10, "c": 5}
STREAMED = [{}, {"stream": True, "buffer": 4}]


@pytest.fixture
def corpora(tmp_path: Path) -> Dict[str, Dict[str, Any]]:
    return {
        name: {"path": numbered(tmp_path / f"{name}.spacy", name, size)}
        for name, size in SIZES.items()
    }


def epochs_of(reader: Any, nlp: Language, count: int) -> List[List[str]]:
    return [first_words(reader(nlp)) for _ in range(count)]


def corpora_of(words: List[str]) -> Dict[str, int]:
    return dict(Counter(word[0] for word in words))


def test_the_default_order_never_changes(nlp, tmp_path):
    """What a config gave before there were samplings."""
    a = {"path": numbered(tmp_path / "a.spacy", "a", 6), "weight": 1.5}
    b = {"path": numbered(tmp_path / "b.spacy", "b", 9), "weight": 0.5, "limit": 6}
    reader = create_mixed_corpus_v1({"a": a, "b": b}, seed=7)
    assert [" ".join(words) for words in epochs_of(reader, nlp, 2)] == [
        "a0 a0 a2 a4 b1 b3 a3 a1 a2 a5 b6 a5",
        "a5 a2 a1 a0 b3 a5 a3 a4 b1 b4 a2 a1",
    ]


@pytest.mark.parametrize("how", STREAMED)
@pytest.mark.parametrize(
    "settings, expected",
    [
        ({}, SIZES),
        ({"sampling": "uniform"}, {"a": 19, "b": 18, "c": 18}),
        # sqrt: 6.325 + 3.162 + 2.236 of 55.
        ({"sampling": "power"}, {"a": 30, "b": 15, "c": 10}),
        ({"sampling": "power", "alpha": 1}, SIZES),
        ({"sampling": "temperature"}, {"a": 30, "b": 15, "c": 10}),  # its former name
        ({"sampling": "round_robin"}, {"a": 40, "b": 40, "c": 40}),
    ],
)
def test_every_epoch_has_the_same_shares(nlp, corpora, how, settings, expected):
    reader = create_mixed_corpus_v1(corpora, **settings, **how)
    for words in epochs_of(reader, nlp, 3):
        assert corpora_of(words) == expected


@pytest.mark.parametrize("how", STREAMED)
@pytest.mark.parametrize("sampling", ["proportional", "uniform", "power", "round_robin"])
def test_order_follows_from_seed_and_epoch(nlp, corpora, how, sampling):
    def read(seed: int) -> List[List[str]]:
        return epochs_of(
            create_mixed_corpus_v1(corpora, seed=seed, sampling=sampling, **how), nlp, 4
        )

    epochs = read(0)
    assert len({tuple(words) for words in epochs}) == 4
    assert read(0) == epochs
    assert read(1)[0] != epochs[0]
    resumed: Any = create_mixed_corpus_v1(corpora, sampling=sampling, **how)
    assert isinstance(resumed, MixedCorpus)
    resumed.epoch = 3
    assert first_words(resumed(nlp)) == epochs[3]


@pytest.mark.parametrize("how", STREAMED)
@pytest.mark.parametrize("sampling", ["uniform", "power", "round_robin"])
def test_no_document_repeats_before_its_corpus_is_through(nlp, corpora, how, sampling):
    """Epoch after epoch, what is read of a corpus are whole rounds, each in another order."""
    reader = create_mixed_corpus_v1(corpora, sampling=sampling, **how)
    words = [word for epoch in epochs_of(reader, nlp, 5) for word in epoch]
    for name, size in SIZES.items():
        own = [word for word in words if word[0] == name]
        rounds = [own[i : i + size] for i in range(0, len(own) - size + 1, size)]
        assert len(rounds) >= 2
        for one in rounds:
            assert sorted(one) == sorted(f"{name}{i}" for i in range(size))
        # Among the 120 orders of five documents some come twice.
        assert len({tuple(one) for one in rounds}) >= (2 if size == 5 else len(rounds))


@pytest.mark.parametrize("how", STREAMED)
def test_an_abandoned_epoch_changes_nothing_later(nlp, corpora, how):
    """spaCy's initialisation looks at the beginning of an epoch only."""
    reader = create_mixed_corpus_v1(corpora, sampling="uniform", **how)
    expected = epochs_of(create_mixed_corpus_v1(corpora, sampling="uniform", **how), nlp, 2)
    next(iter(reader(nlp)))
    assert first_words(reader(nlp)) == expected[1]


@pytest.mark.parametrize("how", STREAMED)
def test_documents_are_mixed_from_the_beginning(nlp, corpora, how):
    """Where a corpus stands in the config says nothing about where it comes in an epoch."""
    reader: Any = create_mixed_corpus_v1(corpora, sampling="uniform", **how)
    firsts = Counter(next(reader(nlp)).reference.text[0] for _ in range(60))
    # A third each: with this seed, and for a fair draw in more than 99.9% of all seeds.
    assert all(8 <= firsts[name] <= 34 for name in SIZES)


@pytest.mark.parametrize("how", STREAMED)
def test_turns_take_as_many_documents_as_the_weights_say(nlp, corpora, how):
    reader = create_mixed_corpus_v1(corpora, sampling="round_robin", **how)
    assert "".join(word[0] for word in first_words(reader(nlp))) == "abc" * 40
    corpora["a"]["weight"], corpora["b"]["weight"] = 3, 2.0
    reader = create_mixed_corpus_v1(corpora, sampling="round_robin", **how)
    assert "".join(word[0] for word in first_words(reader(nlp))) == "aaabbc" * 14


@pytest.mark.parametrize("how", STREAMED)
def test_without_shuffle_the_file_order_stays(nlp, corpora, how):
    reader = create_mixed_corpus_v1(corpora, sampling="uniform", shuffle=False, **how)
    first, second = epochs_of(reader, nlp, 2)
    assert first[:19] == [f"a{i}" for i in range(19)]
    assert second[:19] == [f"a{i}" for i in range(19, 38)]
    assert first[19:] == [f"b{i % 10}" for i in range(18)] + [f"c{i % 5}" for i in range(18)]


@pytest.mark.parametrize("how", STREAMED)
def test_a_limit_is_the_size_that_counts(nlp, corpora, how):
    corpora["a"]["limit"] = 5
    reader = create_mixed_corpus_v1(corpora, sampling="round_robin", **how)
    words = first_words(reader(nlp))
    assert corpora_of(words) == {"a": 10, "b": 10, "c": 10}
    assert len({word for word in words if word[0] == "a"}) == 5


@pytest.mark.parametrize(
    "settings, code",
    [
        ({"sampling": "random"}, "E160.*sampling.*'random'.*round_robin"),
        ({"sampling": "power", "alpha": 1.5}, "E160.*alpha"),
        ({"sampling": "power", "alpha": -0.5}, "E160.*alpha"),
        ({"stream": True, "buffer": 0}, "E160.*buffer"),
    ],
)
def test_impossible_settings_are_refused(corpora, settings, code):
    with pytest.raises(MtnlpError, match=code):
        create_mixed_corpus_v1(corpora, **settings)


def test_turns_need_whole_weights(corpora):
    corpora["b"]["weight"] = 1.5
    with pytest.raises(MtnlpError, match=r"E192.*'b'.*weight = 1.5.*whole"):
        create_mixed_corpus_v1(corpora, sampling="round_robin")

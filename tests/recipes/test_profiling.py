from pathlib import Path
from typing import Any, List

import pytest

from mtnlp.data.statistics import WordpieceCounter
from mtnlp.errors import MtnlpError
from mtnlp.recipes import profiling
from mtnlp.recipes.profile import CorpusProfile
from mtnlp.recipes.profiling import profile_corpus, profile_encoder, quantiles
from tests.recipes.cases import CORPORA, make_doc, one_of, write_corpus
from tests.tiny import HIDDEN, LIMITS


class Letters:
    """Counts a wordpiece per letter, and notes how many texts it was asked about."""

    def __init__(self) -> None:
        self.asked = 0

    def count(self, texts: List[str]) -> List[int]:
        self.asked += len(texts)
        return [len(text) for text in texts]


def look_at(folder: Path, kind: str) -> CorpusProfile:
    write_corpus(folder, kind, CORPORA[kind]())
    counter: Any = Letters()
    return profile_corpus(folder, kind, counter, "de")


def test_flat_entities(tmp_path: Path) -> None:
    profile = look_at(tmp_path, "flat")
    assert profile.documents == {"train": 10, "dev": 10, "test": 10}
    assert (profile.language, profile.words, profile.median_words) == ("de", 50, 5)
    (layer,) = profile.layers
    assert (layer.key, layer.labels, layer.documents) == (None, {"LOC": 5, "PER": 5}, 10)
    assert (layer.widths, layer.overlapping, layer.total) == ({1: 5, 2: 5}, 0, 10)
    assert profile.is_cased
    assert not profile.tasks


def test_overlapping_entities(tmp_path: Path) -> None:
    (layer,) = look_at(tmp_path, "overlapping").layers
    assert (layer.key, layer.nested, layer.crossing, layer.same) == ("nerel", 5, 0, 0)
    assert layer.labels == {"CITY": 10, "ORG": 5}


def test_same_boundaries_and_crossing_overlap(tmp_path: Path) -> None:
    rows = [(0, 2, "A"), (0, 2, "B"), (1, 3, "A")]
    write_corpus(tmp_path, "odd", [make_doc("a b c", spans={"x": rows})])
    counter: Any = Letters()
    (layer,) = profile_corpus(tmp_path, "odd", counter).layers
    assert (layer.nested, layer.crossing, layer.same) == (0, 2, 1)


def test_tasks_are_exclusive_by_evidence(tmp_path: Path) -> None:
    (task,) = look_at(tmp_path, "exclusive").tasks
    assert task.exclusive
    assert task.labels == {"neg": 5, "pos": 5}
    assert task.evidence == "each of 10 documents has exactly one label"
    (task,) = look_at(tmp_path, "multilabel").tasks
    assert not task.exclusive
    assert task.evidence == "of 10 documents 5 have several labels and 5 have none"


def test_documents_without_a_task_say_nothing_about_it(tmp_path: Path) -> None:
    docs = [make_doc("a", cats=one_of("topic", "x", "y")), make_doc("b", ents=[])]
    write_corpus(tmp_path, "mixed", docs)
    counter: Any = Letters()
    profile = profile_corpus(tmp_path, "mixed", counter)
    assert profile.tasks[0].documents == profile.layers[0].documents == 1
    assert profile.tasks[0].exclusive


def test_case_and_unit(tmp_path: Path) -> None:
    lower = look_at(tmp_path, "slots_and_intent")
    assert not lower.is_cased
    assert lower.unit == "sentence"
    long = look_at(tmp_path, "long_documents")
    assert long.is_cased
    assert long.unit == "document"


def test_of_a_large_corpus_a_sample_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profiling, "SAMPLE", 7)
    docs = [make_doc("ab cd", ents=[]) for _ in range(50)]
    write_corpus(tmp_path, "large", docs)
    counter: Any = Letters()
    profile = profile_corpus(tmp_path, "large", counter)
    assert counter.asked == 7
    # "ab cd " of two words: 6 letters with the blank behind.
    assert profile.pieces == 50 * 6
    assert profile.words == 100


def test_nothing_to_learn_is_an_error(tmp_path: Path) -> None:
    counter: Any = Letters()
    write_corpus(tmp_path, "bare", [make_doc("a b")])
    with pytest.raises(MtnlpError, match=r"E481.*not annotated"):
        profile_corpus(tmp_path, "bare", counter)
    write_corpus(tmp_path, "alike", [make_doc("a", cats={"topic/x": 1.0})] * 2)
    with pytest.raises(MtnlpError, match=r"E481.*'alike' has one label alone, x"):
        profile_corpus(tmp_path, "alike", counter)
    pair = make_doc("a b c", spans={"pair": [(0, 1, ""), (2, 3, "")]}, cats={"similarity": 0.5})
    write_corpus(tmp_path, "pairs", [pair])
    with pytest.raises(MtnlpError, match=r"E784.*'pairs' holds pairs.*objectives"):
        profile_corpus(tmp_path, "pairs", counter)
    (tmp_path / "train" / "bare.spacy").unlink()
    with pytest.raises(MtnlpError, match=r"E481.*no training documents"):
        profile_corpus(tmp_path, "bare", counter)


def test_quantiles_are_values_that_occur() -> None:
    assert quantiles({1: 50, 2: 40, 7: 5, 9: 5}) == {0.5: 1, 0.9: 2, 0.95: 7, 1.0: 9}
    assert quantiles({3: 1}) == {0.5: 3, 0.9: 3, 0.95: 3, 1.0: 3}


def test_encoders_of_all_families(any_backbone: Path) -> None:
    profile = profile_encoder(str(any_backbone))
    assert profile.layers == 2
    assert profile.width == HIDDEN
    assert profile.limit == LIMITS[any_backbone.name]
    assert profile.parameters > 10_000
    assert profile.attention_dropout is not None
    assert profile.is_cased is (any_backbone.name not in ("bert", "distilbert"))


def test_an_encoder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MtnlpError, match="E151"):
        profile_encoder(str(tmp_path))


def test_wordpieces_are_those_of_the_encoder(tmp_path: Path, backbone: Path) -> None:
    write_corpus(tmp_path, "flat", CORPORA["flat"]())
    counter = WordpieceCounter(str(backbone))
    profile = profile_corpus(tmp_path, "flat", counter)
    expected = sum(counter.count([doc.text for doc in CORPORA["flat"]()]))
    assert profile.pieces == expected

"""From a joint config to a student's: what is taken out, what is put in, what is asked."""

from pathlib import Path
from typing import Any, Dict

import pytest
import spacy
from spacy.util import load_config
from thinc.api import Config

from mtnlp.data.corpus_settings import CorpusSettings
from mtnlp.data.docbin_stream import used_documents
from mtnlp.data.mixed_corpus import create_mixed_corpus_v1
from mtnlp.errors import MtnlpError
from mtnlp.experiments.student_plan import (
    ANNEALING,
    learn_vectors,
    make_student_config,
    plan_lesson,
    without_opinions,
)
from tests.data.mixed_cases import first_words, numbered
from tests.tiny import SAMPLE

CONFIG = SAMPLE.parents[1] / "configs" / "imdb_conll_multinerd.cfg"
TEXTS = {"path": "texts.spacy", "taught": "somewhere", "teachers_only": True, "limit": 2}


@pytest.fixture
def config() -> Config:
    return load_config(CONFIG)


def test_teachers_are_trained_without_opinions(tmp_path: Path, config: Config) -> None:
    corpora = config["corpora"]["train"]["corpora"]
    corpora["texts"] = dict(TEXTS)
    corpora["conll"]["taught"] = "corpus/taught"
    config.to_disk(tmp_path / "mine.cfg")
    base, texts = without_opinions(tmp_path / "mine.cfg", tmp_path / "base")
    assert base == tmp_path / "base" / "mine.cfg" and list(texts) == ["texts"]
    assert {**texts["texts"], "taught": "somewhere"} == TEXTS
    del corpora["texts"], corpora["conll"]["taught"]
    assert load_config(base) == load_config(CONFIG)
    with pytest.raises(MtnlpError, match=r"E422.*absent\.cfg"):
        without_opinions(tmp_path / "absent.cfg", tmp_path)


def test_a_student_config(config: Config) -> None:
    config["components"]["ner"]["teacher_weight"] = 0.25
    made = make_student_config(config, {"texts": TEXTS}, Path("out/seed-3"), ["ner", "textcat"])
    corpora = made["corpora"]["train"]["corpora"]
    names = ["imdb", "conll", "multinerd", "texts"]
    assert {name: corpora[name]["taught"] for name in names} == {
        name: str(Path("out/seed-3", name)) for name in names
    }
    assert (
        corpora["texts"]["teachers_only"]
        and "taught" not in made["corpora"]["dev"]["corpora"]["imdb"]
    )
    weights = [
        made["components"][name].get("teacher_weight") for name in ("ner", "textcat", "fine_ner")
    ]
    assert weights == [0.25, 1.0, None]
    assert made["training"]["before_update"] == ANNEALING
    assert "taught" not in config["corpora"]["train"]["corpora"]["imdb"]


def test_where_annealing_stands(config: Config) -> None:
    own = {"@callbacks": "mine"}
    config["training"]["before_update"] = own
    made = make_student_config(config, {}, Path("x"), [])
    assert (
        made["training"]["before_update"] == own and made["initialize"]["after_init"] == ANNEALING
    )
    assert make_student_config(made, {}, Path("x"), []).to_str() == made.to_str()
    config["initialize"]["after_init"] = own
    with pytest.raises(
        MtnlpError, match=r"E746.*\[training\.before_update\] and \[initialize\.after"
    ):
        make_student_config(config, {}, Path("x"), [])


def test_vectors_are_learnt_by_the_anchor_unless_by_others(config: Config) -> None:
    learn_vectors(config, "sentence_vectors")
    own = config["components"]["sentence_vectors"]["objectives"]
    assert own == {"anchor": {"@misc": "mtnlp.AnchorObjective.v1"}}
    own["anchor"]["weight"] = 2.0
    learn_vectors(config, "sentence_vectors")
    assert own == {"anchor": {"@misc": "mtnlp.AnchorObjective.v1", "weight": 2.0}}


@pytest.mark.parametrize("stream", [False, True])
def test_used_documents_are_those_that_are_read(tmp_path: Path, stream: bool) -> None:
    for name in "abc":
        numbered(tmp_path / f"{name}.spacy", name, 6)
    for limit in (0, 4, 9, 30):
        settings = CorpusSettings("mine", tmp_path, limit=limit)
        found = used_documents(settings, 5, stream)
        words = {f"{path.stem}{place}" for path, places in found.items() for place in places}
        corpora = {"mine": {"path": tmp_path, "limit": limit}}
        reader = create_mixed_corpus_v1(corpora, seed=5, stream=stream)
        assert words == set(first_words(reader(spacy.blank("en"))))


def test_a_lesson(tmp_path: Path) -> None:
    numbered(tmp_path / "a.spacy", "a", 6)
    numbered(tmp_path / "b.spacy", "b", 3)
    corpora: Dict[str, Any] = {
        "a": {"path": str(tmp_path / "a.spacy"), "limit": 4, "taught": "x"},
        "b": {"path": str(tmp_path / "b.spacy"), "weight": 2.0, "taught": "x"},
        "none": {"path": str(tmp_path / "absent.spacy"), "weight": 0, "taught": "x"},
    }
    block = {"@readers": "mtnlp.MixedCorpus.v1", "seed": 5, "corpora": corpora}
    lesson = plan_lesson(Config({"corpora": {"train": block}, "training": {}}), tmp_path, {}, 5)
    first, second = lesson.corpora
    assert first.settings.taught is None and second.asked is None
    settings = CorpusSettings("a", tmp_path / "a.spacy", limit=4)
    assert first.asked == used_documents(settings, 5, False)
    assert (first.words, second.words, lesson.words) == (8, 6, 14)

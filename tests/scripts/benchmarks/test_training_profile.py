"""The profile of a training: each phase's own time, of a training that is as without it."""

from pathlib import Path

import pytest
from thinc.api import fix_random_seed

from mtnlp.data.convert import convert
from mtnlp.data.options import ConvertOptions
from mtnlp.training.timing import PhaseTimer
from scripts.benchmarks.pipeline_speed import PipelineContender, SpeedWorkload
from scripts.benchmarks.training_profile import (
    BACKWARD,
    FORWARD,
    OPTIMIZER,
    OTHER,
    READING,
    WORDPIECES,
    profile_table,
    profile_training,
    watch,
)
from tests.pipes.cases import same_weights
from tests.tiny import SAMPLE
from tests.training.loop_cases import all_weights, make_config

WORKLOAD = SpeedWorkload(steps=2, documents=3, threads=1)


@pytest.fixture
def config(backbone: Path, tmp_path: Path) -> Path:
    path = tmp_path / "tiny.cfg"
    make_config(backbone, tmp_path).to_disk(path)
    return path


def test_all_phases_are_there(config: Path) -> None:
    seconds, words = profile_training(config, {}, WORKLOAD)
    heads = {"ner", "textcat"}
    assert set(seconds) == {READING, WORDPIECES, FORWARD, BACKWARD, OPTIMIZER, OTHER} | heads
    assert words > 0 and all(value > 0 for value in seconds.values())
    table = profile_table(seconds, words, "tiny")
    assert table.row_count == len(seconds)
    shares = [float(cell.rstrip("%")) for cell in list(table.columns)[2].cells]  # type: ignore
    assert sum(shares) == pytest.approx(100, abs=0.5) and shares == sorted(shares, reverse=True)


def test_watching_changes_nothing(config: Path) -> None:
    plain, watched = (PipelineContender(config, {}, WORKLOAD) for _ in range(2))
    watch(watched, PhaseTimer())
    assert same_weights(all_weights(plain.nlp), all_weights(watched.nlp))
    words = []
    for contender in (plain, watched):
        fix_random_seed(0)
        words.append(contender.train().words)
    assert words[0] == words[1]
    assert same_weights(all_weights(plain.nlp), all_weights(watched.nlp))


def test_spacys_own_pipeline(backbone: Path, tmp_path: Path) -> None:
    """Its wordpieces are made in the encoder's forward pass, its heads are Cython's."""
    for corpus in ("imdb", "conll"):
        convert(ConvertOptions(corpus, sample=SAMPLE, out=tmp_path, limit=(8, 2, 2)))
    config = SAMPLE.parents[1] / "configs" / "compare" / "spacy_ner_textcat.cfg"
    overrides = {
        "paths.backbone": str(backbone),
        "paths.train": str(tmp_path / "train"),
        "paths.dev": str(tmp_path / "dev"),
    }
    seconds, words = profile_training(config, overrides, WORKLOAD)
    assert set(seconds) == {READING, FORWARD, BACKWARD, OPTIMIZER, OTHER, "ner", "textcat"}
    assert words > 0 and all(value > 0 for value in seconds.values())

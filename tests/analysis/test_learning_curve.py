"""A learning curve of a tiny pipeline, trained on the sample."""

from pathlib import Path
from typing import Any, Dict

import pytest
from spacy.util import load_config

from mtnlp.analysis import learning_curve as module
from mtnlp.analysis.corpus import Files, find_files
from mtnlp.analysis.learning_curve import learning_curve, part_config
from mtnlp.analysis.options import Settings
from mtnlp.data.convert import convert
from mtnlp.data.options import ConvertOptions
from mtnlp.errors import MtnlpError
from mtnlp.trainer.train import Options, train_from_config
from tests.tiny import SAMPLE

SETTINGS = Settings(samples=20)
SHARES = (0.5, 1.0)


@pytest.fixture(scope="module")
def work(backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline as "model", trained on "corpus"."""
    folder = tmp_path_factory.mktemp("curve")
    convert(ConvertOptions("conll", sample=SAMPLE, out=folder / "corpus", limit=(24, 6, 10)))
    overrides = {
        "paths.backbone": str(backbone),
        "paths.train": str(folder / "corpus" / "train"),
        "paths.dev": str(folder / "corpus" / "dev"),
        "training.max_epochs": 1,
        "components.transformer.model.window": 0,
    }
    config = SAMPLE.parents[1] / "configs" / "conll.cfg"
    train_from_config(config, Options(folder / "training"), overrides)
    (folder / "training" / "model-last").rename(folder / "model")
    return folder


def curve_of(work: Path, name: str = "curve") -> Dict[str, Any]:
    return learning_curve(
        work / "model", find_files(work / "corpus"), work / name, shares=SHARES, settings=SETTINGS
    )


def test_a_curve_and_that_it_goes_on(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = curve_of(work)
    assert found["shares"] == [0.5, 1.0] and found["documents"] == [12, 24]
    (task,) = found["tasks"]
    assert (task["name"], task["metric"], len(task["scores"])) == ("ner", "micro F1", 2)
    for low, score, high in zip(task["low"], task["scores"], task["high"], strict=True):
        assert 0.0 <= low <= score <= high <= 1.0
    for row in found["labels"]:
        assert len(row["scores"]) == 2 and row["train"][0] <= row["train"][1]
    assert {"PER", "LOC"} <= {row["label"] for row in found["labels"] if row["support"]}
    assert found["says"].startswith("ner ")
    # The weights are not kept; what is done is not done again.
    assert not list((work / "curve").rglob("model-last"))
    monkeypatch.setattr(module, "train_from_config", lambda *_: pytest.fail("trained again"))
    assert curve_of(work) == found
    # Other documents to score are another curve.
    dev = find_files(work / "corpus", split="dev")
    with pytest.raises(pytest.fail.Exception, match="trained again"):
        learning_curve(work / "model", dev, work / "curve", shares=SHARES, settings=SETTINGS)


def test_which_settings_are_other(work: Path, tmp_path: Path) -> None:
    files = find_files(work / "corpus")
    config, before = (
        part_config(work / "model", files, tmp_path),
        load_config(work / "model" / "config.cfg"),
    )
    assert config["paths"]["train"] == str(tmp_path / "train")
    assert config["paths"]["dev"] == str(work / "corpus" / "dev")
    assert config["training"].pop("logger") != before["training"].pop("logger")
    for block in ("components", "training", "corpora", "nlp"):
        assert config[block] == before[block]


def test_what_has_no_curve(work: Path, tmp_path: Path) -> None:
    files = find_files(work / "corpus")
    with pytest.raises(MtnlpError, match="E702"):
        part_config(work / "model", Files(files.path, "test", files.scored, [], {}), tmp_path)
    config = load_config(work / "model" / "config.cfg")
    one = "corpus/train.spacy"
    for train, files_of_train, fits in (
        (one, files.train, True),
        (one, files.train * 2, False),
        (None, files.train, False),
    ):
        config["paths"]["train"] = train
        config.to_disk(tmp_path / "config.cfg", interpolate=False)
        given = Files(files.path, "test", files.scored, files_of_train, files.splits)
        if fits:
            path = part_config(tmp_path, given, tmp_path / "half")["paths"]["train"]
            assert path == str(tmp_path / "half" / "train" / files.train[0].name)
        else:
            with pytest.raises(MtnlpError, match="E703"):
                part_config(tmp_path, given, tmp_path / "half")


def test_what_a_curve_says() -> None:
    tasks = [
        {"name": "ner", "scores": [0.5, 0.6, 0.66]},
        {"name": "textcat: t", "scores": [0.9, 0.905]},
    ]
    labels = [
        {"task": "ner", "label": "PER", "scores": [0.5, 0.6], "support": 10},
        {"task": "ner", "label": "LOC", "scores": [0.5, 0.52], "support": 100},
        {"task": "ner", "label": "NEW", "scores": [0.0, 1.0], "support": 0},
    ]
    says = module.describe_gains(tasks, labels)
    assert "ner would gain from more documents: the last step gave +0.060" in says
    assert "most of it from LOC (+0.02), PER (+0.10)" in says and "NEW" not in says
    assert "textcat: t has about what it needs" in says

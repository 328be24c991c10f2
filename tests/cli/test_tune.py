"""`mtnlp tune` with real trainings of a tiny encoder."""

import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, TextIO

import pytest
from spacy.training.initialize import init_nlp
from spacy.util import load_config

from mtnlp.experiments import child, comparison, trial, tuning
from tests.data.corpora import flat, invoke
from tests.experiments.conftest import CONFIG, Mini


def test_help() -> None:
    result = invoke("tune", "--help")
    assert result.exit_code == 0 and "--trials" in result.output and "--folder" in result.output


def test_without_optuna(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    result = invoke("tune", CONFIG, "--trials", "1", "--output", tmp_path / "tuned.cfg")
    assert result.exit_code == 1 and "pip install 'mtnlp[tune]'" in flat(result.output)


def test_a_search(tmp_path: Path, mini: Mini, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("optuna", reason="needs the extra mtnlp[tune]")

    def run_here(folder: Path, log: TextIO, tick: Any = None, module: Any = None) -> int:
        """A process of its own takes longer to start than to train."""
        with redirect_stdout(log), redirect_stderr(log):
            return trial.attempt(folder) if module == tuning.CHILD else child.attempt(folder)

    monkeypatch.setattr(comparison, "run_process", run_here)
    monkeypatch.setattr(tuning, "run_process", run_here)
    output, folder = tmp_path / "tuned.cfg", tmp_path / "study"
    options = ["--output", output, "--folder", folder, "--paths.backbone", mini.backbone]
    for split in ("train", "dev"):
        options += [f"--paths.{split}", mini.corpus / split]
    options += ["--components.transformer.model.window", "0", "--training.max_epochs", "4"]

    result = invoke("tune", CONFIG, "--trials", "1", *options)
    assert result.exit_code == 0, result.output
    assert "1 trials (rate, head_factor, batch, epochs, dropout), 0 done, about" in flat(
        result.output
    )
    assert "No trial was better than the config as it is" in flat(result.output)
    (first,) = json.loads((folder / "trials.json").read_text(encoding="utf8"))
    made = json.loads((folder / "trial-0" / "evaluations.json").read_text(encoding="utf8"))
    assert first["score"] == max(score for score, _ in made)

    result = invoke("tune", CONFIG, "--trials", "2", *options)
    assert result.exit_code == 0, result.output
    assert "2 trials" in result.output and "1 done" in result.output
    rows = json.loads((folder / "trials.json").read_text(encoding="utf8"))
    assert rows[0] == first and rows[1]["state"] == "complete" and rows[1]["evaluations"]
    assert not list(folder.rglob("checkpoint.pt"))
    best = max(rows, key=lambda row: (row["score"], -row["trial"]))
    config = load_config(output)
    assert config["paths"]["backbone"] == str(mini.backbone)
    assert config["training"]["max_epochs"] == best["settings"]["epochs"]
    assert init_nlp(config).pipe_names == ["transformer", "ner", "trf_data_cleaner"]

"""One trial: interrupted anywhere, it goes on as if nothing had happened."""

import json
from pathlib import Path
from typing import Any, List

import pytest
from spacy.util import load_config

from mtnlp.experiments import trial
from mtnlp.files import write_json
from tests.experiments.conftest import CONFIG, Mini


@pytest.fixture
def folder(tmp_path: Path, mini: Mini) -> Path:
    """A trial's folder, ready to be trained."""
    config = load_config(
        CONFIG,
        overrides={
            "paths.backbone": str(mini.backbone),
            "paths.train": str(mini.corpus / "train"),
            "paths.dev": str(mini.corpus / "dev"),
            "components.transformer.model.window": 0,
            "training.max_epochs": 3,
            "training.eval_frequency": 1,
        },
    )
    for name in ("whole", "interrupted"):
        (tmp_path / name).mkdir()
        config.to_disk(tmp_path / name / "config.cfg")
        write_json(tmp_path / name / "job.json", {"gpu_id": -1})
    return tmp_path


def evaluations(folder: Path) -> List[Any]:
    found: List[Any] = json.loads((folder / "evaluations.json").read_text(encoding="utf8"))
    return found


def test_an_interrupted_trial(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert trial.attempt(folder / "whole") == 0
    whole = evaluations(folder / "whole")
    assert [step for _, step in whole] == list(range(6))

    def interrupted_write(path: Path, data: Any) -> None:
        if len(data) == 4:
            raise KeyboardInterrupt
        write_json(path, data)

    monkeypatch.setattr(trial, "write_json", interrupted_write)
    with pytest.raises(KeyboardInterrupt):
        trial.attempt(folder / "interrupted")
    assert evaluations(folder / "interrupted") == whole[:3]
    monkeypatch.undo()
    assert trial.attempt(folder / "interrupted") == 0
    # The third step was made again, from the checkpoint after the second.
    found = evaluations(folder / "interrupted")
    assert [step for _, step in found] == list(range(6))
    assert [score for score, _ in found] == pytest.approx([score for score, _ in whole], abs=1e-4)
    # A trial that is over has nothing left to do.
    assert trial.attempt(folder / "interrupted") == 0
    assert evaluations(folder / "interrupted") == found


def test_a_trial_that_fails(folder: Path, capsys: pytest.CaptureFixture) -> None:
    """The last line that it prints is the reason."""
    (folder / "whole" / "config.cfg").unlink()
    assert trial.attempt(folder / "whole") == 1
    assert "config.cfg" in capsys.readouterr().err.strip().splitlines()[-1]

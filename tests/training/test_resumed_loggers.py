"""What the loggers say of a training that goes on from a checkpoint."""

from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest

from mtnlp.trainer.checkpoint import read_checkpoint
from tests.training.curves import Curves, logger, read
from tests.training.loop_cases import Killed, make_config, run

# Killed at a step, with a checkpoint after some others that are no evaluation's.
KILL_AT, EVERY, START = 8, 4, 8


def train_twice(
    backbone: Path, folder: Path, block: Dict[str, Any], capsys: pytest.CaptureFixture
) -> Tuple[str, str]:
    """Train with a logger, once without and once with an interruption in a second `log_dir`.
    Returns: what was printed by the whole training and after the interruption."""
    config = make_config(backbone, folder)
    config["training"]["logger"] = {
        "@loggers": "spacy.ChainLogger.v1",
        "logger1": block,
        "logger2": {"@loggers": "mtnlp_tests.Spy.v1"},
    }
    run(config, folder / "whole")
    whole = capsys.readouterr().out
    with pytest.raises(Killed):
        run(config, folder / "out", every=EVERY, kill_at=KILL_AT)
    checkpoint = read_checkpoint(folder / "out")
    assert checkpoint.steps == START and checkpoint.losses
    capsys.readouterr()
    run(config, folder / "out", checkpoint=checkpoint)
    return whole, capsys.readouterr().out


def test_curves_go_on(backbone: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    pytest.importorskip("tensorboard")
    train_twice(backbone, tmp_path, logger(tmp_path), capsys)
    whole, resumed = (read(tmp_path / "log" / part) for part in ("", "run-3"))
    assert rest(whole) == rest(resumed)
    assert {"loss/transformer", "loss/textcat", "learn_rate/encoder"} <= set(rest(whole))
    assert min(resumed["learn_rate/encoder"]) == START


def rest(curves: Curves) -> Curves:
    """What comes after the checkpoint, without the time."""
    later = {
        tag: {step: value for step, value in curve.items() if step >= START}
        for tag, curve in curves.items()
        if tag not in ("words_per_second", "score/speed")
    }
    return {tag: curve for tag, curve in later.items() if curve}


def test_lines_go_on(backbone: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    block = {"@loggers": "mtnlp.EpochLogger.v1"}
    whole, resumed = map(lines, train_twice(backbone, tmp_path, block, capsys))
    assert resumed
    assert [line[:-1] for line in whole[-len(resumed) :]] == [line[:-1] for line in resumed]


def lines(text: str) -> List[List[str]]:
    """The evaluations of a table."""
    return [row for row in map(str.split, text.splitlines()) if row and row[0].isdigit()]

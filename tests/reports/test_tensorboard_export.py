"""Events written by torch's SummaryWriter, as CSV."""

import csv
import os
import subprocess
from pathlib import Path
from typing import Dict, List

import pytest

from mtnlp.errors import MtnlpError
from mtnlp.training.tensorboard_scalars import read_scalars
from tests.data.corpora import ROOT, files_below, flat, invoke

pytest.importorskip("tensorboard")
FILES = ["scalars_long.csv", "scalars_wide.csv"]


@pytest.fixture
def log_dir(tmp_path: Path) -> Path:
    """Two runs: a loss at steps 0 and 2, a score at step 2; and one point below."""
    from torch.utils.tensorboard import SummaryWriter

    folder = tmp_path / "log"
    with SummaryWriter(str(folder)) as writer:
        writer.add_scalar("loss/ner", 4.0, 0, walltime=100.0)
        writer.add_scalar("loss/ner", 2.0, 2, walltime=101.0)
        writer.add_scalar("score/ents_f", 0.5, 2, walltime=102.0)
    with SummaryWriter(str(folder / "run-2")) as writer:
        writer.add_scalar("loss/ner", 3.0, 0, walltime=200.0)
    return folder


def rows(path: Path) -> List[Dict[str, str]]:
    with path.open(encoding="utf8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_script(log_dir: Path, tmp_path: Path) -> None:
    result = invoke("export-tensorboard", "--path", log_dir, "--output", tmp_path / "csv")
    assert result.exit_code == 0, result.output
    assert files_below(tmp_path / "csv") == FILES
    long, wide = (rows(tmp_path / "csv" / name) for name in FILES)
    assert [tuple(row.values()) for row in long] == [
        (".", "loss/ner", "0", "100.0", "4.0"),
        (".", "loss/ner", "2", "101.0", "2.0"),
        (".", "score/ents_f", "2", "102.0", "0.5"),
        ("run-2", "loss/ner", "0", "200.0", "3.0"),
    ]
    assert wide == [
        {"run": ".", "step": "0", "loss/ner": "4.0", "score/ents_f": ""},
        {"run": ".", "step": "2", "loss/ner": "2.0", "score/ents_f": "0.5"},
        {"run": "run-2", "step": "0", "loss/ner": "3.0", "score/ents_f": ""},
    ]


def test_beside_the_events_by_default(log_dir: Path) -> None:
    assert invoke("export-tensorboard", "--path", log_dir).exit_code == 0
    assert set(FILES) <= set(files_below(log_dir))


def test_every_point_of_a_long_curve(tmp_path: Path) -> None:
    """TensorBoard shows a sample of 10,000 by default; no point is left out here."""
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        for step in range(10_500):
            writer.add_scalar("a", step % 7, step)
    assert [point.value for point in read_scalars(tmp_path)] == [i % 7 for i in range(10_500)]


def test_no_events(tmp_path: Path) -> None:
    result = invoke("export-tensorboard", "--path", tmp_path)
    assert result.exit_code == 1 and "E471" in result.output
    assert files_below(tmp_path) == []
    (tmp_path / "events.out.tfevents.1.empty").touch()
    with pytest.raises(MtnlpError, match="E471"):
        read_scalars(tmp_path)


def shell(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", str(ROOT / "scripts" / "tensorboard.sh"), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


def test_the_shell_script(tmp_path: Path) -> None:
    """What it would start; TensorBoard itself is not."""
    assert os.access(ROOT / "scripts" / "tensorboard.sh", os.X_OK)
    start = ["-m", "tensorboard.main", "--logdir", str(tmp_path)]
    shown = shell(str(tmp_path), PYTHON="echo").stdout.split()
    assert shown == [*start, "--port", "6006", "--host", "localhost"]
    shown = shell(str(tmp_path), PYTHON="echo", PORT="7007", HOST="0.0.0.0").stdout.split()
    assert shown == [*start, "--port", "7007", "--host", "0.0.0.0"]
    usage = shell("--help")
    assert usage.returncode == 0 and "6006" in usage.stdout
    assert shell("--nope").returncode == 2
    missing = shell(str(tmp_path / "nope"))
    assert missing.returncode == 1 and "log_dir" in flat(missing.stderr)

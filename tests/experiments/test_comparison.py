"""Runs in processes of their own, here of a stand-in that trains nothing."""

import json
import os
import shutil
from pathlib import Path
from typing import List, Optional, Tuple

import pytest

from mtnlp.errors import MtnlpError
from mtnlp.experiments import comparison as module
from mtnlp.experiments.comparison import Comparison, make_comparison
from mtnlp.experiments.corpus_files import file_hash
from mtnlp.experiments.grid import read_grid
from tests.experiments.conftest import Mini

# What the axis `kind` says is what happens.
CHILD = """
import json, os, sys, time
from pathlib import Path
folder = Path(sys.argv[1])
job = json.loads((folder / "job.json").read_text())
assert (folder / "config.cfg").exists()
kind = job["cell"]["kind"]
if kind == "broken" and not (folder / "mended").exists():
    print("warming up")
    sys.exit("no such luck")
if kind == "slow" and not (folder / "mended").exists():
    (folder / "pid").write_text(str(os.getpid()))
    time.sleep(600)
measures = dict(words=100, seconds=2.0, evaluated_words=10, evaluation_seconds=1.0)
measures.update(total_seconds=4.0, words_per_second=50.0, predict_words_per_second=10.0)
scores = {"dev": {"ents_f": 0.5}}
same = {name: job[name] for name in ("cell", "seed", "fingerprint", "data")}
(folder / "result.json").write_text(json.dumps({**same, "scores": scores, "measures": measures}))
"""
AXES = """
[axes.kind.good]
training.dropout = 0.1
[axes.kind.broken]
training.dropout = 0.2
[axes.kind.slow]
training.dropout = 0.3
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stand_in.py").write_text(CHILD, encoding="utf8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(module, "CHILD", "stand_in")
    monkeypatch.setattr(module, "TICK", 0.05)


def compare(folder: Path, text: str) -> Comparison:
    path = folder / "grid.toml"
    path.write_text(text, encoding="utf8")
    return make_comparison(read_grid(path), folder / "out")


def silent(done: int, seconds: Optional[float], what: str) -> None:
    pass


def run(comparison: Comparison) -> int:
    """Returns: how many runs ended well."""
    ended: List[int] = []
    comparison.run(silent, lambda: ended.append(1))
    return len(ended)


@pytest.mark.usefixtures("stand_in")
def test_a_failed_cell_and_the_others(tmp_path: Path, grid_text: str) -> None:
    text = grid_text.replace("[3]", "[3, 4]") + AXES + '[[exclude]]\nkind = "slow"\n'
    comparison = compare(tmp_path, text)
    assert [run.name for run in comparison.left] == [
        "kind=good, seed 3",
        "kind=broken, seed 3",
        "kind=good, seed 4",
        "kind=broken, seed 4",
    ]
    assert run(comparison) == 2
    assert len(comparison.failures) == 2
    assert "E428" in comparison.failures[0] and "no such luck" in comparison.failures[0]
    assert [(found["cell"], found["seed"]) for found in comparison.results] == [
        ({"kind": "good"}, 3),
        ({"kind": "good"}, 4),
    ]
    # Again: only what failed is tried, and this time it ends well.
    for failed in comparison.left:
        (failed.folder / "mended").touch()
    again = compare(tmp_path, text)
    assert len(again.left) == 2 and run(again) == 2
    assert not again.failures and not again.left


@pytest.mark.usefixtures("stand_in")
def test_an_interruption(tmp_path: Path, grid_text: str) -> None:
    comparison = compare(tmp_path, grid_text + AXES + '[[exclude]]\nkind = "broken"\n')
    shown: List[Tuple[int, Optional[float], str]] = []

    pid = comparison.left[1].folder / "pid"

    def interrupt(done: int, seconds: Optional[float], what: str) -> None:
        shown.append((done, seconds, what))
        if "slow" in what and pid.exists() and pid.read_text():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        comparison.run(interrupt, lambda: None)
    with pytest.raises(ProcessLookupError):  # ended, and waited for
        os.kill(int(pid.read_text()), 0)
    # Nothing was known of the speed before the first run.
    assert shown[0] == (0, None, "kind=good, seed 3")
    done, seconds, what = shown[-1]
    assert (done, what) == (1, "kind=slow, seed 3") and seconds is not None
    again = compare(tmp_path, grid_text + AXES + '[[exclude]]\nkind = "broken"\n')
    assert [run.cell.name for run in again.left] == ["kind=slow"]
    (again.left[0].folder / "mended").touch()
    assert run(again) == 1 and not again.left


@pytest.mark.usefixtures("stand_in")
def test_the_estimate(tmp_path: Path, grid_text: str) -> None:
    """The stand-in says 50 words/s, 10 words/s predicted and 1 s for the rest."""
    text = grid_text + AXES.replace("[axes.kind.slow]", "[axes.kind.long]\ntraining.max_epochs = 6")
    comparison = compare(tmp_path, text)
    assert comparison.seconds_left(comparison.left) is None
    comparison.probe()
    assert not comparison.results and (tmp_path / "out" / "probe" / "result.json").exists()

    def seconds(cell: str) -> float:
        work = comparison.workloads[cell]
        return 1.0 + work.train / 50.0 + work.evaluated / 10.0

    assert comparison.workloads["kind=long"].train == 3 * comparison.workloads["kind=good"].train
    total = seconds("kind=good") + seconds("kind=broken") + seconds("kind=long")
    assert comparison.seconds_left(comparison.left) == pytest.approx(total)
    run(comparison)
    assert comparison.seconds_left(comparison.left) == pytest.approx(seconds("kind=broken"))


@pytest.mark.usefixtures("stand_in")
def test_results_of_another_setting(tmp_path: Path, grid_text: str) -> None:
    text = grid_text + '[axes.kind.good]\n"training.dropout" = 0.1\n'
    run(compare(tmp_path, text))
    with pytest.raises(MtnlpError, match=r"E425.*kind=good"):
        compare(tmp_path, text.replace("0.1", "0.4"))
    with pytest.raises(MtnlpError, match="E425"):
        compare(tmp_path, text.replace("seeds = ", 'model = "best"\nseeds = '))
    (result,) = tmp_path.rglob("result.json")
    result.write_text(json.dumps({"half": 1}), encoding="utf8")
    with pytest.raises(MtnlpError, match="E425"):
        compare(tmp_path, text)
    result.unlink()
    assert len(compare(tmp_path, text.replace("0.1", "0.4")).left) == 1


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize("part", ["train", "dev", "test"])
def test_a_corpus_that_has_changed(part: str, tmp_path: Path, grid_text: str, mini: Mini) -> None:
    """Every run is made again, on the new data; what no corpus of the config reads is nothing."""
    shutil.copytree(mini.corpus, tmp_path / "corpus")
    text = grid_text.replace(str(mini.corpus), str(tmp_path / "corpus"))
    text += AXES.replace("[axes.kind.broken]", "[axes.kind.other]") + '[[exclude]]\nkind = "slow"\n'
    first = compare(tmp_path, text)
    assert run(first) == 2 and not first.left
    before = [found["data"] for found in first.results]
    assert len(set(before)) == 1

    folder = tmp_path / "corpus" / part
    (folder / "imdb.spacy").write_bytes(b"")
    assert not compare(tmp_path, text).left
    other = next(name for name in ("train", "dev", "test") if name != part)
    shutil.copy(tmp_path / "corpus" / other / "conll.spacy", folder)
    file_hash.cache_clear()
    second = compare(tmp_path, text)
    assert len(second.left) == 2 and not second.results
    assert file_hash.cache_info().misses == 3  # files, not files of cells
    assert run(second) == 2
    again = compare(tmp_path, text)
    assert not again.left and before[0] not in [found["data"] for found in again.results]
    # A result that does not say what it was made on is nobody's.
    path = again.runs[0].folder / "result.json"
    found = json.loads(path.read_text(encoding="utf8"))
    del found["data"]
    path.write_text(json.dumps(found), encoding="utf8")
    with pytest.raises(MtnlpError, match="E425"):
        compare(tmp_path, text)

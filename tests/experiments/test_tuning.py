"""A search over settings, its trials in processes of their own, here of a stand-in that trains
nothing: it says the scores that `scores.json` in the study's folder has for it."""

import json
import os
import shutil
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest
from spacy.util import load_config, load_model_from_config

from mtnlp.errors import MtnlpError
from mtnlp.experiments import comparison, tuning
from mtnlp.experiments.corpus_files import file_hash
from mtnlp.experiments.grid import override_settings
from mtnlp.experiments.tuning import SHARES, Tuning, make_tuning
from tests.experiments.conftest import CONFIG, Mini

pytest.importorskip("optuna", reason="needs the extra mtnlp[tune]")

CHILD = """
import json, os, re, sys, time
from pathlib import Path
folder = Path(sys.argv[1])
if folder.name == "probe":
    job = json.loads((folder / "job.json").read_text())
    measures = dict(words=100, seconds=2.0, evaluated_words=10, evaluation_seconds=1.0)
    measures.update(total_seconds=4.0)
    same = {name: job[name] for name in ("cell", "seed", "fingerprint", "data")}
    (folder / "result.json").write_text(json.dumps({**same, "measures": measures}))
    sys.exit()
plan = json.loads((folder.parent / "scores.json").read_text()).get(folder.name, 0.5)
frequency = int(re.search(r"eval_frequency = (.*)", (folder / "config.cfg").read_text())[1])
(folder / "pid").write_text(str(os.getpid()))
path = folder / "evaluations.json"
made = json.loads(path.read_text()) if path.exists() else []
if plan == "fail":
    sys.exit("no such luck")
for share in range(len(made), 9):
    if plan == "hang" and share == 4:
        time.sleep(600)
    score = 0.3 if plan in ("hang", "bad") else plan
    made.append([score if share else 0.0, share * frequency])
    (folder / "new").write_text(json.dumps(made))
    (folder / "new").rename(path)
    if plan == "bad":
        time.sleep(0.3 if share < 3 else 600)
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stand_in.py").write_text(CHILD, encoding="utf8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(comparison, "CHILD", "stand_in")
    monkeypatch.setattr(tuning, "CHILD", "stand_in")
    monkeypatch.setattr(comparison, "TICK", 0.05)


def tune(folder: Path, mini: Mini, count: int, *, replace: bool = False, **scores: Any) -> Tuning:
    """A tuning in `folder/study`. scores: by trial number (`t3=0.4`): of its evaluations, "fail",
    "bad" (slow, with low scores) or "hang" (after three evaluations)."""
    study = folder / "study"
    study.mkdir(exist_ok=True)
    plan = {f"trial-{name[1:]}": score for name, score in scores.items()}
    (study / "scores.json").write_text(json.dumps(plan), encoding="utf8")
    overrides: Dict[str, Any] = {
        "paths.backbone": str(mini.backbone),
        "paths.train": str(mini.corpus / "train"),
        "paths.dev": str(mini.corpus / "dev"),
        "components.transformer.model.window": 0,
        "training.max_epochs": 400,
    }
    return make_tuning(CONFIG, study, count, override_settings(overrides), replace=replace)


def silent(done: int, seconds: Optional[float], what: str) -> None:
    pass


def run(made: Tuning) -> List[Dict[str, Any]]:
    """Returns: what the log says of the trials."""
    made.run(silent, lambda: None)
    found: List[Dict[str, Any]] = json.loads((made.folder / "trials.json").read_text("utf8"))
    return found


@pytest.mark.usefixtures("stand_in")
def test_trials(tmp_path: Path, mini: Mini) -> None:
    """The first one is the config as it is; the best one's settings are written."""
    made = tune(tmp_path, mini, 3, t0=0.6, t1=0.7, t2=0.65)
    rows = run(made)
    assert [row["score"] for row in rows] == [0.6, 0.7, 0.65]
    assert [row["state"] for row in rows] == ["complete"] * 3
    assert rows[0]["settings"] == {
        "rate": 2e-4,
        "head_factor": 10.0,
        "batch": 16,
        "epochs": 400,
        "dropout": 0.1,
    }
    assert rows[1]["settings"] != rows[0]["settings"] != rows[2]["settings"] != rows[1]["settings"]
    assert all(len(row["evaluations"]) == SHARES for row in rows)
    first = load_config(made.folder / "trial-0" / "config.cfg")
    # What differs from the config are the overrides of all trials, and when they are evaluated.
    plain = load_config(CONFIG)
    for config in (first, plain):
        config["training"].pop("eval_frequency", None)
        config["training"].pop("max_epochs")
        config["training"]["logger"].pop("progress_bar", None)
        config["components"]["transformer"]["model"].pop("window")
        del config["paths"]
    assert first == plain

    made.write_best(tmp_path / "tuned.cfg")
    best = load_config(tmp_path / "tuned.cfg")
    chosen = rows[1]["settings"]
    training, model = best["training"], best["components"]["ner"]["model"]
    assert training["optimizer"]["learn_rate"]["initial_rate"] == chosen["rate"]
    assert training["optimizer"]["head_factor"] == chosen["head_factor"]
    assert training["batcher"]["size"] == chosen["batch"]
    assert training["max_epochs"] == chosen["epochs"]
    assert model["dropout"] == chosen["dropout"]
    assert training["logger"] == load_config(CONFIG)["training"]["logger"]
    assert "eval_frequency" not in training
    assert load_model_from_config(best, auto_fill=True).pipe_names[1] == "ner"


@pytest.mark.usefixtures("stand_in")
def test_the_count_is_of_all_calls(tmp_path: Path, mini: Mini) -> None:
    first = run(tune(tmp_path, mini, 2))
    again = tune(tmp_path, mini, 3)
    assert again.left == 1
    rows = run(again)
    assert rows[:2] == first and len(rows) == 3
    drawn = [json.dumps(row["settings"]) for row in rows]
    assert len(set(drawn)) == 3  # a new sampler does not draw the same again
    assert again.left == 0


@pytest.mark.usefixtures("stand_in")
def test_an_interruption(tmp_path: Path, mini: Mini) -> None:
    """The trial goes on with its settings and its scores, and its time is added up."""
    made = tune(tmp_path, mini, 3, t1="hang")
    pid = made.folder / "trial-1" / "pid"

    def interrupt(done: int, seconds: Optional[float], what: str) -> None:
        (trial,) = [trial for trial in made.study.trials if trial.state.name == "RUNNING"] or [None]
        if trial is not None and 3 in trial.intermediate_values and what == "trial 1":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made.run(interrupt, lambda: None)
    with pytest.raises(ProcessLookupError):  # ended, and waited for
        os.kill(int(pid.read_text()), 0)
    begun = made.study.trials[1]
    assert begun.user_attrs["seconds"] > 0
    again = tune(tmp_path, mini, 3, t1=0.8)
    assert again.left == 2
    rows = run(again)
    assert [row["trial"] for row in rows] == [0, 1, 2]
    assert rows[1]["settings"] == begun.params
    scores = rows[1]["evaluations"]
    assert [scores[str(share)] for share in range(1, 9)] == [0.3] * 3 + [0.8] * 5
    assert rows[1]["seconds"] > begun.user_attrs["seconds"]


@pytest.mark.usefixtures("stand_in")
def test_a_trial_that_is_worse_than_most_is_ended(tmp_path: Path, mini: Mini) -> None:
    made = tune(tmp_path, mini, 5, t4="bad")
    rows = run(made)
    assert [row["state"] for row in rows] == ["complete"] * 4 + ["pruned"]
    assert len(rows[4]["evaluations"]) < SHARES and made.best().number != 4  # type: ignore
    with pytest.raises(ProcessLookupError):
        os.kill(int((made.folder / "trial-4" / "pid").read_text()), 0)


@pytest.mark.usefixtures("stand_in")
def test_failures(tmp_path: Path, mini: Mini) -> None:
    made = tune(tmp_path, mini, 3, t1="fail")
    rows = run(made)
    assert [row["state"] for row in rows] == ["complete", "fail", "complete"]
    (failure,) = made.failures
    assert "E428" in failure and "trial 1" in failure and "no such luck" in failure
    assert rows[1]["failure"] == "no such luck" and rows[1]["score"] is None
    (tmp_path / "other").mkdir()
    # A config that cannot be trained has nothing to be compared with; mended, it goes on.
    with pytest.raises(MtnlpError, match=r"E428.*trial 0"):
        run(tune(tmp_path / "other", mini, 2, t0="fail"))
    mended = tune(tmp_path / "other", mini, 2)
    rows = run(mended)
    assert [row["state"] for row in rows] == ["complete"] * 2
    assert rows[0]["settings"]["batch"] == 16
    # Where no trial is better, the config as it is remains.
    mended.write_best(tmp_path / "tuned.cfg")
    training = load_config(tmp_path / "tuned.cfg")["training"]
    assert training["optimizer"] == load_config(CONFIG)["training"]["optimizer"]


@pytest.mark.usefixtures("stand_in")
def test_the_estimate(tmp_path: Path, mini: Mini) -> None:
    """First from a few steps, then from the first trial."""
    made = tune(tmp_path, mini, 1)
    assert made.seconds_left() is None
    made.estimate()
    plan = made.plan([])
    # The stand-in says 50 words/s, 10 words/s predicted and 1 s for the rest.
    expected = 1.0 + plan.work.train / 50.0 + plan.work.evaluated / 10.0
    assert made.seconds_left() == pytest.approx(expected)
    run(made)
    again = tune(tmp_path, mini, 3)
    again.estimate()
    first = again.study.trials[0].user_attrs["seconds"]
    assert again.seconds_left() == pytest.approx(2 * first)


@pytest.mark.usefixtures("stand_in")
def test_the_study_of_something_else(tmp_path: Path, mini: Mini) -> None:
    own = Mini(tmp_path / "corpus", mini.backbone)
    shutil.copytree(mini.corpus, own.corpus)
    tune(tmp_path, own, 1)
    with pytest.raises(MtnlpError, match="E444"):
        tune(tmp_path, mini, 1)
    shutil.copy(own.corpus / "dev" / "conll.spacy", own.corpus / "train" / "conll.spacy")
    file_hash.cache_clear()
    with pytest.raises(MtnlpError, match="E444"):
        tune(tmp_path, own, 1)


@pytest.mark.usefixtures("stand_in")
def test_another_study_is_replaced(tmp_path: Path, mini: Mini) -> None:
    """Trials, their scores and nothing else are removed."""
    own = Mini(tmp_path / "corpus", mini.backbone)
    shutil.copytree(mini.corpus, own.corpus)
    made = tune(tmp_path, own, 1)
    run(made)
    (made.folder / "mine.txt").write_text("kept")
    assert len(tune(tmp_path, own, 1, replace=True).study.trials) == 1
    again = tune(tmp_path, mini, 1, replace=True)
    assert not again.study.trials and not list(made.folder.glob("trial-*"))
    assert (made.folder / "mine.txt").exists()
    run(again)
    assert len(again.study.trials) == 1


def test_nothing_to_vary(tmp_path: Path, mini: Mini, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "find_ranges", lambda config: [])
    with pytest.raises(MtnlpError, match="E445"):
        tune(tmp_path, mini, 1)

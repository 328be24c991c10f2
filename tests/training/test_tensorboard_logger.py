"""The curves of tiny trainings, read back by TensorBoard's own reader."""

import sys
from math import exp
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

import pytest
import spacy
import srsly
from spacy import registry
from spacy.language import Language

from mtnlp.errors import MtnlpError
from mtnlp.training import best_checkpoints
from mtnlp.training.best_checkpoints import BestCheckpoints
from mtnlp.training.tensorboard_logger import (
    TrainingCurves,
    create_tensorboard_logger_v1,
    flat_numbers,
)
from tests.pipes.cases import TASKS
from tests.tiny import make_nlp
from tests.training.curves import Curves, logger, read, run, training_config

pytest.importorskip("tensorboard")
STEPS = [0, 1, 2, 3, 4]
PIPES = ("ner", "textcat", "sentence_vectors")


class Trained(NamedTuple):
    """console: what spaCy's own logger says at each evaluation, by step."""

    nlp: Language
    curves: Curves
    console: Dict[int, Dict[str, Any]]
    folder: Path


@pytest.fixture(scope="module")
def trained(backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("curves")
    console = {
        "@loggers": "spacy.ConsoleLogger.v3",
        "output_file": str(folder / "console.jsonl"),
    }
    mine = logger(folder, checkpoint_dir=str(folder / "best"), keep_checkpoints=2)
    chain = {"@loggers": "spacy.ChainLogger.v1", "logger1": console, "logger2": mine}
    nlp = run(training_config(backbone, folder, PIPES, logger=chain))
    lines: List[Dict[str, Any]] = list(srsly.read_jsonl(folder / "console.jsonl"))  # type: ignore[arg-type]
    return Trained(nlp, read(folder / "log"), {line["step"]: line for line in lines}, folder)


@pytest.mark.parametrize("name", ["ner", "textcat"])
def test_losses_of_steps_add_up_to_spacys(name: str, trained: Trained) -> None:
    """spaCy says the sums since the last evaluation, those at 0, 2 and 4."""
    curve = trained.curves[f"loss/{name}"]
    assert set(curve) <= set(STEPS)
    for steps in ([0], [1, 2], [3, 4]):
        expected = trained.console[steps[-1]]["losses"][name]
        assert sum(curve.get(step, 0.0) for step in steps) == pytest.approx(expected, rel=1e-5)


def test_a_component_that_keeps_no_loss_of_a_step(trained: Trained) -> None:
    curve = trained.curves["loss/transformer"]
    console = trained.console
    assert list(curve) == [0, 2, 4]
    assert curve[0] == pytest.approx(console[0]["losses"]["transformer"], rel=1e-5)
    assert curve[2] == pytest.approx(console[2]["losses"]["transformer"] / 2, rel=1e-5)


def test_a_component_without_a_loss_has_no_curve(trained: Trained) -> None:
    assert "loss/sentence_vectors" not in trained.curves
    assert "gradient_norm/sentence_vectors" not in trained.curves


def test_scores(trained: Trained) -> None:
    for step, line in trained.console.items():
        for name, value in line["scores"].items():
            if name in ("ents_f", "cats_sentiment_acc"):
                score = trained.curves[f"score/{name}"][step]
                assert 100 * score == pytest.approx(value, rel=1e-5)
        assert trained.curves["score/weighted"][step] == pytest.approx(line["score"], rel=1e-5)
        assert trained.curves["epoch"][step] == line["epoch"]
    assert "score/ents_per_type/PER/f" in trained.curves
    assert "score/cats_score_desc" not in trained.curves


def test_learn_rates(trained: Trained) -> None:
    """The schedule's: two steps up to 0.01, then down to 0 at the sixth."""
    rates = [0.0, 0.005, 0.01, 0.0075, 0.005]
    expected = {step: pytest.approx(rate) for step, rate in zip(STEPS, rates, strict=True)}
    assert trained.curves["learn_rate/encoder"] == expected
    heads = {step: pytest.approx(10 * rate) for step, rate in zip(STEPS, rates, strict=True)}
    assert trained.curves["learn_rate/heads"] == heads


def test_gradient_norms_and_speed(trained: Trained) -> None:
    curves = trained.curves
    names = ["transformer", "ner", "textcat"]
    for step in STEPS:
        squares = [curves[f"gradient_norm/{name}"].get(step, 0.0) ** 2 for name in names]
        assert curves["gradient_norm/total"][step] == pytest.approx(sum(squares) ** 0.5, rel=1e-5)
        assert curves["words_per_second"][step] > 0
    assert all(curves["gradient_norm/transformer"].values())


def test_the_pipeline_is_left_as_it_was(trained: Trained) -> None:
    assert not {"update", "evaluate"} & set(vars(trained.nlp))
    assert not any("finish_update" in vars(pipe) for _, pipe in trained.nlp.pipeline)


def test_checkpoints(trained: Trained) -> None:
    """Each best so far is saved, the newest two stay, and they can be loaded."""
    best: List[int] = []
    for step, line in sorted(trained.console.items()):
        if all(line["score"] >= trained.console[other]["score"] for other in best):
            best.append(step)
    saved = sorted(path.name for path in (trained.folder / "best").iterdir())
    assert saved == [f"step-{step}" for step in best[-2:]]
    loaded = spacy.load(trained.folder / "best" / saved[-1])
    assert loaded.pipe_names == trained.nlp.pipe_names


@pytest.fixture
def learned() -> List[Dict[str, float]]:
    """exp(-s) of each task after each step, read off the parameters by a logger of its own."""
    seen: List[Dict[str, float]] = []

    @registry.loggers("mtnlp_tests.LearnedWeights.v1")
    def make() -> Any:
        def start(nlp: Language, stdout: Any, stderr: Any) -> Any:
            pipe: Any = nlp.get_pipe("textcat")

            def log(info: Any) -> None:
                values = [float(s.detach()) for s in pipe.module.weighting.log_variances]
                names = pipe.task_names
                seen.append({name: exp(-s) for name, s in zip(names, values, strict=True)})

            return log, lambda: None

        return start

    return seen


def test_weights_norms_and_a_second_run(
    backbone: Path, tmp_path: Path, learned: List[Dict[str, float]]
) -> None:
    """Learned weights by task; an optimizer's own rates and norm; no measuring; a used log_dir."""
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "events.out.tfevents.0.old").touch()
    optimizer = {"@optimizers": "Adam.v1", "learn_rate": 0.005}
    mine = logger(tmp_path, gradient_norms=False, checkpoint_dir=str(tmp_path / "best"))
    other = {"@loggers": "mtnlp_tests.LearnedWeights.v1"}
    chain = {"@loggers": "spacy.ChainLogger.v1", "logger1": other, "logger2": mine}
    config = training_config(backbone, tmp_path, ["textcat"], logger=chain, optimizer=optimizer)
    config["components"]["textcat"].update(tasks=TASKS, weighting="uncertainty")
    run(config, tmp_path / "out")
    curves = read(tmp_path / "log" / "run-2")
    assert len(learned) == len(STEPS)
    for task in TASKS:
        expected = {step: pytest.approx(learned[step][task], rel=1e-6) for step in STEPS}
        assert curves[f"weight/textcat/{task}"] == expected
        assert len({weights[task] for weights in learned}) >= 3, "they learn"
    rates = {step: pytest.approx(0.005) for step in STEPS}
    assert curves["learn_rate/encoder"] == curves["learn_rate/heads"] == rates
    assert not any(tag.startswith("gradient_norm") for tag in curves)
    # What the loop saved is copied: the best, and nothing half-made beside it.
    (best,) = (tmp_path / "best").iterdir()
    assert spacy.load(best).meta == spacy.load(tmp_path / "out" / "model-best").meta


def test_a_frozen_component_is_not_watched(backbone: Path) -> None:
    """spaCy sets loggers up while frozen components are disabled."""
    nlp = make_nlp(backbone, ["ner", "textcat"])
    with nlp.select_pipes(disable=["textcat"]):
        curves = TrainingCurves(nlp, writer=None)
    assert list(curves.pipes) == ["transformer", "ner"]
    assert "finish_update" not in vars(nlp.get_pipe("textcat"))


def test_a_broken_copy_leaves_the_older_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "model-last"
    source.mkdir()
    (source / "meta.json").write_text("{}", encoding="utf8")
    checkpoints = BestCheckpoints(tmp_path / "best")
    nlp = spacy.blank("en")
    checkpoints.save(nlp, {"step": 1, "output_path": str(source)})

    def broken(source: str, target: Path, **options: Any) -> None:
        (target / "meta.json").touch()
        raise OSError("disk full")

    monkeypatch.setattr(best_checkpoints.shutil, "copytree", broken)
    with pytest.raises(OSError, match="disk full"):
        checkpoints.save(nlp, {"step": 2, "output_path": str(source)})
    assert [path.name for path in (tmp_path / "best").iterdir()] == ["step-1"]


def test_numbers_of_nested_scores() -> None:
    scores = {"a": 1, "b": {"c": {"f": 0.5, "text": "no"}, "d": None}, "e": True}
    assert dict(flat_numbers(scores)) == {"a": 1.0, "b/c/f": 0.5}


@pytest.mark.parametrize("name", ["keep_checkpoints", "flush_every"])
def test_counts_from_one_on(name: str) -> None:
    with pytest.raises(MtnlpError, match=f"E472.*{name} = 0"):
        create_tensorboard_logger_v1("log", **{name: 0})  # type: ignore[arg-type]


def test_without_tensorboard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MtnlpError, match=r"E470.*mtnlp\[train\]"):
        create_tensorboard_logger_v1("log")

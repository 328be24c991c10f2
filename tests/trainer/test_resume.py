"""A training that was killed and resumed ends with the weights of one that was not."""

import io
import os
from pathlib import Path
from typing import Any, Dict

import numpy as np
import pytest
import spacy
import torch
from spacy.language import Language
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as spacy_train
from thinc.api import Config

from mtnlp.errors import MtnlpError
from mtnlp.trainer.checkpoint import FILE, pack, read_checkpoint, read_same, unpack
from mtnlp.trainer.weights_state import get_weights
from tests.pipes.cases import same_weights
from tests.training.loop_cases import SPY, Killed, all_weights, make_config, run

# All that takes part in a step's outcome differs.
SETTINGS: Dict[str, Dict[str, Any]] = {
    "adamw": {
        "optimizer": {
            "@optimizers": "mtnlp.AdamW.v1",
            "head_factor": 2.0,
            "layer_decay": 0.8,
            "learn_rate": {
                "@schedules": "warmup_linear.v1",
                "initial_rate": 0.005,
                "warmup_steps": 2,
                "total_steps": 14,
            },
        },
    },
    "fused": {},
    "thinc": {
        "optimizer": {
            "@optimizers": "Adam.v1",
            "learn_rate": 0.003,
            "use_averages": True,
            "L2": 0.01,
        },
        "batcher": {
            "@batchers": "spacy.batch_by_sequence.v1",
            "size": {"@schedules": "compounding.v1", "start": 2, "stop": 5, "compound": 1.2},
        },
    },
    "stream": {"max_epochs": -1, "max_steps": 11},
}


class Uninterrupted:
    """A finished run. losses: what its logger saw at evaluations."""

    def __init__(self, config: Config, output: Path) -> None:
        self.config = config
        self.nlp: Language = run(config, output)
        self.seen = list(SPY.seen)
        self.weights = all_weights(self.nlp)
        self.best = all_weights(spacy.load(output / "model-best"))
        self.checkpoint = read_checkpoint(output)


@pytest.fixture(scope="module")
def finished() -> Dict[str, Uninterrupted]:
    """By the name of its settings. A fixture with a parameter is made anew at each change of it."""
    return {}


@pytest.fixture
def uninterrupted(
    request: pytest.FixtureRequest,
    finished: Dict[str, Uninterrupted],
    backbone: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Uninterrupted:
    name = request.param
    if name not in finished:
        folder = tmp_path_factory.mktemp(name)
        config = make_config(backbone, folder, **SETTINGS[name])
        finished[name] = Uninterrupted(config, folder / "whole")
    return finished[name]


def comparable(info: Dict[str, Any]) -> Dict[str, Any]:
    """What the loop says of an evaluated step, without the time."""
    scores = {name: value for name, value in info["other_scores"].items() if name != "speed"}
    names = ("epoch", "step", "score", "losses", "checkpoints", "words")
    return {**{name: info[name] for name in names}, "other_scores": scores}


# Killed in the middle of an epoch, after an evaluation whose checkpoint is not yet written, right
# after that checkpoint, and with a checkpoint some steps back.
KILLED = [(1, 0), (5, 2), (6, 2), (9, 4)]


@pytest.mark.parametrize(
    "uninterrupted, kill_at, every",
    [
        *(("adamw", *case) for case in KILLED),
        ("fused", 6, 2),
        ("thinc", 6, 2),
        ("stream", 6, 2),
    ],
    indirect=["uninterrupted"],
)
def test_resumed_is_uninterrupted(
    uninterrupted: Uninterrupted, kill_at: int, every: int, tmp_path: Path
) -> None:
    config = uninterrupted.config
    with pytest.raises(Killed):
        run(config, tmp_path, every=every, kill_at=kill_at)
    checkpoint = read_checkpoint(tmp_path)
    assert 0 < checkpoint.steps <= kill_at
    done = checkpoint.steps
    torch.rand(3)  # another process has other random numbers
    nlp = run(config, tmp_path, every=every, checkpoint=checkpoint)
    assert same_weights(all_weights(nlp), uninterrupted.weights)
    assert same_weights(all_weights(spacy.load(tmp_path / "model-best")), uninterrupted.best)
    assert len(SPY.seen) == len(uninterrupted.seen) - done
    for one, other in zip(SPY.seen, uninterrupted.seen[done:], strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert comparable(one) == comparable(other)


@pytest.mark.parametrize("uninterrupted", ["adamw"], indirect=True)
def test_killed_twice(uninterrupted: Uninterrupted, tmp_path: Path) -> None:
    for kill_at, start in ((4, False), (2, True)):
        checkpoint = read_checkpoint(tmp_path) if start else None
        with pytest.raises(Killed):
            run(uninterrupted.config, tmp_path, every=1, kill_at=kill_at, checkpoint=checkpoint)
    checkpoint = read_checkpoint(tmp_path)
    assert checkpoint.steps == 6
    nlp = run(uninterrupted.config, tmp_path, checkpoint=checkpoint)
    assert same_weights(all_weights(nlp), uninterrupted.weights)


@pytest.mark.parametrize("uninterrupted", ["adamw", "fused", "thinc"], indirect=True)
def test_same_as_spacy_train(uninterrupted: Uninterrupted, tmp_path: Path) -> None:
    nlp = init_nlp(uninterrupted.config)
    spacy_train(nlp, tmp_path, stdout=io.StringIO(), stderr=io.StringIO())
    assert same_weights(all_weights(nlp), uninterrupted.weights)
    assert same_weights(all_weights(spacy.load(tmp_path / "model-best")), uninterrupted.best)


@pytest.fixture(scope="module")
def config(backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Config:
    return make_config(backbone, tmp_path_factory.mktemp("two"), max_epochs=2)


def test_a_finished_training_goes_on_for_longer(config: Config, tmp_path: Path) -> None:
    run(config, tmp_path / "short")
    longer = config.copy()
    longer["training"]["max_epochs"] = 3
    whole = run(longer, tmp_path / "long")
    checkpoint = read_checkpoint(tmp_path / "short")
    checkpoint.require(longer, 1)
    nlp = run(longer, tmp_path / "short", checkpoint=checkpoint)
    assert same_weights(all_weights(nlp), all_weights(whole))


def test_patience_goes_on_counting(config: Config, tmp_path: Path) -> None:
    """With patience lowered to where it ran out, nothing is left to train; and evaluations may
    come at other steps than before."""
    with pytest.raises(Killed):
        run(config, tmp_path, kill_at=5, every=1)
    checkpoint = read_checkpoint(tmp_path)
    assert [step for _, step in checkpoint.scores] == [0] and checkpoint.steps == 5
    checkpoint.scores = [(2.0, 0)]  # better than any that will come
    other = config.copy()
    other["training"].update(max_epochs=0, patience=4, eval_frequency=3)
    run(other, tmp_path, checkpoint=checkpoint)
    assert len(SPY.seen) == 0
    checkpoint = read_checkpoint(tmp_path)
    checkpoint.scores = [(2.0, 0)]
    other["training"].update(patience=8)
    run(other, tmp_path, checkpoint=checkpoint)
    assert [info["step"] for info in SPY.seen if info] == [6]
    assert len(SPY.seen) == 8 - 5 + 1


def test_a_shortened_training_has_the_weights_of_the_checkpoint(
    config: Config, tmp_path: Path
) -> None:
    with pytest.raises(Killed):
        run(config, tmp_path, every=1, kill_at=4)
    expected = read_checkpoint(tmp_path).weights
    shorter = config.copy()
    shorter["training"]["max_steps"] = 1
    nlp = run(shorter, tmp_path, checkpoint=read_checkpoint(tmp_path))
    assert not SPY.seen
    found = get_weights(nlp)
    assert found["torch"] and found["thinc"] and found["with_gradient"]
    assert found["with_gradient"] == expected["with_gradient"]
    for place, state in found["torch"].items():
        assert all(torch.equal(state[name], expected["torch"][place][name]) for name in state)
    for place, value in found["thinc"].items():
        np.testing.assert_array_equal(value, expected["thinc"][place])


def test_what_may_not_change(config: Config, tmp_path: Path) -> None:
    with pytest.raises(MtnlpError, match=r"E460.*--resume"):
        read_checkpoint(tmp_path)
    with pytest.raises(Killed):
        run(config, tmp_path, kill_at=1)
    checkpoint = read_checkpoint(tmp_path)
    other = config.copy()
    other["training"].update(max_steps=7, max_epochs=4, patience=3)
    other["training"]["logger"] = {"@loggers": "spacy.ConsoleLogger.v3"}
    checkpoint.require(other, 1)
    other["training"]["dropout"] = 0.3
    del other["components"]["ner"]["spans_key"]
    with pytest.raises(MtnlpError, match=r"E461") as caught:
        checkpoint.require(other, 2)
    for part in (
        "components.ner.spans_key = None (now not set)",
        "training.dropout = 0.1 (now 0.3)",
        "processes = 1 (now 2)",
    ):
        assert part in str(caught.value)


def test_other_weights(config: Config, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run(config, tmp_path, kill_at=1)
    checkpoint = read_checkpoint(tmp_path)
    wider = config.copy()
    wider["components"]["textcat"]["model"]["hidden"] = 7
    with pytest.raises(MtnlpError, match=r"E463.*textcat/"):
        run(wider, tmp_path / "other", checkpoint=checkpoint)


def test_a_broken_file(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"half of")
    with pytest.raises(MtnlpError, match="E462"):
        read_checkpoint(tmp_path)


def test_only_the_same_training_goes_on_by_itself(
    config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert read_same(tmp_path, config, 1) is None and not capsys.readouterr().out
    with pytest.raises(Killed):
        run(config, tmp_path, every=1, kill_at=2)
    checkpoint = tmp_path / FILE
    found = read_same(tmp_path, config, 1)
    assert found is not None and found.steps == 2
    longer, other = config.copy(), config.copy()
    longer["training"]["max_epochs"] = 9
    other["training"]["dropout"] = 0.3
    for changed, reason in ((longer, "another length"), (other, "training.dropout = 0.1")):
        assert read_same(tmp_path, changed, 1) is None
        assert reason in capsys.readouterr().out.replace("\n", " ")
    data = Path(config["corpora"]["train"]["corpora"]["all"]["path"])
    written = data.stat().st_mtime
    os.utime(checkpoint, (written - 10, written - 10))
    assert read_same(tmp_path, config, 1) is None
    assert "train.spacy was written after" in capsys.readouterr().out.replace("\n", " ")
    checkpoint.write_bytes(b"half of")
    assert read_same(tmp_path, config, 1) is None and "E462" in capsys.readouterr().out


def test_a_finished_training_does_not_go_on_by_itself(
    config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`spacy project run train --force` wants another training, not the end of this one."""
    for every in (0, 1):
        run(config, tmp_path, every=every)
        assert read_same(tmp_path, config, 1) is None
        assert "is finished" in capsys.readouterr().out.replace("\n", " ")


def test_a_new_training_removes_the_old_checkpoint(config: Config, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"of an older run")
    with pytest.raises(Killed):
        run(config, tmp_path, kill_at=0)
    assert not (tmp_path / FILE).exists()


def test_arrays_stay_arrays_and_tensors_tensors() -> None:
    state = {"a": [np.arange(3), (torch.ones(2), 1, None)], "b": np.float32(0.5)}
    found = unpack(pack(state))
    assert isinstance(found["a"][0], np.ndarray) and found["a"][0].tolist() == [0, 1, 2]
    assert isinstance(found["a"][1][0], torch.Tensor) and found["a"][1][1:] == (1, None)
    assert found["b"] == 0.5

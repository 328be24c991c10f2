"""Two processes train as one does, and the script resumes what was killed."""

import multiprocessing
import os
import socket
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest
import spacy
import torch
from thinc.api import Config

from mtnlp.trainer.checkpoint import read_checkpoint
from mtnlp.trainer.distributed import Processes, local_gpu
from mtnlp.trainer.train import Options, train_from_config
from tests.data.corpora import flat, invoke
from tests.pipes.cases import EXACT, assert_close, mixed_examples, same_weights
from tests.tiny import make_examples
from tests.training.loop_cases import all_weights, make_config, run

# Registers the logger of the configs, and ends the process as a signal would.
CODE = """
import os
from spacy import registry

@registry.loggers("mtnlp_tests.Spy.v1")
def make_spy(kill_at=-1):
    def start(nlp, stdout, stderr):
        steps = []
        def log(info):
            if len(steps) == kill_at:
                os._exit(9)
            steps.append(info)
        return log, lambda: None
    return start
"""


def script(config: Config, folder: Path, *args: str, launcher: List[str] = []) -> Any:  # noqa: B006
    """Run `mtnlp train`."""
    config.to_disk(folder / "config.cfg")
    (folder / "code.py").write_text(CODE, encoding="utf8")
    files = ["-m", "mtnlp", "train", str(folder / "config.cfg"), "--code", str(folder / "code.py")]
    command = [sys.executable, *launcher, *files, "--output", str(folder / "out"), *args]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def one_of_two(rank: int, port: int, config: Path, options: Options, log: Path) -> None:
    """What a process does that torchrun has started."""
    names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2}
    where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in (names | where).items()})
    torch.set_num_threads(1)
    with log.open("w", encoding="utf8") as sys.stdout:
        sys.stderr = sys.stdout
        try:
            train_from_config(config, options, {})
        except BaseException:
            traceback.print_exc()
            raise


def fork_two(config: Config, folder: Path, *, resume: bool = False) -> str:
    """Two processes as torchrun starts them, forked: nothing is imported again.

    Returns: what the first printed.
    """
    config.to_disk(folder / "config.cfg")
    options = Options(folder / "out", resume=resume)
    logs = [folder / f"log-{rank}.txt" for rank in range(2)]
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]  # free
    context = multiprocessing.get_context("fork")
    processes = [
        context.Process(target=one_of_two, args=(rank, port, folder / "config.cfg", options, log))
        for rank, log in enumerate(logs)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(300)
        process.kill()
        process.join()
    assert [process.exitcode for process in processes] == [0, 0], [log.read_text() for log in logs]
    return logs[0].read_text(encoding="utf8")


def saved_weights(folder: Path, name: str) -> Dict[str, np.ndarray]:
    return all_weights(spacy.load(folder / name))


def test_shares() -> None:
    nlp = spacy.blank("en")
    batch = mixed_examples(nlp)
    shares = [Processes(rank, 3).deal(batch) for rank in range(3)]
    dealt = [id(example) for share in shares for example in share]
    assert sorted(dealt) == sorted(id(example) for example in batch)
    tokens = [sum(len(example.predicted) for example in share) for share in shares]
    assert max(tokens) - min(tokens) <= max(len(example.predicted) for example in batch)
    assert Processes().deal(batch) == batch
    assert [len(Processes(rank, 3).deal(make_examples(nlp)[:1])) for rank in range(3)] == [1, 0, 0]


@pytest.mark.slow
def test_two_processes_are_one_with_the_same_batches(backbone: Path, tmp_path: Path) -> None:
    """Without dropout, to rounding: a batch of one Doc leaves a process without a share, and a
    share lacks a task now and then. Half way, they are killed and resumed."""
    config = make_config(backbone, tmp_path, max_steps=4)
    config["training"].update(dropout=0.0)
    config["training"]["batcher"]["size"] = {
        "@schedules": "cyclic_triangular.v1",
        "min_lr": 1,
        "max_lr": 6,
        "period": 2,
    }
    config["components"]["transformer"]["model"].update(EXACT["transformer"])
    for name in ("ner", "textcat"):
        config["components"][name]["model"]["dropout"] = 0.0
    one = run(config, tmp_path / "one", every=1)
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    killed = config.copy()
    killed["training"]["logger"]["kill_at"] = 3
    found = script(killed, tmp_path, "--checkpoint-every", "1", launcher=launcher)
    assert found.returncode != 0
    checkpoint = read_checkpoint(tmp_path / "out")
    assert checkpoint.steps == 3 and len(checkpoint.random) == 2
    assert not torch.equal(*(state["torch"] for state in checkpoint.random))
    assert fork_two(config, tmp_path, resume=True).count("Resuming after 3 steps") == 1
    assert_close(all_weights(one), saved_weights(tmp_path / "out", "model-last"), 1e-5)
    whole = read_checkpoint(tmp_path / "one")
    both = read_checkpoint(tmp_path / "out")
    assert both.words == whole.words
    assert [score for score, _ in both.scores] == pytest.approx(
        [score for score, _ in whole.scores], abs=1e-4
    )


@pytest.mark.slow
def test_two_processes_project_gradients_as_one(backbone: Path, tmp_path: Path) -> None:
    """PCGrad sees the gradients of the whole batch, not those of a process's share; so does the
    optimizer that clips all of them together."""
    config = make_config(backbone, tmp_path, max_steps=4)
    config["training"]["optimizer"]["@optimizers"] = "mtnlp.AdamW.v1"
    config["training"].update(dropout=0.0)
    config["training"]["before_update"] = {"@callbacks": "mtnlp.TaskGradients.v1", "pcgrad": True}
    config["components"]["transformer"]["model"].update(EXACT["transformer"])
    for name in ("ner", "textcat"):
        config["components"][name]["model"]["dropout"] = 0.0
    one = run(config, tmp_path / "one")
    fork_two(config, tmp_path)
    assert_close(all_weights(one), saved_weights(tmp_path / "out", "model-last"), 1e-5)


def test_the_gpu_of_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (local_gpu(3), local_gpu(-1)) == (3, -1)
    for name, value in (("LOCAL_RANK", "0"), ("LOCAL_WORLD_SIZE", "1")):
        monkeypatch.setenv(name, value)
    assert local_gpu(3) == 3
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert (local_gpu(3), local_gpu(-1)) == (0, -1)


@pytest.mark.slow
def test_the_script_resumes_what_was_killed(backbone: Path, tmp_path: Path) -> None:
    config = make_config(backbone, tmp_path)
    file, output = tmp_path / "config.cfg", tmp_path / "out"
    config.to_disk(file)
    resume = ["train", file, "--output", output, "--resume"]
    none = invoke(*resume)
    assert none.exit_code == 1 and "E460" in none.output
    expected = all_weights(run(config, tmp_path / "whole"))
    killed = config.copy()
    killed["training"]["logger"]["kill_at"] = 7
    assert script(killed, tmp_path, "--checkpoint-every", "2").returncode == 9
    assert not list(tmp_path.glob("out/.*partial"))
    config.to_disk(file)
    other = invoke(*resume, "--training.dropout", "0.2")
    assert other.exit_code == 1 and "training.dropout = 0.1 (now 0.2)" in flat(other.output)
    found = invoke(*resume)
    assert found.exit_code == 0, found.output
    assert "Resuming after 6 steps" in found.output
    assert same_weights(saved_weights(output, "model-last"), expected)

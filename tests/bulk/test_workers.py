"""Several processes, and processes that are killed."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, List

import pytest

from mtnlp.bulk import workers
from mtnlp.bulk.annotate import annotate
from mtnlp.bulk.counts import Counts, Progress
from mtnlp.bulk.entries import Document, Fields
from mtnlp.bulk.layout import Layout
from mtnlp.bulk.options import AnnotateOptions
from mtnlp.bulk.workers import WorkerSettings, run_workers
from mtnlp.errors import MtnlpError
from tests.bulk import dying
from tests.bulk.conftest import rows
from tests.bulk.inputs import read_errors, read_output, write_jsonl

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")


@needs_signals
def test_two_workers_of_which_one_is_killed(rules: str, tmp_path: Path) -> None:
    """Its shard goes to another: the output is that of one process, and so are the counts."""
    records = rows(400)
    records[7].pop("text")
    path = write_jsonl(tmp_path / "in.jsonl", records)

    def options(count: int) -> AnnotateOptions:
        fields = Fields(id="id", carried=("stars",))
        return AnnotateOptions(fields=fields, shard_size=30, batch_size=4, workers=count)

    alone = annotate(rules, path, tmp_path / "one", options(1))
    killed: List[int] = []

    def kill_one(progress: Progress) -> None:
        assert 0 <= progress.done.records <= 400
        children = [child.pid for child in multiprocessing.active_children()]
        if progress.done.records > 60 and not killed:
            assert len(children) == 2 and children[0] is not None
            killed.append(children[0])
            os.kill(killed[0], signal.SIGKILL)

    both = annotate(rules, path, tmp_path / "two", options(2), kill_one)
    assert killed
    assert read_output(tmp_path / "two") == read_output(tmp_path / "one")
    assert read_errors(tmp_path / "two") == read_errors(tmp_path / "one")
    assert both.done[:3] == alone.done[:3] and both.shards == 14
    assert not list((tmp_path / "two").rglob("*.partial"))
    assert multiprocessing.active_children() == []


@needs_signals
def test_kill_and_go_on(rules: str, tmp_path: Path) -> None:
    """kill -9 of the command, midway: afterwards each document is there exactly once."""
    path = write_jsonl(tmp_path / "in.jsonl", rows(2000))
    out = tmp_path / "out"
    arguments = [rules, str(path), str(out), "--to", "jsonl", "--id-field", "id"]
    arguments += ["--shard-size", "10"]
    command = [sys.executable, "-m", "mtnlp", "annotate", *arguments]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    documents = out / "documents"
    while not (documents.is_dir() and len(list(documents.glob("[0-9]*"))) >= 3):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)
    process.kill()
    process.wait()
    there = len(Layout(out, ".jsonl").done())
    assert 3 <= there < 200
    options = AnnotateOptions(to="jsonl", fields=Fields(id="id"), shard_size=10)
    summary = annotate(rules, path, out, options)
    assert summary.before.documents == 10 * there
    assert summary.done.documents == 2000 - 10 * there
    found = read_output(out)
    assert [row["id"] for row in found] == [f"doc-{number}" for number in range(2000)]
    assert set(Counter(row["id"] for row in found).values()) == {1}
    assert not list(out.rglob("*.partial"))


class Total:
    """A report that adds up."""

    def __init__(self) -> None:
        self.added, self.finished = Counts(), Counts()

    def add(self, counts: Counts) -> None:
        self.added = self.added.plus(counts)

    def finish(self, counts: Counts) -> None:
        self.finished = self.finished.plus(counts)

    def lose(self, counts: Counts) -> None:
        self.added = self.added.minus(counts)


def run(target: Any, shards: int, monkeypatch: pytest.MonkeyPatch) -> Total:
    report = Total()
    parts = [(number, [Document("a", f"in:{number}", "x")]) for number in range(shards)]
    plan: Any = dying.Plan(Layout(Path("out"), ".jsonl"))
    monkeypatch.setattr(workers, "work", target)
    try:
        run_workers(parts, plan, WorkerSettings("model", -1, 1), report)
    finally:
        assert multiprocessing.active_children() == []
    return report


@needs_signals
def test_a_shard_that_kills_every_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MtnlpError, match=r"E616.*out.documents.000000\.jsonl.*in:0; exit code -9"):
        run(dying.die_on_first, 3, monkeypatch)


def test_workers_that_die_or_break(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MtnlpError, match=r"E617.*exit code 3"):
        run(dying.die_at_once, 3, monkeypatch)
    with pytest.raises(FileNotFoundError, match="gone"):
        run(dying.break_down, 1, monkeypatch)


def test_only_workers_without_a_gpu_are_forks() -> None:
    methods = multiprocessing.get_all_start_methods()
    here = "forkserver" if "forkserver" in methods else "spawn"
    assert workers.worker_context(-1).get_start_method() == here
    assert workers.worker_context(0).get_start_method() == "spawn"


def test_threads_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "cores", lambda: 8)
    assert [WorkerSettings("m", -1, count).threads for count in (1, 3, 8, 16)] == [8, 2, 1, 1]

"""Shards on a cluster of Ray, and processes of it that are killed."""

import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict, Iterator, List

import pytest
import spacy

from mtnlp.bulk.annotate import annotate
from mtnlp.bulk.counts import Progress
from mtnlp.bulk.engines import ray as engine
from mtnlp.bulk.engines.ray import Annotator, Setup, joined, make_room
from mtnlp.bulk.entries import Fields
from mtnlp.bulk.layout import Layout
from mtnlp.bulk.messages import Broken
from mtnlp.bulk.options import AnnotateOptions
from mtnlp.bulk.pipeline import describe_pipeline
from mtnlp.bulk.shard_run import ShardPlan
from mtnlp.bulk.shards import Columns
from mtnlp.errors import MtnlpError
from tests.bulk.conftest import rows
from tests.bulk.engines import deadly
from tests.bulk.inputs import Rows, read_errors, read_output, write_jsonl, write_table

SMALL = {"fields": Fields(id="id"), "to": "jsonl", "shard_size": 20, "batch_size": 4}
LONG = pytest.mark.skipif(not os.environ.get("MTNLP_LONG"), reason="MTNLP_LONG=1 runs it")
ON_RAY = AnnotateOptions(**SMALL, engine="ray", workers=1)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two processors, as many as a small machine has. The deadly pipeline can be loaded by name."""
    ray = pytest.importorskip("ray", reason="Ray (extra `ray`) is not installed")
    folder = tmp_path_factory.mktemp("packages")
    deadly.install(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.delenv("RAY_ADDRESS", raising=False)
        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
        try:
            yield ray
        finally:
            ray.shutdown()


def slow(count: int) -> Rows:
    return [{"id": f"doc-{number}", "text": deadly.SLOW} for number in range(count)]


def ids(folder: Path) -> List[str]:
    return [row["id"] for row in read_output(folder)]


def test_two_workers_of_which_one_is_killed(cluster: Any, tmp_path: Path) -> None:
    """Its shard goes to another: the output is that of one process, and so are the counts."""
    records = rows(300)
    records[7]["text"] = "\ud83d"  # half a character
    records[130]["text"] = f"{deadly.DIE_ONCE}{tmp_path / 'died'}"
    path = write_jsonl(tmp_path / "in.jsonl", records)

    def run(folder: str, engine: str, workers: int) -> Any:
        fields = Fields(id="id", carried=("stars",))
        options = AnnotateOptions(
            fields=fields, shard_size=30, batch_size=4, engine=engine, workers=workers
        )
        return annotate(deadly.NAME, path, tmp_path / folder, options, shown.append)

    shown: List[Progress] = []
    both = run("ray", "ray", 2)
    assert (tmp_path / "died").exists()
    assert shown[-1].done.records == 300 and shown[-1].total == 300
    alone = run("local", "local", 1)
    assert read_output(tmp_path / "ray") == read_output(tmp_path / "local")
    assert read_errors(tmp_path / "ray") == read_errors(tmp_path / "local")
    assert len(set(ids(tmp_path / "ray"))) == len(ids(tmp_path / "ray")) == 299
    assert both.done[:3] == alone.done[:3] and both.shards == 10
    assert not list((tmp_path / "ray").rglob("*.partial"))
    # The engine is no part of the manifest.
    assert run("ray", "local", 1).done.records == 0


@LONG
def test_a_document_that_kills_every_worker(cluster: Any, tmp_path: Path) -> None:
    """The run stops at the second death, and what is done is kept."""
    records = [*rows(30), {"id": "bad", "text": deadly.DIE}]
    path = write_table(tmp_path / "in.csv", [{"id": r["id"], "text": r["text"]} for r in records])
    message = r"E616.*documents.000001\.jsonl.*in\.csv:\d+; .*worker"
    with pytest.raises(MtnlpError, match=message):
        annotate(deadly.NAME, path, tmp_path / "out", ON_RAY)
    assert len(ids(tmp_path / "out")) == 20 and cluster.is_initialized()
    assert not list((tmp_path / "out").rglob("*.partial"))


@LONG
def test_an_interruption(cluster: Any, tmp_path: Path) -> None:
    """Ctrl-C ends the workers, and another engine goes on."""
    path = write_jsonl(tmp_path / "in.jsonl", slow(80))

    def interrupt(progress: Progress) -> None:
        if progress.done.records > 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        annotate(deadly.NAME, path, tmp_path / "out", ON_RAY, interrupt)
    there = len(ids(tmp_path / "out"))
    time.sleep(0.5)
    assert 20 <= there == len(ids(tmp_path / "out")) < 80
    here = replace(ON_RAY, engine="local")
    summary = annotate(deadly.NAME, path, tmp_path / "out", here)
    assert (summary.before.records, summary.done.records) == (there, 80 - there)
    assert ids(tmp_path / "out") == [f"doc-{number}" for number in range(80)]


@LONG
def test_kill_the_command_and_go_on(cluster: Any, tmp_path: Path) -> None:
    """kill -9 of a command that has joined a cluster: the cluster stays, its workers do not."""
    path = write_jsonl(tmp_path / "in.jsonl", slow(200))
    out = tmp_path / "out"
    arguments = [deadly.NAME, path, out, "--to", "jsonl", "--id-field", "id", "--engine", "ray"]
    arguments += ["--shard-size", "20", "--workers", "1"]
    command = [sys.executable, "-m", "mtnlp", "annotate", *map(str, arguments)]
    environment = {**os.environ, "RAY_ADDRESS": cluster.get_runtime_context().gcs_address}
    process = subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path
    )
    deadline = time.monotonic() + 90
    while len(Layout(out, ".jsonl").done()) < 2:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    printed = b"".join(process.communicate())
    assert b"ray" not in printed.lower().replace(b"/ray/", b""), printed
    there = len(Layout(out, ".jsonl").done())
    assert 2 <= there < 10 and cluster.nodes()[0]["Alive"]
    summary = annotate(deadly.NAME, path, out, ON_RAY)
    assert summary.before.records >= 20 * there
    assert ids(out) == [f"doc-{number}" for number in range(200)]
    assert not list(out.rglob("*.partial"))


def test_processors_and_gpus_are_shared_out() -> None:
    def room(machines: List[Dict[str, float]], shards: int = 1000, **named: Any) -> Any:
        return make_room(machines, AnnotateOptions(engine="ray", **named), shards)

    two, eight = {"CPU": 2.0}, {"CPU": 8.0}
    assert room([two]) == (2, 1) and room([two, eight]) == (10, 1)
    assert room([two, eight], shards=3) == (3, 2)
    assert room([two, eight], workers=1) == (1, 8) and room([two, eight], workers=2) == (2, 4)
    assert room([two], workers=4) == (4, 0.5) and room([two], workers=5) == (5, 1 / 3)
    with_gpus = {"CPU": 16.0, "GPU": 2.0}
    assert room([two, with_gpus], gpus_per_worker=1.0) == (2, 8)
    assert room([two, with_gpus], gpus_per_worker=0.1) == (16, 1)
    assert room([two, with_gpus], gpus_per_worker=0.5, workers=2) == (2, 8)
    # More than there is room for wait for it.
    assert room([two, with_gpus], gpus_per_worker=1.0, workers=3) == (3, 1)
    with pytest.raises(MtnlpError, match=r"E620.*2 GPUs"):
        room([two, {"CPU": 4.0, "GPU": 1.0}], gpus_per_worker=2.0)


def test_a_machine_that_is_not_as_it_must_be(
    rules: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_PATIENCE", 0.0)
    plan = ShardPlan(tmp_path, "jsonl", Columns(text=True, vector=False), batch_size=2)
    pipeline = {**describe_pipeline(spacy.load(rules)), "version": "9.9"}
    setup = Setup(rules, False, plan, pipeline)
    blind = Annotator().load(setup)
    assert isinstance(blind, Broken) and "E618" in str(blind.error)
    plan.layout.manifest.write_text("{}", encoding="utf8")
    other = Annotator().load(setup)
    assert isinstance(other, Broken)
    assert "[E619]" in str(other.error) and "version (was 9.9, is 0.0.0)" in str(other.error)


def test_a_cluster_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port}")
    ray: Any = SimpleNamespace(is_initialized=lambda: False)
    with pytest.raises(MtnlpError, match=r"E621.*refused.*RAY_ADDRESS"), joined(ray):
        pass


def test_options_and_libraries(rules: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", rows(1))
    for options in (
        AnnotateOptions(engine="ray", gpu_id=0),
        AnnotateOptions(engine="local", gpus_per_worker=1.0),
    ):
        with pytest.raises(MtnlpError, match=r"E154.*--gpu"):
            annotate(rules, path, tmp_path / "out", options)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MtnlpError, match=r"E002.*'ray': pip install 'mtnlp\[ray\]'"):
        annotate(rules, path, tmp_path / "out", ON_RAY)
    assert not (tmp_path / "out").exists()

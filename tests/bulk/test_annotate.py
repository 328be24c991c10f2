"""One process: failures, resuming, the manifest, the lock, memory zones."""

import json
from pathlib import Path
from typing import Any, Dict, Iterator, List

import numpy as np
import pytest
import spacy

from mtnlp.bulk.annotate import annotate
from mtnlp.bulk.counts import Counts, Progress
from mtnlp.bulk.engines import local
from mtnlp.bulk.entries import Document, Entry, Fault, Fields
from mtnlp.bulk.layout import LOCK, Layout
from mtnlp.bulk.lock import locked
from mtnlp.bulk.manifest import differences
from mtnlp.bulk.options import AnnotateOptions
from mtnlp.bulk.pipeline import describe_pipeline
from mtnlp.bulk.shard_run import ShardPlan, annotate_shard, chunks
from mtnlp.bulk.shards import Columns
from mtnlp.errors import MtnlpError
from tests.bulk.conftest import BOOM, make_rules, rows
from tests.bulk.inputs import read_errors, read_output, write_jsonl

SMALL = AnnotateOptions(to="jsonl", fields=Fields(id="id"), shard_size=4, batch_size=3)


def with_faults(count: int) -> List[Dict[str, Any]]:
    """Records, of which number 5 has no text and number 9 is more than the pipeline can take."""
    records = rows(count)
    records[5].pop("text")
    records[9]["text"] = f"What a {BOOM}"
    return records


def test_failures_are_set_aside(scored: str, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", with_faults(12))
    shown: List[Progress] = []
    summary = annotate(scored, path, tmp_path / "out", SMALL, shown.append)
    assert [row["id"] for row in read_output(tmp_path / "out")] == [
        f"doc-{number}" for number in range(12) if number not in (5, 9)
    ]
    missing, failed = read_errors(tmp_path / "out")
    assert missing["id"] == "doc-5" and missing["place"] == f"{path}:6"
    assert "[E610]" in missing["error"] and "'text' is missing" in missing["error"]
    place = f"{path}:10"
    assert failed == {"id": "doc-9", "place": place, "error": "RuntimeError: cannot take BOOM"}
    assert (summary.done.documents, summary.done.failed, summary.shards) == (10, 2, 3)
    assert sorted(path.name for path in (tmp_path / "out" / "errors").iterdir()) == [
        "000001.errors.jsonl",
        "000002.errors.jsonl",
    ]
    assert shown[0] == Progress(12, 0, Counts())
    assert (shown[-1].done.records, shown[-1].done.failed) == (12, 2)
    again = annotate(scored, path, tmp_path / "out", SMALL)
    assert again.done.records == 0 and again.before.documents == 10 and again.failed == 2


def test_a_shard_of_faults_alone(scored: str, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", [{"text": BOOM}, {"text": 1}, {"text": "Paris"}])
    for to in ("parquet", "docbin", "jsonl"):
        options = AnnotateOptions(to=to, shard_size=2)
        summary = annotate(scored, path, tmp_path / to, options)
        assert (summary.done.documents, summary.failed, summary.shards) == (1, 2, 2)
        assert len(read_output(tmp_path / to)) == 1


def test_a_text_that_is_too_long(rules: str, tmp_path: Path) -> None:
    """spaCy refuses it; its batch goes on."""
    path = write_jsonl(tmp_path / "in.jsonl", [{"text": "a " * 600_000}, {"text": "Paris"}])
    summary = annotate(rules, path, tmp_path / "out", AnnotateOptions(to="jsonl"))
    assert summary.done.documents == 1 and "E088" in read_errors(tmp_path / "out")[0]["error"]


def test_going_on(scored: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an interruption only what is missing is annotated; what it left behind is removed."""
    path = write_jsonl(tmp_path / "in.jsonl", with_faults(23))
    whole = annotate(scored, path, tmp_path / "whole", SMALL)
    run: List[int] = []

    def interrupted(nlp: Any, entries: Any, number: int, *others: Any) -> Counts:
        if len(run) == 3:
            raise KeyboardInterrupt
        run.append(number)
        return annotate_shard(nlp, entries, number, *others)

    monkeypatch.setattr(local, "annotate_shard", interrupted)
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        annotate(scored, path, out, SMALL)
    # A gap, a shard without its counts, and what a kill leaves behind.
    layout = Layout(out, ".jsonl")
    layout.shard(0).unlink()
    layout.counts(2).unlink()
    (out / "documents" / ".000003.jsonl.77.partial").write_text("{", encoding="utf8")
    layout.errors(3).write_text("stale\n", encoding="utf8")
    run[:] = [0]
    monkeypatch.setattr(local, "annotate_shard", annotate_shard)
    summary = annotate(scored, path, out, SMALL)
    assert read_output(out) == read_output(tmp_path / "whole")
    assert read_errors(out) == read_errors(tmp_path / "whole")
    assert summary.before.records == 4 and summary.done.records == 19
    assert summary.failed == whole.failed == 2
    assert not list(out.rglob("*.partial"))


def test_with_a_larger_batch_it_goes_on(rules: str, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", rows(9))
    annotate(rules, path, tmp_path / "out", SMALL)
    larger = AnnotateOptions(to="jsonl", fields=Fields(id="id"), shard_size=4, batch_size=8)
    assert annotate(rules, path, tmp_path / "out", larger).done.records == 0


def test_another_run_is_refused(rules: str, scored: str, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", rows(9))
    out = tmp_path / "out"
    annotate(rules, path, out, SMALL)
    before = read_output(out)
    others = AnnotateOptions(to="jsonl", fields=Fields(id="id"), shard_size=5)
    with pytest.raises(MtnlpError, match=r"E600.*shard_size \(was 4, is 5\).*--overwrite"):
        annotate(rules, path, out, others)
    with pytest.raises(MtnlpError, match=r"E600.*options\.to \(was jsonl, is parquet\)"):
        annotate(rules, path, out, AnnotateOptions(fields=Fields(id="id"), shard_size=4))
    with pytest.raises(MtnlpError, match=r"E600.*model\.digest"):
        annotate(scored, path, out, SMALL)
    write_jsonl(path, rows(10))
    with pytest.raises(MtnlpError, match=r"E600.*input\.bytes.*input\.digest"):
        annotate(rules, path, out, SMALL)
    assert read_output(out) == before
    summary = annotate(
        rules, path, out, AnnotateOptions(to="jsonl", shard_size=100, overwrite=True)
    )
    assert summary.shards == 1 and summary.before.records == 0
    assert [row["id"] for row in read_output(out)] == [f"in.jsonl:{n}" for n in range(1, 11)]
    (out / "manifest.json").write_text("{", encoding="utf8")
    with pytest.raises(MtnlpError, match="E612"):
        annotate(rules, path, out, SMALL)


def test_what_differs() -> None:
    old = {"model": {"name": "a", "digest": "0" * 64}, "input": {"path": "x"}}
    new = {"model": {"name": "b", "digest": "1" * 64}, "input": {"path": "x"}, "layout": 2}
    found = ["model.name (was a, is b)", "model.digest (was 00000000…, is 11111111…)"]
    assert differences(old, new) == [*found, "layout (was nothing, is 2)"]
    assert differences(old, json.loads(json.dumps(old))) == []


def test_what_a_pipeline_is_told_by(rules: str, tiny: str) -> None:
    """A threshold that was fitted later makes another pipeline of it; loading it anew does not."""
    nlp = spacy.load(tiny)
    before = describe_pipeline(nlp)
    assert before == describe_pipeline(spacy.load(tiny)) != describe_pipeline(spacy.load(rules))
    nlp.get_pipe("nested_ner").cfg["threshold"] = 0.7  # type: ignore[attr-defined]
    after = describe_pipeline(nlp)
    assert after.pop("digest") != before.pop("digest") and after == before


def test_hidden_states_are_not_stored(tiny: str, tmp_path: Path) -> None:
    nlp = spacy.load(tiny, exclude=["trf_data_cleaner"])
    documents = [Document(row["id"], "x:1", row["text"]) for row in rows(4)]
    plan = ShardPlan(tmp_path, "docbin", Columns(text=True, vector=True), batch_size=4)
    assert annotate_shard(nlp, documents, 0, plan)[:2] == (4, 0)
    assert [row["id"] for row in read_output(tmp_path)] == [row["id"] for row in rows(4)]


def test_one_process_at_a_time(rules: str, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", rows(2))
    with locked(tmp_path / "out"), pytest.raises(MtnlpError, match="E601"):
        annotate(rules, path, tmp_path / "out", SMALL)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [LOCK]
    assert annotate(rules, path, tmp_path / "out", SMALL).done.documents == 2


def test_folders_that_are_no_output(rules: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    path = write_jsonl(tmp_path / "data" / "in.jsonl", rows(2))
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").write_text("mine", encoding="utf8")
    anew = AnnotateOptions(overwrite=True)
    for folder in (other, path):
        with pytest.raises(MtnlpError, match=r"E602|E609"):
            annotate(rules, path, folder, anew)
    with pytest.raises(MtnlpError, match="E609"):
        annotate(rules, path.parent, path.parent / "out", anew)
    assert (other / "mine.txt").is_file() and not (other / LOCK).exists()
    (tmp_path / "empty.jsonl").write_text("\n", encoding="utf8")
    with pytest.raises(MtnlpError, match="E613"):
        annotate(rules, tmp_path / "empty.jsonl", tmp_path / "out", SMALL)
    with pytest.raises(MtnlpError, match="E503"):
        annotate("no_such_pipeline", path, tmp_path / "out", SMALL)


def test_an_input_that_changes_meanwhile(rules: str, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", rows(9))

    def cut(progress: Progress) -> None:
        if not progress.done.records:
            write_jsonl(path, rows(5))

    with pytest.raises(MtnlpError, match=r"E615.* 5 records.* 9 were counted"):
        annotate(rules, path, tmp_path / "out", SMALL, cut)


def make_plan(folder: Path) -> ShardPlan:
    return ShardPlan(folder, "jsonl", Columns(text=True, vector=False), batch_size=2)


def test_a_shard_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    def entries() -> Iterator[Entry]:
        yield Document("a", "x:1", "Paris")
        raise OSError(5, "Input/output error", "x")

    with pytest.raises(MtnlpError, match=r"E611.*000007\.jsonl.*Input/output error"):
        annotate_shard(make_rules(), entries(), 7, make_plan(tmp_path))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    counts = annotate_shard(make_rules(), [Fault(None, "x:1", "no")], 7, make_plan(tmp_path))
    assert counts[:3] == (0, 1, 0)
    assert Layout(tmp_path, ".jsonl").done() == {7: counts}


def test_records_are_taken_as_they_are_needed(tmp_path: Path) -> None:
    """What is read and not yet counted is never more than a chunk."""
    plan = make_plan(tmp_path)
    read = counted = most = 0

    def entries() -> Iterator[Entry]:
        nonlocal read, most
        for number in range(2000):
            read += 1
            most = max(most, read - counted)
            yield Document(str(number), f"x:{number}", "Anna saw Paris.")

    def count(new: Counts) -> None:
        nonlocal counted
        counted += new.records

    annotate_shard(make_rules(), entries(), 0, plan, count)
    assert read == counted == 2000 and most <= 33
    long = [Document("a", "x:1", "ab"), Document("b", "x:2", "c"), Document("c", "x:3", "d")]
    assert [len(chunk) for chunk in chunks(iter(long), 10, 3)] == [2, 1]
    assert [len(chunk) for chunk in chunks(iter(long), 1, 3)] == [1, 1, 1]


def test_memory_zones_change_nothing(tiny: str, tmp_path: Path) -> None:
    """The strings of a chunk are gone afterwards, and the next one answers the same."""
    nlp = spacy.load(tiny)
    texts = [f"Neverseen{number} met Anna in Paris on day {number}." for number in range(96)]
    wanted = [(doc.cats, doc.vector) for doc in nlp.pipe(texts)]
    fresh = spacy.load(tiny)
    size = len(fresh.vocab.strings)
    documents = [Document(str(n), f"x:{n}", text) for n, text in enumerate(texts)]
    plan = ShardPlan(tmp_path, "jsonl", Columns(text=True, vector=True), batch_size=2)
    counts = annotate_shard(fresh, documents, 0, plan)
    assert counts.documents == 96
    assert len(fresh.vocab.strings) < size + 30
    assert not any(f"Neverseen{number}" in fresh.vocab.strings for number in range(96))
    for row, (cats, vector) in zip(read_output(tmp_path), wanted, strict=True):
        assert row["cats"] == pytest.approx(cats, abs=1e-4)
        np.testing.assert_allclose(row["vector"], vector, atol=1e-4)

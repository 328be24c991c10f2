"""`mtnlp annotate`, run in this process."""

import sys
from pathlib import Path

import pytest

from mtnlp.bulk.counts import Counts, Progress
from mtnlp.cli import progress
from mtnlp.cli.progress import document_progress, document_rates
from tests.bulk.conftest import BOOM
from tests.bulk.inputs import read_output, write_jsonl, write_table
from tests.data.corpora import flat, invoke


def test_from_a_table_to_parquet(scored: str, tmp_path: Path) -> None:
    records = [
        {"url": f"u{n}", "body": f"Anna saw Paris {n} times.", "n": str(n)} for n in range(7)
    ]
    path = write_table(tmp_path / "news.csv", records)
    arguments = [scored, path, tmp_path / "out", "--text-field", "body", "--id-field", "url"]
    arguments += ["--carry", "n", "--no-text", "--shard-size", "3", "--batch-size", "2"]
    result = invoke("annotate", *map(str, arguments))
    assert result.exit_code == 0, result.output
    shown = flat(result.output)
    assert "Documents: 7 annotated, 0 skipped because done, 0 failed" in shown
    assert "Words: 42 in" in shown and "words/s" in shown
    assert f"3 shards in {tmp_path / 'out' / 'documents'}" in shown
    found = read_output(tmp_path / "out")
    assert [row["id"] for row in found] == [f"u{n}" for n in range(7)]
    assert list(found[0]) == ["id", "entities", "cats", "n"]
    again = invoke("annotate", *map(str, arguments))
    assert "0 annotated, 7 skipped because done" in flat(again.output)
    refused = invoke("annotate", *map(str, arguments), "--carry", "url")
    assert refused.exit_code == 1 and "E600" in refused.output
    anew = invoke("annotate", *map(str, arguments), "--carry", "url", "--overwrite")
    assert anew.exit_code == 0 and "7 annotated" in flat(anew.output)


def test_failures_are_a_warning_or_an_error(scored: str, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", [{"text": "fine"}, {"text": BOOM}, {"text": 1}])
    (tmp_path / "notes.md").write_text("no", encoding="utf8")
    arguments = ["annotate", scored, str(path), str(tmp_path / "out"), "--to", "jsonl"]
    result = invoke(*arguments)
    assert result.exit_code == 0
    assert "W200" in result.output and "set aside: 2" in flat(result.output)
    assert invoke(*arguments, "--strict").exit_code == 1


def test_what_else_is_in_the_folder_is_said(scored: str, tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("Paris", encoding="utf8")
    (tmp_path / "texts" / "b.md").write_text("no", encoding="utf8")
    result = invoke("annotate", scored, str(tmp_path / "texts"), str(tmp_path / "out"))
    assert "Files left out: 1 .md" in flat(result.output)


def test_errors_are_messages(scored: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = invoke("annotate", scored, str(tmp_path / "no.jsonl"), str(tmp_path / "out"))
    assert missing.exit_code == 1 and "E001" in missing.output
    path = write_jsonl(tmp_path / "in.jsonl", [{"text": "fine"}])
    unknown = invoke("annotate", "en_nothing", str(path), str(tmp_path / "out"))
    assert unknown.exit_code == 1 and "E503" in unknown.output
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    without = invoke("annotate", scored, str(path), str(tmp_path / "new"))
    assert without.exit_code == 1 and "mtnlp[parquet]" in without.output
    assert (
        invoke("annotate", scored, str(path), str(tmp_path / "new"), "--to", "jsonl").exit_code == 0
    )


def test_ways_of_running(scored: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", [{"text": "fine"}])
    arguments = ["annotate", scored, str(path), str(tmp_path / "out"), "--engine"]
    refused = invoke(*arguments, "local", "--gpus-per-worker", "1")
    assert refused.exit_code == 1 and "E154" in refused.output
    assert invoke(*arguments, "nowhere").exit_code == 2
    monkeypatch.setitem(sys.modules, "ray", None)
    without = invoke(*arguments, "ray")
    assert without.exit_code == 1 and "mtnlp[ray]" in without.output
    assert not (tmp_path / "out").exists()


def test_lines_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One at the begin and the end, and one per pause."""
    time = [100.0]
    monkeypatch.setattr(progress, "monotonic", lambda: time[0])
    with document_progress() as show:
        for seconds, done in ((0, 0), (9, 10), (10, 20), (20, 120), (21, 130), (38, 300)):
            time[0] = 100.0 + seconds
            show(Progress(400, 100, Counts(done, 0, 9 * done)))
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "100 of 400 documents",
        "120 of 400 documents, 10 documents/s, 90 words/s, 28 s left",
        "220 of 400 documents, 10 documents/s, 90 words/s, 18 s left",
        "400 of 400 documents, 10 documents/s, 90 words/s, 0 s left",
    ]


def test_rates() -> None:
    """Of what was done since the first batch; what earlier runs did counts for none."""
    first = Progress(1000, 400, Counts(15, 0, 300))
    now = Progress(1000, 400, Counts(105, 10, 2300))
    assert document_rates(first, first, 1.0) == "" and document_rates(now, first, 0.0) == ""
    assert document_rates(now, first, 50.0) == "2 documents/s, 40 words/s, 4 min left"

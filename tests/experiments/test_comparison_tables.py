import csv
import io
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

from mtnlp.errors import MtnlpError
from mtnlp.experiments.comparison_figure import draw, write_figure
from mtnlp.experiments.comparison_tables import ComparisonTable, flat_scores, write_tables

METRICS = ["ents_f", "ents_per_type"]


def result(decoder: str, loss: str, seed: int, f: float, **types: float) -> Dict[str, Any]:
    per_type = {label: {"p": 0.0, "r": 0.0, "f": value} for label, value in types.items()}
    test = {"ents_f": f, "ents_p": 1.0, "ents_per_type": per_type, "token_acc": None}
    measures = {
        "seconds": 10.0 + seed,
        "words_per_second": 100.0 * (seed + 1),
        "predict_words_per_second": 900.5,
        "peak_memory_mb": 512.4,
        "peak_gpu_memory_mb": None,
        "total_seconds": 99.0,
    }
    return {
        "cell": {"decoder": decoder, "loss": loss},
        "seed": seed,
        "scores": {"test": test, "dev": {"ents_f": f / 2}},
        "measures": measures,
    }


@pytest.fixture
def results() -> List[Dict[str, Any]]:
    return [
        result("crf", "focal", 0, 0.70, PER=0.5),
        result("crf", "focal", 1, 0.72, PER=0.5, MISC=0.25),
        result("crf", "focal", 2, 0.74, PER=0.5),
        result("softmax", "dice", 0, 0.60, PER=0.1),
    ]


@pytest.fixture
def table(results: List[Dict[str, Any]]) -> ComparisonTable:
    return ComparisonTable(results, ["decoder", "loss"], METRICS)


def test_flat_scores() -> None:
    scores = {"f": 1, "none": None, "per": {"A": {"p": 0.1, "f": 0.2}, "B": 0.3}, "empty": {}}
    assert flat_scores(scores) == {"f": 1.0, "per.A": 0.2, "per.B": 0.3}


def test_a_row_a_cell(table: ComparisonTable) -> None:
    first, second = table.to_rows()
    assert (first["decoder"], first["loss"], first["seeds"]) == ("crf", "focal", 3)
    assert first["test_ents_f_mean"] == pytest.approx(0.72)
    assert first["test_ents_f_sd"] == pytest.approx(0.02)
    assert first["test_ents_f_half_width"] == pytest.approx(4.3027 * 0.02 / 3**0.5, rel=1e-4)
    assert first["dev_ents_f_mean"] == pytest.approx(0.36)
    assert (first["seconds"], first["words_per_second"]) == (11.0, 200.0)
    # One seed of three has found any entity of this type or missed one: the others had none.
    assert (first["test_ents_per_type.MISC_mean"], first["test_ents_per_type.MISC_sd"]) == (
        0.25,
        None,
    )
    assert (second["seeds"], second["test_ents_f_mean"], second["test_ents_f_sd"]) == (1, 0.6, None)
    assert second["test_ents_per_type.MISC_mean"] is None
    assert "test_ents_p_mean" not in first and "peak_gpu_memory_mb" not in first


def test_the_csv_can_be_read_back(table: ComparisonTable, tmp_path: Path) -> None:
    write_tables(tmp_path, "name", table)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "runs.csv").read_text())))
    assert [(row["decoder"], row["seed"]) for row in rows][1:] == [
        ("crf", "1"),
        ("crf", "2"),
        ("softmax", "0"),
    ]
    # Scores that the table does not show are kept, and what a run lacks stays empty.
    assert rows[0]["test_ents_p"] == "1.0" and rows[0]["test_ents_per_type.MISC"] == ""


def test_markdown(table: ComparisonTable) -> None:
    lines = table.to_table("losses").to_markdown().splitlines()
    assert lines[0].startswith("### losses: mean ± half of the 95% t-interval (standard deviation)")
    heads = [cell.strip() for cell in lines[2].split("|")[1:-1]]
    assert heads[:6] == [
        "decoder",
        "loss",
        "seeds",
        "test ents_f",
        "test ents PER",
        "test ents MISC",
    ]
    assert heads[6:] == [
        "dev ents_f",
        "training seconds",
        "words/s",
        "words/s predicting",
        "peak MB",
    ]
    cells = [cell.strip() for cell in lines[4].split("|")[1:-1]]
    assert cells[:5] == [
        "crf",
        "focal",
        "3",
        "0.7200 ± 0.0497 (0.0200)",
        "0.5000 ± 0.0000 (0.0000)",
    ]
    assert cells[5] == "0.2500" and cells[-3:] == ["200", "900", "512"]
    assert "| softmax | dice | 1 | 0.6000 | 0.1000 | – |" in lines[5]


def test_dev_where_there_is_no_test(results: List[Dict[str, Any]]) -> None:
    for item in results:
        del item["scores"]["test"]
    table = ComparisonTable(results, ["decoder", "loss"], ["ents_f"])
    assert table.main == "dev_ents_f"
    assert "test" not in table.to_table("a").to_markdown()


def test_metrics_that_no_run_has(table: ComparisonTable) -> None:
    table.check(METRICS)
    with pytest.raises(MtnlpError, match=r"E427.*'ents'.*ents_f"):
        table.check(["ents_f", "ents"])


def test_files(table: ComparisonTable, tmp_path: Path) -> None:
    write_tables(tmp_path, "losses", table)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs.csv", "table.csv", "table.md"]


def test_figure(table: ComparisonTable, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    (axes,) = draw("losses", table).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["crf, focal", "softmax, dice"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first on top
    means = [container.lines[0].get_xydata().tolist() for container in axes.containers]
    assert means[0] == [pytest.approx([0.72, 0.0])] and means[1] == [pytest.approx([0.6, 1.0])]
    write_figure(tmp_path, "losses", table)
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "figure.svg").read_text(encoding="utf8")


def test_without_matplotlib(table: ComparisonTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MtnlpError, match=r"E429.*reports"):
        draw("losses", table)

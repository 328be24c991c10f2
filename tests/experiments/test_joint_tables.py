import csv
import json
from pathlib import Path
from typing import Any, Dict

import pytest

from mtnlp.experiments.joint_tables import find_losses, task_table, time_table, write_joint_report


def joint(score: float, difference: float, low: float, high: float) -> Dict[str, Any]:
    return {
        "score": score,
        "difference": difference,
        "interval": [low, high],
        "p_value": 0.2,
        "by_seed": {"0": difference},
    }


def times(seconds: float) -> Dict[str, float]:
    keys = ("training_seconds", "total_seconds", "words_per_second", "inference_seconds")
    return {key: seconds * (i + 1) for i, key in enumerate(keys)}


RESULTS: Dict[str, Any] = {
    "config": "mine",
    "seeds": [0],
    "heads": ["ner", "textcat"],
    "weightings": ["static", "uncertainty"],
    "samples": 1000,
    "tasks": {
        "ner": {
            "metric": "micro F1",
            "n": 40,
            "single": 0.75,
            "joint": {"static": joint(0.7431, -0.0069, -0.012, -0.0051)},
        },
        "textcat/sentiment": {
            "metric": "accuracy",
            "n": 50,
            "single": 0.9,
            "joint": {
                "static": joint(0.92, 0.02, -0.01, 0.05),
                "uncertainty": joint(0.86, -0.04, -0.07, -0.01),
            },
        },
    },
    "systems": {"ner": times(1.0), "textcat": times(2.0), "joint-static": times(2.5)},
}


def test_the_table_of_tasks() -> None:
    table = task_table(RESULTS)
    assert table.rows[0] == ["ner", "micro F1", 40, 0.75, 0.7431, "-0.69 [-1.20, -0.51]", "–", "–"]
    assert table.rows[1][4:] == [0.92, "+2.00 [-1.00, +5.00]", 0.86, "-4.00 [-7.00, -1.00]"]
    assert len(table.columns) == 8


def test_the_table_of_times() -> None:
    rows = {row[0]: row[1:] for row in time_table(RESULTS).rows}
    assert rows["all single, one after another"] == [3.0, 6.0, None, 12.0]
    assert rows["joint-static"] == [2.5, 5.0, 7.5, 10.0]
    # Not where one of them is missing.
    some = {**RESULTS, "systems": {"ner": times(1.0), "joint-static": times(2.5)}}
    assert [row[0] for row in time_table(some).rows] == ["ner", "joint-static"]


@pytest.mark.parametrize(
    ("points", "losing"),
    [
        (0.0, ["ner, static", "textcat/sentiment, uncertainty"]),
        (0.5, ["ner, static", "textcat/sentiment, uncertainty"]),
        (0.51, ["textcat/sentiment, uncertainty"]),
        (1.0, []),
        (3.0, []),
    ],
)
def test_the_guard_looks_at_upper_bounds(points: float, losing: Any) -> None:
    found = find_losses(RESULTS, points)
    assert [text.partition(":")[0] for text in found] == losing


def test_files(tmp_path: Path) -> None:
    write_joint_report(tmp_path / "new", RESULTS)
    names = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert names == ["report.csv", "report.json", "report.md"]
    text = (tmp_path / "new" / "report.json").read_text(encoding="utf8")
    assert json.loads(text) == RESULTS
    with (tmp_path / "new" / "report.csv").open(encoding="utf8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["task"], row["weighting"]) for row in rows] == [
        ("ner", "static"),
        ("textcat/sentiment", "static"),
        ("textcat/sentiment", "uncertainty"),
    ]
    assert float(rows[2]["high"]) == -0.01
    markdown = (tmp_path / "new" / "report.md").read_text(encoding="utf8")
    assert "| ner | micro F1 | 40 | 0.7500 | 0.7431 | -0.69 [-1.20, -0.51] |" in markdown

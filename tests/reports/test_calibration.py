from typing import Any, Dict

from mtnlp.reports.calibration import (
    TEMPERATURE_HEADER,
    calibration_tables,
    category_tables,
    temperature_rows,
)

AT = {"threshold": 0.5, "p": 0.9, "r": 0.6, "f": 0.72, "coverage": 0.75}
FIGURES = {"predicted": 12, "gold": 15, "mean_confidence": 0.8, "ece": 0.02, "brier": 0.1}
FIT = {"temperature": 1.25, "loss_before": 0.2, "loss_after": 0.1, "documents": 1234, "units": 9.0}
RESULTS: Dict[str, Any] = {
    "temperatures": {"ner": FIT},
    "report": {"ner": {"calibrated": {**FIGURES, "aurc": 0.03, "at": [AT, AT]}}},
}


def test_a_row_for_each_temperature() -> None:
    assert temperature_rows(RESULTS) == [["ner", "1,234", "1.2500", "0.2000", "0.1000"]]
    assert len(TEMPERATURE_HEADER) == 5


def test_two_tables_for_each_pipe() -> None:
    trust, cost = calibration_tables(RESULTS)
    assert trust.rows == [["calibrated", 12, 0.8, 0.02, 0.1, 0.03]]
    assert cost.rows == [["calibrated", 0.5, 0.9, 0.6, 0.72, 0.75]] * 2
    for table in (trust, cost):
        assert table.title.startswith("ner: ")
        assert {len(row) for row in table.rows} == {len(table.columns)}
    assert calibration_tables({"temperatures": {}}) == []


TRUST = {"predicted": 10, "mean_confidence": 0.5, "share": 0.4, "ece": 0.1, "brier": 0.2}
SCORES = {
    "accuracy": 0.3,
    "micro": {"p": 0.6, "r": 0.5, "f": 0.55},
    "macro": {"p": 0.1, "r": 0.2, "f": 0.15},
}
CATEGORY_FIGURES: Dict[str, Any] = {
    "documents": 10,
    "calibration": {"uncalibrated": TRUST, "calibrated": TRUST},
}
TASK_FIT: Dict[str, Any] = {
    "documents": 10,
    "temperature": 1.5,
    "loss_before": 0.7,
    "loss_after": 0.6,
    "shared_threshold": 0.3,
    "thresholds": {"emotion/joy": 0.25, "emotion/fear": 0.3},
    "positives": {"emotion/joy": 20, "emotion/fear": 2},
}
EXCLUSIVE = {**TASK_FIT, "shared_threshold": None, "thresholds": {}, "positives": {}}
CATEGORY_RESULTS: Dict[str, Any] = {
    "classifiers": {
        "textcat": {
            "emotion": {"fit": TASK_FIT, "dev": {**CATEGORY_FIGURES, "f1": {"default": SCORES}}},
            "sentiment": {"fit": EXCLUSIVE, "dev": CATEGORY_FIGURES},
        }
    },
    "category_report": {"textcat": {"emotion": {**CATEGORY_FIGURES, "f1": {"per label": SCORES}}}},
}


def test_tables() -> None:
    tables = {table.title: table for table in category_tables(CATEGORY_RESULTS)}
    fits = tables["temperatures of classifiers"]
    assert fits.rows == [
        ["textcat: emotion", 10, 1.5, 0.7, 0.6],
        ["textcat: sentiment", 10, 1.5, 0.7, 0.6],
    ]
    thresholds = tables["textcat: emotion, thresholds"]
    assert thresholds.rows == [["joy", 20, 0.25], ["fear", 2, 0.3], ["one for all", None, 0.3]]
    trust = [table for title, table in tables.items() if "calibration" in title]
    assert len(trust) == 3  # two tasks on dev, one on test
    for table in trust:
        assert table.rows[1] == ["calibrated", 10, 0.5, 0.4, 0.1, 0.2]
    decisions = [table for title, table in tables.items() if "decisions" in title]
    assert [table.rows for table in decisions] == [
        [["default", 0.3, 0.6, 0.5, 0.55, 0.15]],
        [["per label", 0.3, 0.6, 0.5, 0.55, 0.15]],
    ]
    assert len(tables) == 2 + 3 + 2
    for table in tables.values():
        assert {len(row) for row in table.rows} == {len(table.columns)}


def test_no_classifier() -> None:
    assert category_tables({"temperatures": {}}) == []

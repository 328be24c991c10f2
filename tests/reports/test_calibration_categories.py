from typing import Any, Dict

from mtnlp.reports.calibration_categories import category_tables

TRUST = {"predicted": 10, "mean_confidence": 0.5, "share": 0.4, "ece": 0.1, "brier": 0.2}
SCORES = {
    "accuracy": 0.3,
    "micro": {"p": 0.6, "r": 0.5, "f": 0.55},
    "macro": {"p": 0.1, "r": 0.2, "f": 0.15},
}
FIGURES: Dict[str, Any] = {
    "documents": 10,
    "calibration": {"uncalibrated": TRUST, "calibrated": TRUST},
}
FIT: Dict[str, Any] = {
    "documents": 10,
    "temperature": 1.5,
    "loss_before": 0.7,
    "loss_after": 0.6,
    "shared_threshold": 0.3,
    "thresholds": {"emotion/joy": 0.25, "emotion/fear": 0.3},
    "positives": {"emotion/joy": 20, "emotion/fear": 2},
}
EXCLUSIVE = {**FIT, "shared_threshold": None, "thresholds": {}, "positives": {}}
RESULTS: Dict[str, Any] = {
    "classifiers": {
        "textcat": {
            "emotion": {"fit": FIT, "dev": {**FIGURES, "f1": {"default": SCORES}}},
            "sentiment": {"fit": EXCLUSIVE, "dev": FIGURES},
        }
    },
    "category_report": {"textcat": {"emotion": {**FIGURES, "f1": {"per label": SCORES}}}},
}


def test_tables() -> None:
    tables = {table.title: table for table in category_tables(RESULTS)}
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

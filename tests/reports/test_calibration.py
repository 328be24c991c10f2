from typing import Any, Dict

from mtnlp.reports.calibration import TEMPERATURE_HEADER, calibration_tables, temperature_rows

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

from typing import Any, Dict

from mtnlp.reports.summary import LISTED, summary_tables

ERROR = {"error": "other label", "gold": "ORG", "predicted": "LOC", "count": 12}
SCORE = {"task": "ner", "metric": "F1", "n": 900, "value": 0.8, "interval": [0.7, 0.9]}
ADVICE = {
    "task": "ner",
    "label": "MISC",
    "examples": 40,
    "errors": 20,
    "errors_per_example": 0.5,
    "f": 0.4,
    "train_f": 0.9,
    "advice": "more examples",
}
RESULTS: Dict[str, Any] = {
    "model": "en_shop 0.0.0",
    "size_mb": 91.2,
    "split": "test",
    "corpora": ["shop"],
    "documents": 1234,
    "scores": [{**SCORE, "baseline": None}],
    "confusions": {"ner": [ERROR] * 7, "textcat: topic": []},
    "speed": {"words_per_second": 5432.1, "threads": 2, "device": "cpu"},
    "advice": [ADVICE],
}


def test_tables() -> None:
    confusions, advice, scores, facts = summary_tables(RESULTS)
    assert confusions.title == "ner: 84 errors"
    assert confusions.rows == [["other label", "ORG", "LOC", 12]] * LISTED
    assert advice.rows == [["ner: MISC", 40, 20, 0.5, 0.4, 0.9, "more examples"]]
    assert scores.title == "Your model: en_shop 0.0.0 · test · shop · 1,234 documents"
    assert scores.rows == [["ner", "F1", 900, 0.8, [0.7, 0.9], None]]
    assert facts.rows[0] == ["words per second", "5,432", "cpu, threads: 2"]
    assert facts.rows[1][:2] == ["size on disk", "91 MB"]
    for table in (confusions, advice, scores, facts):
        assert {len(row) for row in table.rows} == {len(table.columns)}

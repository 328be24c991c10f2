from typing import Any, Dict

from mtnlp.reports.evaluation import evaluation_tables
from mtnlp.reports.tables import to_markdown

HALF = {"p": 0.5, "r": 0.5, "f": 0.5}
ROW = {**HALF, "support": 4}
RESULTS: Dict[str, Any] = {
    "model": "en_mtnlp 0.1.0",
    "split": "test",
    "corpora": ["conll", "imdb"],
    "documents": 70,
    "pipes": {
        "ner": {
            "kind": "entities",
            "spans_key": None,
            "documents": 30,
            "entities": 40,
            "micro": HALF,
            "macro": {"p": 0.6, "r": 0.6, "f": 0.4},
            "f_interval": [0.4, 0.6],
            "per_type": {"PER": ROW},
            "per_tag": {"B-PER": ROW},
            "tokens": 600,
            "token_accuracy": 0.9,
            "token_accuracy_interval": [0.85, 0.95],
            "loss": 1.25,
            "loss_units": 600.0,
            "raw_text": {"documents": 30, "entities": 40, "micro": HALF, "f_interval": [0.3, 0.6]},
        },
        "nested_ner": {
            "kind": "entities",
            "spans_key": "nerel",
            "documents": 10,
            "entities": 50,
            "micro": HALF,
            "macro": {"p": 0.6, "r": 0.6, "f": 0.4},
            "f_interval": [0.4, 0.6],
            "per_type": {"PERSON": ROW},
            "flattened_gold": {
                "entities": 35,
                "micro": {**HALF, "f": 0.45},
                "macro": {**HALF, "f": 0.3},
                "f_interval": [0.35, 0.55],
                "per_type": {"PERSON": ROW},
            },
        },
        "textcat": {
            "kind": "categories",
            "tasks": {
                "mood": {
                    "exclusive": True,
                    "documents": 40,
                    "accuracy": 0.8,
                    "accuracy_interval": [0.65, 0.9],
                    "micro": {**HALF, "f": 0.8},
                    "macro": {**HALF, "f": 0.79},
                    "f_interval": [0.66, 0.91],
                    "rare": {"labels": ["bad", "sad"], "macro": {**HALF, "f": 0.31}},
                    "per_label": {"good": ROW},
                    "baseline": {
                        "labels": ["good"],
                        "accuracy": 0.55,
                        "micro": {**HALF, "f": 0.56},
                        "macro": {**HALF, "f": 0.35},
                        "rare": {"labels": ["bad"], "macro": {**HALF, "f": 0.11}},
                    },
                },
                "event": {
                    "exclusive": False,
                    "documents": 0,
                    "accuracy": 0.0,
                    "accuracy_interval": [0.0, 1.0],
                    "micro": {**HALF, "f": 0.0},
                    "macro": {**HALF, "f": 0.0},
                    "f_interval": [0.0, 1.0],
                    "rare": None,
                    "per_label": {},
                    "baseline": None,
                },
            },
        },
        "vectors": {
            "kind": "vectors",
            "pairs": 9,
            "spearman": 0.7,
            "spearman_interval": [0.2, 0.9],
            "pearson": 0.6,
        },
    },
}


def test_the_summary_shows_n_interval_and_baseline() -> None:
    summary = evaluation_tables(RESULTS)[-1]
    assert summary.title == "en_mtnlp 0.1.0 · test · conll, imdb · 70 documents"
    assert summary.rows == [
        ["ner", "F1", 40, 0.5, [0.4, 0.6], None],
        ["ner", "macro F1", 40, 0.4, None, None],
        ["ner", "token accuracy", 600, 0.9, [0.85, 0.95], None],
        ["ner", "F1 on raw text", 40, 0.5, [0.3, 0.6], None],
        ["ner", "loss", 600, 1.25, None, None],
        ["nested_ner", "F1", 50, 0.5, [0.4, 0.6], None],
        ["nested_ner", "macro F1", 50, 0.4, None, None],
        ["nested_ner", "F1 against flattened gold", 35, 0.45, [0.35, 0.55], None],
        ["textcat: mood", "accuracy", 40, 0.8, [0.65, 0.9], 0.55],
        ["textcat: mood", "micro F1", 40, 0.8, [0.66, 0.91], 0.56],
        ["textcat: mood", "macro F1", 40, 0.79, None, 0.35],
        ["textcat: mood", "macro F1, 2 rare labels", 40, 0.31, None, 0.11],
        ["textcat: event", "micro F1", 0, None, None, None],
        ["textcat: event", "exact match", 0, None, None, None],
        ["textcat: event", "macro F1", 0, None, None, None],
        ["vectors", "Spearman", 9, 0.7, [0.2, 0.9], None],
        ["vectors", "Pearson", 9, 0.6, None, None],
    ]


def test_details_stand_in_tables_of_their_own() -> None:
    tables = evaluation_tables(RESULTS)
    assert [table.title for table in tables[:-1]] == [
        "ner: entity types",
        "ner: tags",
        "nested_ner: entity types",
        "textcat: mood",
    ]
    assert tables[0].rows == [
        ["PER", 4, 0.5, 0.5, 0.5],
        ["micro", None, 0.5, 0.5, 0.5],
        ["macro", None, 0.6, 0.6, 0.4],
    ]
    assert "| B-PER | 4 | 0.5000 | 0.5000 | 0.5000 |" in to_markdown(tables)


def test_what_no_document_is_annotated_for_has_no_score() -> None:
    ner = {**RESULTS["pipes"]["nested_ner"], "documents": 0, "entities": 0}
    mood = {**RESULTS["pipes"]["textcat"]["tasks"]["mood"], "documents": 0}
    textcat = {"kind": "categories", "tasks": {"mood": mood}}
    results = {**RESULTS, "pipes": {"ner": ner, "textcat": textcat}}
    summary = evaluation_tables(results)[-1]
    assert len(summary.rows) == 7
    assert {tuple(row[3:]) for row in summary.rows} == {(None, None, None)}

"""What meta.json says of a model."""

import json
from pathlib import Path

from scripts.project.corpora import corpora_used
from scripts.project.meta import complete_meta, describe, performance, read_scores

SCORES = {
    "ents_p": 0.5,
    "ents_f": 0.6,
    "ents_per_type": {"PER": {"p": 0.5, "r": 0.5, "f": 0.5}},
    "spans_multinerd_f": 0.4,
    "cats_sentiment_acc": 0.8,
    "cats_event_micro_f": 0.3,
    "cats_event_macro_f": 0.1,
    "cats_score": 0.5,
    "vectors_spearman": 0.7,
    "speed": 900.0,
}


def test_performance_is_grouped_by_task() -> None:
    assert performance(SCORES)["tasks"] == {
        "ents": {"p": 0.5, "f": 0.6},
        "multinerd": {"f": 0.4},
        "sentiment": {"acc": 0.8},
        "event": {"micro_f": 0.3, "macro_f": 0.1},
        "vectors": {"spearman": 0.7},
    }
    assert performance(SCORES)["ents_per_type"] == SCORES["ents_per_type"]


def test_description_names_what_the_pipeline_answers() -> None:
    text = describe(["transformer", "sentence_vectors", "crf_ner"])
    assert "named entities, vectors" in text
    assert "categories" not in text


def test_papers_are_filled_and_the_rest_stays() -> None:
    meta = {"lang": "en", "labels": {"ner": ["PER"]}, "author": "", "performance": {"ents_f": 0.1}}
    filled = complete_meta(
        meta,
        factories=["crf_ner"],
        corpora=corpora_used(["conll"], "sample"),
        scores=SCORES,
        backbone="sentence-transformers/all-MiniLM-L6-v2",
    )
    assert meta["author"] == ""
    assert filled["labels"] == {"ner": ["PER"]}
    assert filled["license"] == "MIT"
    assert filled["performance"]["tasks"]["ents"]["f"] == 0.6
    assert [source["name"] for source in filled["sources"]] == [
        "mtnlp sample corpus",
        "sentence-transformers/all-MiniLM-L6-v2",
    ]


def test_scores_of_training_stay_where_nothing_was_evaluated(tmp_path: Path) -> None:
    assert read_scores(None) == read_scores(tmp_path / "absent.json") == {}
    filled = complete_meta(
        {"performance": {"ents_f": 0.1}},
        factories=[],
        corpora=corpora_used([], "sample"),
        scores={},
        backbone="x",
    )
    assert filled["performance"]["ents_f"] == 0.1
    (tmp_path / "scores.json").write_text(json.dumps(SCORES), encoding="utf8")
    assert read_scores(tmp_path / "scores.json") == SCORES

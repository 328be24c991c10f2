"""`mtnlp.EpochLogger.v1`: one line an evaluation, with means and speeds."""

import io
import time
from pathlib import Path
from typing import Any, Dict, List

import spacy
from spacy import registry
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as spacy_train

from mtnlp.training.epoch_logger import create_epoch_logger_v1
from tests.training.loop_cases import make_config


def info(step: int, score: float, checkpoints: List[Any], **rest: Any) -> Dict[str, Any]:
    scores = {"ents_f": 0.5, "ner_loss": 1.25, "cats_f_per_type": {}}
    return {
        "epoch": 0,
        "step": step,
        "score": score,
        "checkpoints": checkpoints,
        "other_scores": scores,
        "losses": {"tagger": 6.0},
        "words": 10 * (step + 1),
        **rest,
    }


def rows(text: str) -> List[List[str]]:
    return [line.split() for line in text.splitlines()]


def test_means_scores_and_speed() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("tagger")
    weights = {"ents_f": 1.0, "ner_loss": -0.5, "cats_f_per_type": None, "tag_acc": 0.0}
    nlp.config["training"]["score_weights"] = weights
    nlp.config = {**nlp.config, "training": {**nlp.config["training"], "score_weights": weights}}
    out = io.StringIO()
    log, finalize = create_epoch_logger_v1()(nlp, out, out)
    log(info(0, 0.5, [(0.5, 0)]))
    for _ in range(2):
        time.sleep(0.05)
        log(None)
    time.sleep(0.2)  # the evaluation
    log(info(3, 0.25, [(0.5, 0), (0.25, 3)], epoch=1))
    finalize()
    header, _, first, second = rows(out.getvalue())
    assert header[:4] == ["E", "#", "LOSS", "tagger"]
    names = [name for name in ("ENTS_F", "NER_LOSS", "TAG_ACC") if name in header]
    assert names == ["ENTS_F", "NER_LOSS", "TAG_ACC"] and "CATS_F_PER_TYPE" not in header
    assert first[:3] == ["1", "1", "6.000"]
    assert first[-2:] == ["0.500*", "-"]
    assert second[:3] == ["2", "4", "2.000"], "the mean over three steps"
    assert {"50.00", "1.250", "-"} <= set(second[3:-2])
    assert second[-2] == "0.250"
    # 30 words in three steps, two of which took 0.1 seconds.
    assert 20 / 0.3 < float(second[-1].replace(",", "")) <= 20 / 0.1


def test_in_spacys_loop_beside_another_logger(backbone: Path, tmp_path: Path) -> None:
    config = make_config(backbone, tmp_path, max_epochs=2)
    config["training"]["logger"] = {
        "@loggers": "spacy.ChainLogger.v1",
        "logger1": {"@loggers": "mtnlp.EpochLogger.v1"},
        "logger2": {"@loggers": "mtnlp_tests.Spy.v1"},
    }
    config["initialize"] = {
        "before_init": {"@callbacks": "mtnlp.FitSchedule.v1", "warmup": 0.1, "evaluations": 1}
    }
    assert registry.loggers.get("mtnlp.EpochLogger.v1") is create_epoch_logger_v1
    nlp = init_nlp(config)
    out = io.StringIO()
    spacy_train(nlp, None, stdout=out, stderr=out)
    lines = [row for row in rows(out.getvalue()) if row and row[0].isdigit()]
    total = nlp.config["training"]["optimizer"]["learn_rate"]["total_steps"]
    assert len(lines) == 3, "at the start, and one per epoch"
    assert total - 1 <= int(lines[-1][1]) <= total

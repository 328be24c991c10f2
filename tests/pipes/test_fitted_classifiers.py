"""What is fitted to a classifier: kept in its data, used wherever it decides, gone with the
weights it was fitted to."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
from spacy.language import Language

from mtnlp.errors import MtnlpError
from tests.pipes.cases import (
    TEXTS,
    assert_same_answers,
    get_case_pipe,
    initialized,
    make_case,
    mixed_examples,
)

TEXT = "He died in Rome ."
DEATH, BIRTH = "event/DEATH", "event/BIRTH"
# spaCy's JSON writes 1.2345678901, and reads the last one as 0.6233319190000001.
FITTED = {
    "temperatures": {"event": 1.2345678901234567},
    "thresholds": {DEATH: 0.623331919, BIRTH: 0.001},
}


@pytest.fixture
def nlp(backbone: Path) -> Language:
    return initialized(make_case(backbone, "events"))


def test_events_are_those_that_reach_their_thresholds(nlp: Language) -> None:
    pipe = get_case_pipe(nlp, "events")
    doc = nlp(TEXT)
    for label, key in (("DEATH", DEATH), ("BIRTH", BIRTH)):
        pipe.cfg["threshold"] = 1.0
        # What equals its threshold reaches it; labels without one have that of the pipe.
        pipe.cfg["thresholds"] = {key: doc.cats[key]}
        assert nlp(TEXT)._.events == [label]
        pipe.cfg["thresholds"] = {key: float(np.nextafter(doc.cats[key], 1))}
        assert nlp(TEXT)._.events == []
        pipe.cfg["threshold"] = 0.0
        assert nlp(TEXT)._.events == [other for other in ("BIRTH", "DEATH") if other != label]
    assert nlp(TEXT).cats == pytest.approx(doc.cats, abs=1e-6)


def test_the_scorer_uses_them(nlp: Language) -> None:
    examples = [eg for eg in mixed_examples(nlp) if DEATH in eg.reference.cats]
    cfg = get_case_pipe(nlp, "events").cfg
    for thresholds, expected in (
        ({DEATH: 0.0, BIRTH: 0.0}, (0.5, 1.0)),
        ({DEATH: 2.0, BIRTH: 0.0}, (0.5, 0.5)),
        ({DEATH: 2.0, BIRTH: 2.0}, (0.0, 0.0)),
    ):
        cfg["thresholds"] = thresholds
        scores = nlp.evaluate(examples)
        assert (scores["cats_event_micro_p"], scores["cats_event_micro_r"]) == expected
        assert scores["cats_score"] == scores["cats_event_micro_f"]


@pytest.mark.parametrize("temperature", [0.25, 4.0])
def test_a_temperature_divides_the_scores_of_its_task(backbone: Path, temperature: float) -> None:
    nlp = initialized(make_case(backbone, "multitask"))
    pipe = get_case_pipe(nlp, "multitask")
    before = dict(nlp(TEXT).cats)
    for task, other in (("sentiment", "topic"), ("topic", "sentiment")):
        pipe.cfg["temperatures"] = {task: temperature}
        after = nlp(TEXT).cats
        for key, old in before.items():
            if key.startswith(other):
                assert after[key] == pytest.approx(old, abs=1e-6)
        odds = {key: np.log(p / (1 - p)) for key, p in before.items()}
        # Two labels under softmax are one under sigmoid.
        for key in [key for key in before if key.startswith(task)]:
            expected = 1 / (1 + np.exp(-odds[key] / temperature))
            assert after[key] == pytest.approx(expected, abs=1e-5)
    assert pipe.columns == {"sentiment": slice(0, 2), "topic": slice(2, 4)}


@pytest.mark.parametrize("way", ["disk", "bytes"])
def test_kept_in_the_saved_pipeline(nlp: Language, way: str, tmp_path: Path) -> None:
    cfg = get_case_pipe(nlp, "events").cfg
    cfg.update(FITTED)
    if way == "disk":
        nlp.to_disk(tmp_path)
        loaded = spacy.load(tmp_path)
    else:
        loaded = type(nlp).from_config(nlp.config).from_bytes(nlp.to_bytes())
    assert {key: get_case_pipe(loaded, "events").cfg[key] for key in FITTED} == FITTED
    for text, together in zip(TEXTS, loaded.pipe(TEXTS), strict=True):
        assert_same_answers(nlp(text), loaded(text))
        assert_same_answers(nlp(text), together)
    assert nlp("Anna")._.events == ["BIRTH"]


def test_a_pipeline_from_before_there_were_any(nlp: Language) -> None:
    pipe = get_case_pipe(nlp, "events")
    cfg = {key: value for key, value in pipe.cfg.items() if key not in FITTED}
    fresh = get_case_pipe(type(nlp).from_config(nlp.config), "events")
    fresh.restore({**cfg, "threshold": 0.3})
    assert fresh.label_thresholds.tolist() == [0.3, 0.3]
    assert fresh.cfg["temperatures"] == {}


def test_gone_with_the_weights(nlp: Language) -> None:
    cfg = get_case_pipe(nlp, "events").cfg
    cfg.update(FITTED)
    initialized(nlp)
    assert cfg["temperatures"] == {} and cfg["thresholds"] == {}


def test_not_above_zero(nlp: Language) -> None:
    pipe: Any = get_case_pipe(nlp, "events")
    for temperature in (0.0, -1.0):
        pipe.cfg["temperatures"] = {"event": temperature}
        with pytest.raises(MtnlpError, match="E235"):
            nlp(TEXT)

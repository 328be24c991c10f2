"""What the trainable pipes have in common: settings, and names that settings had before."""

from pathlib import Path
from typing import Any

import pytest
from spacy.language import Language

from mtnlp.pipes.settings import default_config
from tests.pipes.cases import get_case_pipe, make_case

WITH_LOSS = {"crf_ents": "crf_ner", "span": "span_ner", "multitask": "multitask_textcat"}
COMMON = {
    "score_loss": False,
    "task_weight": 1.0,
    "weighting": "static",
    "teacher_weight": 0.5,
    "teacher_temperature": 1.0,
    "teacher_confidence": 0.0,
}


@pytest.mark.parametrize("case", WITH_LOSS)
def test_common_settings(case: str, backbone: Path) -> None:
    """The factory's defaults are those of the pipe."""
    factory = WITH_LOSS[case]
    defaults = Language.get_factory_meta(factory).default_config
    pipe: Any = get_case_pipe(make_case(backbone, case), case)
    for cfg in (defaults, pipe.cfg):
        assert {key: cfg[key] for key in COMMON} == COMMON
    bare = type(pipe)(
        pipe.vocab,
        pipe.model,
        "bare",
        **({} if factory != "multitask_textcat" else {"tasks": {"a": True}}),
    )
    assert {key: bare.cfg[key] for key in COMMON} == COMMON
    assert bare.scorer is None and pipe.scorer is not None


def test_a_default_config_from_its_parts() -> None:
    made = default_config("a = 1", "mtnlp.X.v1", 'b = 2\n\n[pipe.model.inner]\nc = "d"', "e = []")
    assert made == {
        **{"a": 1, **COMMON, "scorer": {"@scorers": "mtnlp.X.v1"}},
        "model": {"b": 2, "inner": {"c": "d"}, "tok2vec": {"e": []}},
    }
    assert not COMMON.keys() & default_config("a = 1", "s", "b = 2", "c = 3", common="").keys()


def test_earlier_names_in_a_saved_cfg(backbone: Path) -> None:
    pipe: Any = get_case_pipe(make_case(backbone, "crf_ents"), "crf_ents")
    pipe.restore({"units": 7.0, "min_confidence": 0.25})
    assert (pipe.cfg["loss_normalization"], pipe.cfg["threshold"]) == (7.0, 0.25)
    assert not {"units", "min_confidence"} & pipe.cfg.keys()

"""What a tuning varies in a config, and how far."""

from typing import Any, Dict

import pytest

from mtnlp.experiments.search_space import Range, find_ranges
from mtnlp.experiments.settings import filled_config
from tests.tiny import SAMPLE

CONFIGS = SAMPLE.parents[1] / "configs"


def ranges(name: str) -> Dict[str, Range]:
    config = filled_config(CONFIGS / f"{name}.cfg").interpolate()
    return {item.name: item for item in find_ranges(config)}


def test_the_settings_that_matter() -> None:
    found = ranges("en_mtnlp")
    assert list(found) == ["rate", "head_factor", "batch", "epochs", "dropout"]
    assert (found["rate"].low, found["rate"].start, found["rate"].high) == (5e-5, 2e-4, 8e-4)
    assert (found["batch"].low, found["batch"].start, found["batch"].high) == (300, 600, 1200)
    assert (found["epochs"].low, found["epochs"].high) == (3, 14)  # half to twice
    assert found["head_factor"].low <= 10.0 <= found["head_factor"].high
    assert found["batch"].is_whole and found["epochs"].is_whole and not found["rate"].is_whole
    heads = {path[1] for path in found["dropout"].paths}
    assert heads == {"ner", "fine_ner", "nested_ner", "textcat", "events"}
    settings = found["dropout"].settings(0.2)
    assert [setting.value for setting in settings] == [0.2] * 5


def test_what_a_config_lacks_is_left_out() -> None:
    config: Dict[str, Any] = {
        "nlp": {"pipeline": ["tagger", "sentencizer"]},
        "components": {
            "tagger": {"factory": "tagger", "model": {"@architectures": "x"}},
            "sentencizer": {"factory": "sentencizer"},
        },
        "training": {
            "max_epochs": 0,
            "batcher": {"size": {"@schedules": "compounding.v1"}},
            "optimizer": {"learn_rate": 0.001},
            "frozen_components": [],
        },
    }
    (rate,) = find_ranges(config)
    assert rate.name == "rate" and rate.paths == (("training", "optimizer", "learn_rate"),)
    config["training"]["optimizer"]["learn_rate"] = {"@schedules": "x", "initial_rate": 0.002}
    (rate,) = find_ranges(config)
    assert rate.start == 0.002 and rate.paths[0][-1] == "initial_rate"


@pytest.mark.parametrize("name", ["multinerd", "conll", "compare/spacy_ner"])
def test_the_config_itself_is_in_the_space(name: str) -> None:
    for item in ranges(name).values():
        assert item.low <= item.start <= item.high and item.low < item.high
        assert item.low > 0 or not item.is_log

"""A saved encoder with `mtnlp.LoRA.v1` in its config, trained further as a sourced component."""

import io
from pathlib import Path
from typing import Any, Dict, List

import pytest
from spacy.language import Language
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as spacy_train
from thinc.api import Config

from mtnlp.trainer.checkpoint import read_checkpoint
from mtnlp.training.gradual_unfreezing import create_gradual_unfreezing_v1, find_encoders
from tests.pipes.cases import initialized, mixed_examples, same_weights, step
from tests.tiny import make_nlp
from tests.training.loop_cases import Killed, all_weights, make_config, run

LORA = {"@misc": "mtnlp.LoRA.v1", "rank": 2, "alpha": 4}
UNFREEZING = {"@callbacks": "mtnlp.GradualUnfreezing.v1", "unit": "step", "every": 2}


@pytest.fixture(scope="module")
def saved(backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline whose adapters have been trained and merged."""
    folder = tmp_path_factory.mktemp("saved")
    nlp = initialized(make_nlp(backbone, ["textcat"], {"transformer": {"adapter": LORA}}))
    step(nlp, mixed_examples(nlp))
    nlp.to_disk(folder)
    return folder


@pytest.fixture
def config(saved: Path, backbone: Path, tmp_path: Path) -> Config:
    """New heads over the saved encoder, killed and resumed in the tests."""
    config = make_config(backbone, tmp_path, max_epochs=2)
    config["components"]["transformer"] = {"source": str(saved)}
    config["nlp"]["lang"] = "en"  # that of the source
    return config


def trainable(nlp: Language) -> List[str]:
    (encoder,) = find_encoders(nlp)
    return [name for name, weights in encoder.named_parameters() if weights.requires_grad]


def base_weights(nlp: Language) -> Dict[str, Any]:
    (encoder,) = find_encoders(nlp)
    return {
        name.replace(".base_layer.", "."): weights.detach().numpy().copy()
        for name, weights in encoder.named_parameters()
        if ".lora_" not in name
    }


def test_gradual_unfreezing_moves_adapters_alone(config: Config) -> None:
    nlp = init_nlp(config)
    before = base_weights(nlp)
    callback = create_gradual_unfreezing_v1(unit="step")
    seen = []
    for number in range(2):
        callback(nlp, {"step": number, "epoch": 0})
        step(nlp, mixed_examples(nlp))
        seen.append(trainable(nlp))
    assert all(".lora_" in name for names in seen for name in names)
    assert seen[0] and set(seen[0]) < set(seen[1])
    assert all("layer.1." in name for name in seen[0])
    assert same_weights(before, base_weights(nlp))


@pytest.mark.parametrize("callback", [None, UNFREEZING])
def test_resumed_is_uninterrupted(config: Config, callback: Any, tmp_path: Path) -> None:
    config["training"]["before_update"] = callback
    whole = run(config, tmp_path / "whole")
    assert all(".lora_" in name for name in trainable(whole))
    with pytest.raises(Killed):
        run(config, tmp_path / "out", every=2, kill_at=4)
    checkpoint = read_checkpoint(tmp_path / "out")
    assert checkpoint.steps == 4
    nlp = run(config, tmp_path / "out", checkpoint=checkpoint)
    assert same_weights(all_weights(nlp), all_weights(whole))
    plain = init_nlp(config)
    spacy_train(plain, None, stdout=io.StringIO(), stderr=io.StringIO())
    assert same_weights(all_weights(plain), all_weights(whole))


def test_a_frozen_one_gets_no_adapter(config: Config, tmp_path: Path) -> None:
    names = {"frozen_components": ["transformer"], "annotating_components": ["transformer"]}
    config["training"].update(names, max_epochs=1)
    nlp = run(config, tmp_path / "out")
    assert not any(".lora_" in name for name in all_weights(nlp))

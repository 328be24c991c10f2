"""An encoder that is trained under a frozen head."""

import io
from pathlib import Path
from typing import Any, List

import pytest
import spacy
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as spacy_train

from mtnlp.trainer.distributed import Processes
from mtnlp.trainer.train import Options, train
from tests.pipes.cases import encoder_weights, initialized, same_weights, weights
from tests.tiny import make_nlp
from tests.training.loop_cases import make_config


@pytest.fixture(scope="module")
def saved(backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    initialized(make_nlp(backbone, ["textcat", "ner"])).to_disk(folder)
    return folder


@pytest.mark.parametrize("command, sourced", [("spacy", ["ner"]), ("mtnlp", ["ner", "textcat"])])
def test_a_frozen_head_that_listens_last(
    command: str, sourced: List[str], saved: Path, backbone: Path, tmp_path: Path
) -> None:
    """`ner` is frozen, behind a `textcat` that is trained. sourced: heads from the pipeline that
    the encoder is from, too."""
    config = make_config(backbone, tmp_path, max_epochs=1)
    config["nlp"] = {**config["nlp"], "lang": "en", "pipeline": ["transformer", "textcat", "ner"]}
    own = spacy.util.load_config(saved / "config.cfg")
    components: Any = {"textcat": own["components"]["textcat"]}
    components.update({name: {"source": str(saved)} for name in ("transformer", *sourced, "ner")})
    config["components"] = components
    config["training"]["frozen_components"] = ["ner"]
    config["training"]["batcher"]["size"] = 14
    config["training"]["optimizer"]["learn_rate"] = 0.005
    nlp, old = init_nlp(config), spacy.load(saved)
    if command == "mtnlp":
        train(nlp, config, Options(tmp_path / "out"), Processes())
    else:
        spacy_train(nlp, None, stdout=io.StringIO(), stderr=io.StringIO())
    assert not same_weights(encoder_weights(old), encoder_weights(nlp))
    head, before = nlp.get_pipe("ner"), old.get_pipe("ner")
    assert same_weights(weights(head.model), weights(before.model))  # type: ignore[attr-defined]

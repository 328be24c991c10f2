"""Systems A and B of MultiNERD, starting from a trained pipeline by spaCy's `source`."""

import io
import json
from pathlib import Path
from typing import Any, Dict

import numpy as np
import pytest
import spacy
from spacy.cli._util import parse_config_overrides
from spacy.language import Language
from spacy.training import Corpus
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_config

from mtnlp.data.convert import convert
from mtnlp.data.options import ConvertOptions
from tests.pipes.cases import encoder_weights, head_weights, same_weights
from tests.tiny import SAMPLE

CONFIGS = SAMPLE.parents[1] / "configs"
SYSTEM_B = ["PER", "ORG", "LOC", "DIS", "ANIM"]
STEPS = {"training.max_epochs": 0, "training.max_steps": 2, "training.batcher.size": 8}


@pytest.fixture(scope="module")
def folder(backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both corpora, and `initial`, System A after two steps."""
    folder = tmp_path_factory.mktemp("multinerd")
    for system, labels in (("a", None), ("b", SYSTEM_B)):
        options = {"sample": SAMPLE, "limit": (40, 10, 4), "labels": labels}
        convert(ConvertOptions("multinerd", out=folder / system, **options))
    overrides = {"paths.backbone": str(backbone), "components.transformer.model.window": 0}
    finish(start("a", folder, **overrides), folder / "initial")
    return folder


def start(system: str, folder: Path, **overrides: Any) -> Language:
    """The pipeline of a system before its first step."""
    paths = {f"paths.{part}": str(folder / system / part) for part in ("train", "dev")}
    config = load_config(CONFIGS / "multinerd.cfg", overrides={**paths, **STEPS, **overrides})
    return init_nlp(config)


def sourced(pipeline: Path, *names: str) -> Dict[str, Any]:
    """Overrides that take components from a trained pipeline, as the command line reads them."""
    block = json.dumps({"source": str(pipeline)})
    return parse_config_overrides(
        [word for name in names for word in (f"--components.{name}", block)]
    )


def finish(nlp: Language, output: Path) -> Language:
    """Returns: what is saved after the last step."""
    output.mkdir()
    train(nlp, output, stdout=io.StringIO(), stderr=io.StringIO())
    return spacy.load(output / "model-last")


def all_weights(nlp: Language) -> Dict[str, Dict[str, np.ndarray]]:
    return {"transformer": encoder_weights(nlp), "fine_ner": head_weights(nlp, "fine_ner")}


def moved(before: Dict[str, Dict[str, np.ndarray]], nlp: Language) -> Dict[str, bool]:
    after = all_weights(nlp)
    return {name: not same_weights(before[name], after[name]) for name in before}


def dev_loss(nlp: Language, system: Path) -> float:
    """The head's summed loss on the dev split."""
    examples = list(Corpus(system / "dev" / "multinerd.spacy")(nlp))
    for example in examples:
        example.predicted = nlp.get_pipe("transformer")(example.predicted)
    pipe: Any = nlp.get_pipe("fine_ner")
    return float(pipe.loss_on(examples)[0])


def test_system_a_goes_on_where_the_other_ended(folder: Path, tmp_path: Path) -> None:
    initial = spacy.load(folder / "initial" / "model-last")
    before = all_weights(initial)
    source = folder / "initial" / "model-last"
    nlp = start("a", folder, **sourced(source, "transformer", "fine_ner"))
    assert moved(before, nlp) == {"transformer": False, "fine_ner": False}
    assert nlp.get_pipe("fine_ner").cfg == initial.get_pipe("fine_ner").cfg  # type: ignore
    assert dev_loss(nlp, folder / "a") == pytest.approx(dev_loss(initial, folder / "a")) != 0.0
    # The steps are still counted and the rate still rises and falls; spaCy makes `max_steps` + 1.
    assert nlp.config["training"]["optimizer"]["learn_rate"]["total_steps"] == 3
    trained = finish(nlp, tmp_path / "model")
    assert moved(before, trained) == {"transformer": True, "fine_ner": True}
    assert "source" not in trained.config["components"]["transformer"]


def test_system_b_takes_the_encoder_alone(folder: Path, tmp_path: Path) -> None:
    initial = spacy.load(folder / "initial" / "model-last")
    nlp = start("b", folder, **sourced(folder / "initial" / "model-last", "transformer"))
    assert same_weights(encoder_weights(initial), encoder_weights(nlp))
    labels: Any = [set(made.get_pipe("fine_ner").labels) for made in (nlp, initial)]
    assert labels[0] <= set(SYSTEM_B) < labels[1]
    before = all_weights(nlp)
    trained = finish(nlp, tmp_path / "model")
    assert moved(before, trained) == {"transformer": True, "fine_ner": True}


def test_a_pipeline_without_such_a_head_lends_its_encoder(folder: Path) -> None:
    source = spacy.load(folder / "initial" / "model-last")
    source.remove_pipe("fine_ner")
    source.to_disk(folder / "encoder")
    with pytest.raises(KeyError, match="E944"):
        start("a", folder, **sourced(folder / "encoder", "transformer", "fine_ner"))
    nlp = start("a", folder, **sourced(folder / "encoder", "transformer"))
    assert same_weights(encoder_weights(source), encoder_weights(nlp))
    assert len(nlp.get_pipe("fine_ner").labels) > len(SYSTEM_B)  # type: ignore[attr-defined]

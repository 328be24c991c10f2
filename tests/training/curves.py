"""A tiny training with mtnlp.TensorBoardLogger.v1, and its events read back."""

import io
from collections import defaultdict
from pathlib import Path
from typing import Any, Dict, Optional, Sequence

from spacy.language import Language
from spacy.tokens import DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from thinc.api import Config

from tests.pipes.cases import mixed_examples
from tests.pipes.test_spacy_train import TRAINING
from tests.tiny import make_nlp

Curves = Dict[str, Dict[int, float]]
RATE = {
    "@optimizers": "mtnlp.FusedAdam.v1",
    "head_factor": 10.0,
    "learn_rate": {
        "@schedules": "warmup_linear.v1",
        "initial_rate": 0.01,
        "warmup_steps": 2,
        "total_steps": 6,
    },
}


def logger(folder: Path, **settings: Any) -> Dict[str, Any]:
    """The block of a config."""
    log_dir = str(folder / "log")
    return {"@loggers": "mtnlp.TensorBoardLogger.v1", "log_dir": log_dir, **settings}


def training_config(backbone: Path, folder: Path, pipes: Sequence[str], **training: Any) -> Config:
    """Steps 0 to 4, evaluated at 0, 2 and 4, two sub-batches a step."""
    nlp = make_nlp(backbone, pipes)
    docs = [example.reference for example in mixed_examples(nlp)]
    folder.mkdir(exist_ok=True)
    DocBin(docs=docs, store_user_data=True).to_disk(folder / "train.spacy")
    config = Config().from_str(TRAINING, interpolate=False)
    config["paths"]["train"] = str(folder / "train.spacy")
    config["nlp"] = {"lang": "en", "pipeline": list(nlp.pipe_names)}
    config["components"] = Config().from_str(nlp.config.to_str())["components"]
    config["training"].update({"optimizer": RATE, **training})
    return config


def run(config: Config, output: Optional[Path] = None) -> Language:
    """Returns: the pipeline after its last step."""
    nlp = init_nlp(config)
    if output is not None:
        output.mkdir()
    train(nlp, output, stdout=io.StringIO(), stderr=io.StringIO())
    return nlp


def read(folder: Path) -> Curves:
    """tag → step → value."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    curves: Curves = defaultdict(dict)
    for tag in events.Tags()["scalars"]:
        for event in events.Scalars(tag):
            assert event.step not in curves[tag]
            curves[tag][event.step] = event.value
    return dict(curves)

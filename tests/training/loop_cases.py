"""What the tests of training share: a small corpus on disk, a config over it, runs of it."""

from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
from spacy import registry
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.training.initialize import init_nlp
from thinc.api import Config

from mtnlp.trainer.checkpoint import Checkpoint
from mtnlp.trainer.train import Options, train
from tests.pipes.cases import TASKS, WITH_SHAPE, mixed_examples, weights
from tests.tiny import make_nlp

TRAINING = """
[training]
seed = 3
gpu_allocator = null
dropout = 0.1
max_epochs = 4
max_steps = 0
eval_frequency = 5
patience = 0
accumulate_gradient = 2
train_corpus = "corpora.train"
dev_corpus = "corpora.dev"

[training.batcher]
@batchers = "spacy.batch_by_sequence.v1"
size = 4

[training.optimizer]
@optimizers = "mtnlp.FusedAdam.v1"
head_factor = 2.0

[training.optimizer.learn_rate]
@schedules = "warmup_linear.v1"
initial_rate = 0.005
warmup_steps = 2
total_steps = 14

[training.logger]
@loggers = "mtnlp_tests.Spy.v1"

[corpora]

[corpora.train]
@readers = "mtnlp.MixedCorpus.v1"

[corpora.train.corpora]

[corpora.train.corpora.all]
path = "train.spacy"
weight = 0.8

[corpora.dev]
@readers = "mtnlp.MixedCorpus.v1"

[corpora.dev.corpora]

[corpora.dev.corpora.all]
path = "train.spacy"
weight = 0.6
"""
# A part of a concatenation has parameters of thinc's own; all have dropout.
PIPES = {"ner": {"model": {"tok2vec": WITH_SHAPE}}, "textcat": {"tasks": TASKS}}


class Killed(BaseException):
    """Stands for a signal."""


class Spy:
    """What the loggers of the runs saw: (step, info) of each step, and when to be killed."""

    def __init__(self) -> None:
        self.seen: List[Optional[Dict[str, Any]]] = []
        self.kill_at: Optional[int] = None

    def log(self, info: Optional[Dict[str, Any]]) -> None:
        self.seen.append(info)
        if self.kill_at == len(self.seen) - 1:
            raise Killed


SPY = Spy()


@registry.loggers("mtnlp_tests.Spy.v1")
def make_spy() -> Any:
    def start(nlp: Any, stdout: Any, stderr: Any) -> Tuple[Any, Any]:
        SPY.seen = []
        return SPY.log, lambda: None

    return start


def make_config(backbone: Path, folder: Path, **training: Any) -> Config:
    """A config of `spacy train` over a tiny encoder. training: settings beside those above."""
    nlp = make_nlp(backbone, list(PIPES), PIPES)
    docs = [example.reference for example in mixed_examples(nlp)]
    DocBin(docs=docs, store_user_data=True).to_disk(folder / "train.spacy")
    config = Config().from_str(TRAINING)
    own = Config().from_str(nlp.config.to_str())
    # The corpus is tokenized: no exceptions of a tokenizer to load for every run.
    config["nlp"] = {"lang": "xx", "pipeline": ["transformer", *PIPES]}
    config["components"] = own["components"]
    for corpus in ("train", "dev"):
        config["corpora"][corpus]["corpora"]["all"]["path"] = str(folder / "train.spacy")
    config["training"].update(training)
    return config


def run(
    config: Config,
    output: Path,
    *,
    every: int = 0,
    kill_at: Optional[int] = None,
    checkpoint: Optional[Checkpoint] = None,
) -> Language:
    """Train. kill_at: the step after which the logger ends it. Returns: the pipeline."""
    SPY.kill_at = kill_at
    nlp = init_nlp(config)
    options = Options(output, checkpoint_every=every)
    train(nlp, config, options, checkpoint=checkpoint)
    return nlp


def all_weights(nlp: Language) -> Dict[str, np.ndarray]:
    """Of all pipes."""
    return {
        f"{name}/{key}": value
        for name, pipe in nlp.pipeline
        for key, value in weights(pipe.model).items()  # type: ignore[attr-defined]
    }

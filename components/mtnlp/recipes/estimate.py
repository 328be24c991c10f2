"""How long a training will take on this machine, from a few real steps of it."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from timeit import default_timer
from typing import Any, Dict, Optional

from spacy.language import Language
from spacy.training.initialize import init_nlp
from spacy.util import load_config

from ..errors import Errors, MtnlpError
from ..experiments.estimate import Rates, run_seconds
from ..experiments.workload import count_workload
from ..trainer.train import resolve_training
from ..training.encoders import prepare_encoders
from ..training.step_count import count_steps
from ..training.timing import PhaseTimer

# How long steps are made, and how many documents of dev are predicted after them.
SECONDS = 8.0
DOCUMENTS = 32
TRAINING, PREDICTION = "training", "prediction"


@dataclass(frozen=True)
class Estimate:
    """seconds: of the whole training, evaluations included. words_per_second: in its steps."""

    seconds: float
    words_per_second: float


def estimate_training(
    path: Path, overrides: Optional[Dict[str, Any]] = None, *, gpu_id: int = -1
) -> Estimate:
    """Initialise a pipeline, make a few steps with it and forget it.

    path: the config. overrides: settings by dotted names. gpu_id: -1 for the CPU.
    Raises: MtnlpError E424 where nothing ends the training.
    """
    started = default_timer()
    nlp = init_nlp(load_config(path, overrides=overrides or {}), use_gpu=gpu_id)
    overhead = default_timer() - started
    config = nlp.config.interpolate()
    if count_steps(1, config["training"]["max_epochs"], config["training"]["max_steps"]) is None:
        raise MtnlpError(Errors.E424.format(cell=path))
    rates = measure_rates(nlp, overhead, gpu_id)
    return Estimate(run_seconds(count_workload(nlp, config), rates), rates.train)


def measure_rates(nlp: Language, overhead: float, gpu_id: int = -1) -> Rates:
    """Train for some seconds, then predict a few documents.

    The first step is slower than all others and does not count, unless it is the only one.
    """
    training, (train_corpus, dev_corpus) = resolve_training(nlp, gpu_id)
    prepare_encoders(nlp, training["frozen_components"])
    timer, words = PhaseTimer(), 0
    for number, batch in enumerate(training["batcher"](train_corpus(nlp))):
        if number == 1:
            timer, words = PhaseTimer(), 0
        with timer.phase(TRAINING):
            nlp.update(
                batch,
                drop=training["dropout"],
                sgd=training["optimizer"],
                losses={},
                exclude=training["frozen_components"],
                annotates=training["annotating_components"],
            )
            training["optimizer"].step_schedules()
        words += sum(len(example) for example in batch)
        if number and timer.seconds[TRAINING] >= SECONDS:
            break
    dev = list(islice(dev_corpus(nlp), DOCUMENTS))
    with timer.phase(PREDICTION):
        nlp.evaluate(dev)
    return Rates(
        overhead=overhead,
        train=words / timer.seconds[TRAINING],
        predict=sum(len(example) for example in dev) / timer.seconds[PREDICTION],
    )

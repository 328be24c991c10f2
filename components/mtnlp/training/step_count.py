"""How many steps spaCy's training loop makes, counted before it runs."""

from dataclasses import dataclass
from itertools import islice
from typing import Any, Dict, List, Optional

from spacy import registry
from spacy.language import Language
from spacy.training.initialize import resolve_dot_names
from thinc.api import Config


@dataclass(frozen=True)
class TrainingLength:
    """How long a training is.

    steps: of the optimizer. batch_words: the words of each batch of the first epoch, as far as the
    training goes.
    """

    steps: int
    batch_words: List[int]


def count_steps(batches: int, max_epochs: int, max_steps: int) -> Optional[int]:
    """The steps of spaCy's loop. It counts from 0 and stops after the step numbered `max_steps`,
    which is one step more, or after `max_epochs` epochs, whichever is first. The sub-batches of
    `accumulate_gradient` are of one step; `patience` may end the training before.

    batches: per epoch. max_epochs, max_steps: as in `[training]`; 0 (and -1 for epochs) sets no
        limit.
    Returns: None where neither sets one.
    """
    limits = []
    if max_epochs > 0:
        limits.append(batches * max_epochs)
    if max_steps > 0:
        limits.append(max_steps + 1)
    return min(limits, default=None)


def measure_training(
    nlp: Language, config: Config, max_epochs: int, max_steps: int
) -> TrainingLength:
    """Read the batches of an epoch and count. Later epochs are taken to have as many, but where the
    batch size follows a schedule: there all are read.

    config: the pipeline's, interpolated. max_epochs, max_steps: its own, or those that it will
        have; one of them sets a limit.
    """
    training: Dict[str, Any] = config["training"]
    (corpus,) = resolve_dot_names(config, [training["train_corpus"]])
    batcher = registry.resolve({"batcher": training["batcher"]})["batcher"]
    examples = corpus(nlp)
    # spaCy holds an epoch in memory unless it is a stream, which may be larger, and without an end.
    if training["max_epochs"] >= 0:
        examples = list(examples)
    most = max_steps + 1 if max_steps > 0 else None
    words = [sum(len(eg) for eg in batch) for batch in islice(batcher(examples), most)]
    if max_epochs > 1 and "@schedules" in str(training["batcher"]):
        total = len(words)
        for _ in range(max_epochs - 1):
            if most is not None and total >= most:
                break
            epoch = examples if training["max_epochs"] >= 0 else corpus(nlp)
            total += sum(1 for _ in batcher(epoch))
        steps = count_steps(total, 1, max_steps)
    else:
        steps = count_steps(len(words), max_epochs, max_steps)
    assert steps is not None
    return TrainingLength(steps, words)

"""How much a run has to do: words, counted from its corpora."""

from dataclasses import dataclass
from itertools import islice
from typing import Any, Dict, List, Optional

from spacy.language import Language
from spacy.training.initialize import resolve_dot_names
from spacy.util import registry
from thinc.api import Config

from ..errors import Errors, MtnlpError
from .settings import has_test, named, swap_test_for_dev


@dataclass(frozen=True)
class Workload:
    """The words of a run, as its tokenizer counts them.

    train: all that its steps see. evaluated: all that is predicted in its evaluations on dev, while
    training and after it, and on test.
    """

    train: int
    evaluated: int


class WorkloadCounter:
    """Counts once what several cells read alike."""

    def __init__(self) -> None:
        self._known: Dict[str, Workload] = {}

    def __call__(self, cell: str, nlp: Language) -> Workload:
        """The workload of a pipeline that `check_config` built.

        cell: its name. RAISES MtnlpError E423 where a corpus cannot be read or is empty, E424
            where nothing ends the training.
        """
        config = nlp.config.interpolate()
        parts = {name: config[name] for name in ("paths", "corpora", "training")}
        key = Config({**parts, "nlp": {"lang": nlp.lang}}).to_str()
        if key not in self._known:
            training = config["training"]
            if training["max_epochs"] <= 0 and training["max_steps"] <= 0:
                raise MtnlpError(Errors.E424.format(cell=cell))
            with named(cell):
                self._known[key] = count_workload(nlp, config)
        return self._known[key]


def count_workload(nlp: Language, config: Config) -> Workload:
    """Read the corpora and count. config: the pipeline's, interpolated."""
    training: Dict[str, Any] = config["training"]
    sizes = batch_sizes(nlp, config)
    if not sizes:
        raise ValueError("the training corpus holds no documents")
    steps = count_steps(len(sizes), training["max_epochs"], training["max_steps"])
    # One evaluation after the first step and one near the end, whatever the frequency.
    evaluations = 2 + (steps - 1) // training["eval_frequency"]
    dev = count_words(nlp, config)
    test = 0
    if has_test(nlp.config):
        test = count_words(nlp, swap_test_for_dev(nlp.config).interpolate())
    train = round(sum(sizes) * steps / len(sizes))
    return Workload(train=train, evaluated=(evaluations + 1) * dev + test)


def count_steps(batches: int, max_epochs: int, max_steps: int) -> int:
    """The steps of spaCy's loop, which makes one more than `max_steps`.

    batches: in an epoch; of a stream without end, as many as were looked at.
    """
    limits: List[int] = []
    if max_epochs > 0:
        limits.append(batches * max_epochs)
    if max_steps > 0:
        limits.append(max_steps + 1)
    return min(limits)


def batch_sizes(nlp: Language, config: Config) -> List[int]:
    """The words of each batch of the first epoch, as far as the training goes."""
    training = config["training"]
    (corpus,) = resolve_dot_names(config, [training["train_corpus"]])
    batcher = registry.resolve({"batcher": training["batcher"]})["batcher"]
    examples = corpus(nlp)
    most: Optional[int] = training["max_steps"] + 1 if training["max_steps"] > 0 else None
    # With -1 the corpus is a stream, perhaps one without an end.
    batches = batcher(examples if training["max_epochs"] < 0 else list(examples))
    return [sum(len(example) for example in batch) for batch in islice(batches, most)]


def count_words(nlp: Language, config: Config) -> int:
    """The words of the dev corpus."""
    (corpus,) = resolve_dot_names(config, [config["training"]["dev_corpus"]])
    return sum(len(example) for example in corpus(nlp))

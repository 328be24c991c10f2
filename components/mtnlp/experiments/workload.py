"""How much a run has to do: words, counted from its corpora."""

from dataclasses import dataclass
from typing import Any, Dict

from spacy.language import Language
from spacy.training.initialize import resolve_dot_names
from thinc.api import Config

from ..errors import Errors, MtnlpError
from ..training.step_count import count_steps, measure_training
from .settings import config_errors, has_test, with_test_as_dev


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

        cell: its name. Raises: MtnlpError E423 where a corpus cannot be read or is empty, E424
            where nothing ends the training.
        """
        config = nlp.config.interpolate()
        parts = {name: config[name] for name in ("paths", "corpora", "training")}
        key = Config({**parts, "nlp": {"lang": nlp.lang}}).to_str()
        if key not in self._known:
            training = config["training"]
            if count_steps(1, training["max_epochs"], training["max_steps"]) is None:
                raise MtnlpError(Errors.E424.format(cell=cell))
            with config_errors(cell):
                self._known[key] = count_workload(nlp, config)
        return self._known[key]


def count_workload(nlp: Language, config: Config) -> Workload:
    """Read the corpora and count. config: the pipeline's, interpolated."""
    training: Dict[str, Any] = config["training"]
    length = measure_training(nlp, config, training["max_epochs"], training["max_steps"])
    if not length.batch_words:
        raise ValueError("the training corpus holds no documents")
    # One evaluation after the first step and one near the end, whatever the frequency.
    evaluations = 2 + (length.steps - 1) // training["eval_frequency"]
    dev = count_words(nlp, config)
    test = 0
    if has_test(nlp.config):
        test = count_words(nlp, with_test_as_dev(nlp.config).interpolate())
    train = round(sum(length.batch_words) * length.steps / len(length.batch_words))
    return Workload(train=train, evaluated=(evaluations + 1) * dev + test)


def count_words(nlp: Language, config: Config) -> int:
    """The words of the dev corpus."""
    (corpus,) = resolve_dot_names(config, [config["training"]["dev_corpus"]])
    return sum(len(example) for example in corpus(nlp))

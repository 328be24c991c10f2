"""Words a second of whole pipelines, side by side: in one process, turn by turn."""

import statistics
import time
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Protocol, Sequence

import torch
from rich.table import Table
from spacy import registry
from spacy.schemas import ConfigSchemaTraining
from spacy.tokens import Doc
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.training.loop import create_train_batches, train_while_improving
from spacy.util import load_config, resolve_dot_names
from wasabi import msg

NEVER = 10**9


@dataclass(frozen=True)
class SpeedWorkload:
    """What is timed in a turn.

    steps: training steps. documents: of the test part, to predict. rounds: turns of each
    contender, after one that does not count. batch_size: of a training step, in the unit of the
    config's batcher: documents or wordpieces. threads: of torch.
    """

    steps: int = 20
    documents: int = 500
    rounds: int = 3
    batch_size: int = 4
    threads: int = 2


class Turn(NamedTuple):
    """words: read. seconds: of the wall clock that it took."""

    words: int
    seconds: float


class Contender(Protocol):
    """What is measured beside others."""

    name: str

    def train(self) -> Turn:
        """Some training steps, on from where the last turn ended."""
        ...

    def predict(self) -> Turn:
        """All test documents, from their words."""
        ...


@dataclass(frozen=True)
class Speed:
    """Words a second of each counted round."""

    name: str
    training: List[float]
    predicting: List[float]


class PipelineContender:
    """A pipeline trained by spaCy's own loop."""

    def __init__(self, config: Path, overrides: Dict[str, Any], workload: SpeedWorkload):
        """config: of `spacy train`; its dev corpus is what is predicted. overrides: by dotted
        names."""
        self.name = config.stem
        self.nlp = init_nlp(load_config(config, overrides=overrides))
        settings = self.nlp.config.interpolate()
        names = [settings["training"]["train_corpus"], settings["training"]["dev_corpus"]]
        train_corpus, test_corpus = resolve_dot_names(settings, names)
        self.training = list(train_corpus(self.nlp))
        self.test: List[Example] = list(islice(test_corpus(self.nlp), workload.documents))
        self.workload = workload
        self.settings = registry.resolve(settings["training"], schema=ConfigSchemaTraining)
        self.optimizer: Any = self.settings["optimizer"]
        endless = 0
        self.batches: Iterator[Any] = create_train_batches(
            self.nlp, train_corpus, self.settings["batcher"], endless
        )
        self.words = 0

    @cached_property
    def loop(self) -> Iterator[Any]:
        """spaCy's, a step at a time, with an optimizer and batches that may have been replaced."""
        training = self.settings
        return train_while_improving(
            self.nlp,
            self.optimizer,
            self.batches,
            lambda: (0.0, {}),
            dropout=training["dropout"],
            eval_frequency=NEVER,
            accumulate_gradient=training["accumulate_gradient"],
            patience=0,
            max_steps=0,
            exclude=training["frozen_components"],
            annotating_components=training["annotating_components"],
            before_update=training["before_update"],
        )

    def train(self) -> Turn:
        """`workload.steps` steps of spaCy's loop, without evaluations."""
        begin, before = time.perf_counter(), self.words
        for _, info, _ in islice(self.loop, self.workload.steps):
            self.words = info["words"]
        return Turn(self.words - before, time.perf_counter() - begin)

    def predict(self) -> Turn:
        """`nlp.pipe` over Docs of words."""
        docs = [Doc(self.nlp.vocab, words=[token.text for token in eg.x]) for eg in self.test]
        begin = time.perf_counter()
        words = sum(len(doc) for doc in self.nlp.pipe(docs))
        return Turn(words, time.perf_counter() - begin)


def measure_speed(contenders: Sequence[Contender], workload: SpeedWorkload) -> List[Speed]:
    """Each contender's turns, the first one not counted. Restores the number of threads."""
    found = [Speed(contender.name, [], []) for contender in contenders]
    before = torch.get_num_threads()
    torch.set_num_threads(workload.threads)
    try:
        for number in range(workload.rounds + 1):
            for contender, speed in zip(contenders, found, strict=True):
                turns = contender.train(), contender.predict()
                rates = [turn.words / turn.seconds for turn in turns]
                msg.text(
                    f"round {number}, {speed.name}: training {rates[0]:,.0f} words/s, "
                    f"predicting {rates[1]:,.0f} words/s"
                )
                if number:
                    speed.training.append(rates[0])
                    speed.predicting.append(rates[1])
    finally:
        torch.set_num_threads(before)
    return found


def speed_table(speeds: Sequence[Speed], workload: SpeedWorkload) -> Table:
    """Median words a second (slowest to fastest round), and how many times the last contender's
    they are."""
    table = Table(
        title=f"words/s: {workload.rounds} rounds of {workload.steps} training steps, batches of "
        f"{workload.batch_size}, and {workload.documents} documents to predict, "
        f"{workload.threads} threads"
    )
    for column in ("", "training", "times", "predicting", "times"):
        table.add_column(column, justify="right" if column else "left")
    last = speeds[-1]
    for speed in speeds:
        row = [speed.name]
        for own, other in (
            (speed.training, last.training),
            (speed.predicting, last.predicting),
        ):
            row.append(f"{statistics.median(own):,.0f} ({min(own):,.0f}–{max(own):,.0f})")
            row.append(f"{statistics.median(own) / statistics.median(other):.1f}")
        table.add_row(*row)
    return table

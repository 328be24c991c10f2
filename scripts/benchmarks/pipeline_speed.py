"""Words a second of whole pipelines, side by side: in one process, turn by turn."""

import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Protocol, Sequence

import spacy
import torch
import typer
from rich.console import Console
from rich.table import Table
from spacy import registry
from spacy.schemas import ConfigSchemaTraining
from spacy.tokens import Doc
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.training.loop import create_train_batches, train_while_improving
from spacy.util import load_config, resolve_dot_names
from wasabi import msg

if not __package__:  # run by its path
    sys.path[0] = str(Path(__file__).parents[2])

from mtnlp.cli.verb import verb_app
from mtnlp.errors import MtnlpError

NEVER = 10**9


@dataclass(frozen=True)
class SpeedWorkload:
    """What is timed in a turn.

    steps: training steps. documents: of the test split, to predict. rounds: turns of each
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

    def __init__(
        self, config: Path, overrides: Dict[str, Any], workload: SpeedWorkload, gpu_id: int = -1
    ):
        """config: of `spacy train`; its dev corpus is what is predicted. overrides: by dotted
        names. gpu_id: -1 for the processor."""
        self.name = config.stem
        self.nlp = init_nlp(load_config(config, overrides=overrides), use_gpu=gpu_id)
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
        wait_for_gpu()
        return Turn(self.words - before, time.perf_counter() - begin)

    def predict(self) -> Turn:
        """`nlp.pipe` over Docs of words."""
        docs = [Doc(self.nlp.vocab, words=[token.text for token in eg.x]) for eg in self.test]
        begin = time.perf_counter()
        words = sum(len(doc) for doc in self.nlp.pipe(docs))
        wait_for_gpu()
        return Turn(words, time.perf_counter() - begin)


def wait_for_gpu() -> None:
    """Until it has done what it was told to, so that its time counts."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


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
    """Median words per second (slowest to fastest round), and how many times the last contender's
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


app = verb_app()


@app.command()
def main(
    configs: List[Path] = typer.Argument(
        ..., exists=True, help="Configs of spacy train; all are compared with the last contender."
    ),
    train: Path = typer.Option(Path("corpus/train"), exists=True, help="Folder of .spacy files."),
    test: Path = typer.Option(Path("corpus/test"), exists=True, help="Folder, to be predicted."),
    backbone: str = typer.Option("assets/backbone/all-MiniLM-L6-v2", help="Encoder of them all."),
    span_marker: bool = typer.Option(
        False, help="SpanMarker as last contender, on the first config's documents."
    ),
    spans_key: Optional[str] = typer.Option(
        None, help="SpanMarker's entities are in doc.spans of this key, by default in doc.ents."
    ),
    trainer_task: Optional[str] = typer.Option(
        None,
        help="Hugging Face's Trainer as last contender: a classifier of this exclusive task, on "
        "the first config's documents.",
    ),
    trainer_batch_size: int = typer.Option(8, min=1, help="Texts a step of the Trainer."),
    steps: int = typer.Option(20, min=1, help="Training steps per round."),
    documents: int = typer.Option(500, min=1, help="Documents to predict a round."),
    rounds: int = typer.Option(3, min=1, help="Rounds, after one that does not count."),
    batch_size: int = typer.Option(
        4, min=1, help="A training step of the configs, in their batcher's unit."
    ),
    threads: int = typer.Option(2, min=1, help="Threads of torch."),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", help="The GPU, -1 for the processor."),
    precision: Optional[str] = typer.Option(
        None, help="Of the configs' encoders, fp32 or bf16. Default: their own."
    ),
) -> None:
    """Training and predicting with whole pipelines, turn by turn: words/s, median (range).

    \b
    Examples:
      pipeline_speed.py configs/conll.cfg configs/compare/spacy_ner.cfg
      pipeline_speed.py configs/compare/span_ner.cfg --span-marker --spans-key multinerd
      pipeline_speed.py configs/imdb.cfg --batch-size 2700 --trainer-task sentiment
      pipeline_speed.py configs/conll.cfg --gpu-id 0 --precision bf16
    """
    # They measure themselves with what stands above.
    from scripts.benchmarks.peers.hf_speed import TrainerContender
    from scripts.benchmarks.peers.span_marker import SpanMarkerContender

    workload = SpeedWorkload(steps, documents, rounds, batch_size, threads)
    overrides: Dict[str, Any] = {
        "paths.backbone": backbone,
        "paths.train": str(train),
        "paths.dev": str(test),
        "training.batcher.size": batch_size,
    }
    if precision is not None:
        overrides["components.transformer.model.precision"] = precision
    if gpu_id >= 0:
        spacy.require_gpu(gpu_id)
    try:
        with tempfile.TemporaryDirectory() as folder:
            ours = [PipelineContender(config, overrides, workload, gpu_id) for config in configs]
            contenders: List[Contender] = [*ours]
            if span_marker:
                contenders.append(
                    SpanMarkerContender(ours[0], spans_key, backbone, workload, folder)
                )
            if trainer_task:
                contenders.append(
                    TrainerContender(
                        ours[0], trainer_task, backbone, trainer_batch_size, workload, folder
                    )
                )
            speeds = measure_speed(contenders, workload)
    except MtnlpError as error:
        msg.fail(str(error), exits=1)
    Console().print(speed_table(speeds, workload))


if __name__ == "__main__":
    app()

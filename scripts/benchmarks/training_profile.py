"""Where the time of a training goes: seconds of each phase of spaCy's loop."""

import sys
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import torch
import typer
from rich.console import Console
from rich.table import Table
from spacy.pipeline import TrainablePipe
from spacy_transformers import Transformer
from wasabi import msg

if not __package__:  # run by its path
    sys.path[0] = str(Path(__file__).parents[2])

from mtnlp.cli.verb import verb_app
from mtnlp.errors import MtnlpError
from mtnlp.models.windowed_model import WindowedTransformerModel
from mtnlp.training.timing import PhaseTimer, Proxy, WatchedMethods
from scripts.benchmarks.pipeline_speed import PipelineContender, SpeedWorkload

READING = "reading and batching"
WORDPIECES = "wordpieces"
FORWARD = "encoder, forward"
BACKWARD = "encoder, backward"
OPTIMIZER = "optimizer"
OTHER = "other"


def profile_training(
    config: Path, overrides: Dict[str, Any], workload: SpeedWorkload
) -> Tuple[Dict[str, float], int]:
    """Train for `workload.steps` steps, after as many that do not count.

    config: of `spacy train`, with a transformer of mtnlp or of spacy-transformers, whose wordpieces
        are a part of its forward pass. overrides: by dotted names.
    Returns: seconds by phase, and the words trained on. Heads, whosever they are, are phases of
        their own: their forward and backward pass, their gold and their loss.
    """
    contender = PipelineContender(config, overrides, workload)
    phases = PhaseTimer()
    before = torch.get_num_threads()
    torch.set_num_threads(workload.threads)
    try:
        with watch(contender, phases):
            for _ in range(2):
                phases.reset()
                with phases.phase(OTHER):
                    words = contender.train().words
    finally:
        torch.set_num_threads(before)
    return dict(phases.seconds), words


def watch(contender: PipelineContender, phases: PhaseTimer) -> WatchedMethods:
    """Time what the loop of a contender calls. Returns: the transformers' methods, to be closed."""
    methods = WatchedMethods()
    components: List[Any] = contender.nlp._components
    for i, (name, pipe) in enumerate(components):
        if not isinstance(pipe, TrainablePipe):
            continue
        own: Any = pipe
        if isinstance(pipe, Transformer):
            methods.wrap(own, "finish_update", partial(phases.timed, OPTIMIZER))
            watch_encoder(own.model, phases)
        else:
            update = phases.timed(name, own.update)
            finish = phases.timed(OPTIMIZER, own.finish_update)
            # spaCy's own take no attributes.
            components[i] = (name, Proxy(own, update=update, finish_update=finish))
    # The schedules' step may be that of the weights.
    step = phases.timed(OPTIMIZER, contender.optimizer.step_schedules)
    contender.optimizer = Proxy(contender.optimizer, step_schedules=step)
    contender.batches = watch_batches(contender.batches, phases)
    return methods


def watch_encoder(model: Any, phases: PhaseTimer) -> None:
    """Time the encoder's two passes, and the wordpieces apart. model: of a transformer."""
    forward = model._func

    def timed_forward(model: Any, docs: List[Any], is_train: bool) -> Tuple[Any, Callable]:
        with phases.phase(FORWARD):
            output, backprop = forward(model, docs, is_train)
        return output, phases.timed(BACKWARD, backprop)

    if isinstance(model, WindowedTransformerModel):
        windower = model.windower
        timed = Proxy(windower, __call__=phases.timed(WORDPIECES, windower))
        model.__dict__["_windower"] = timed
    model._func = timed_forward


def watch_batches(batches: Iterator[Any], phases: PhaseTimer) -> Iterator[Any]:
    """The batches, their making timed."""
    while True:
        with phases.phase(READING):
            batch = next(batches, None)
        if batch is None:
            return
        yield batch


def profile_table(seconds: Dict[str, float], words: int, title: str) -> Table:
    """Phases by their share."""
    total = sum(seconds.values())
    table = Table(title=f"{title}: {words / total:,.0f} words/s")
    table.add_column("phase")
    for column in ("seconds", "share"):
        table.add_column(column, justify="right")
    for name, value in sorted(seconds.items(), key=lambda item: -item[1]):
        table.add_row(name, f"{value:.2f}", f"{value / total:.1%}")
    return table


app = verb_app()


@app.command()
def main(
    config: Path = typer.Argument(..., exists=True, help="A config of spacy train."),
    train: Path = typer.Option(Path("corpus/train"), exists=True, help="Folder of .spacy files."),
    backbone: str = typer.Option("assets/backbone/all-MiniLM-L6-v2", help="The encoder."),
    steps: int = typer.Option(20, min=1, help="Training steps, after as many that do not count."),
    batch_size: Optional[int] = typer.Option(
        None, min=1, help="A training step, in the unit of the config's batcher. Default: its own."
    ),
    threads: int = typer.Option(2, min=1, help="Threads of torch."),
) -> None:
    """Where the time of a training goes: seconds of each phase."""
    overrides: Dict[str, Any] = {
        "paths.backbone": backbone,
        "paths.train": str(train),
        "paths.dev": str(train),
    }
    if batch_size:
        overrides["training.batcher.size"] = batch_size
    workload = SpeedWorkload(steps=steps, documents=0, threads=threads)
    try:
        seconds, words = profile_training(config, overrides, workload)
    except MtnlpError as error:
        msg.fail(str(error), exits=1)
    title = f"{config.stem}, {steps} steps, {threads} threads"
    Console().print(profile_table(seconds, words, title))


if __name__ == "__main__":
    app()

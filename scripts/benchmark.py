"""Measure the speed of parts of mtnlp beside other libraries."""

import tempfile
from pathlib import Path
from typing import Any, Dict, List, Optional

import typer
from rich.console import Console
from wasabi import msg

from mtnlp.errors import MtnlpError
from scripts.benchmarks.crf import CrfWorkload, crf_table, measure_crf
from scripts.benchmarks.peers.hf_speed import TrainerContender
from scripts.benchmarks.peers.span_marker import SpanMarkerContender
from scripts.benchmarks.pipeline_speed import (
    Contender,
    PipelineContender,
    SpeedWorkload,
    measure_speed,
    speed_table,
)
from scripts.benchmarks.training_profile import profile_table, profile_training

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.callback()
def benchmark() -> None:
    """Measure the speed of parts of mtnlp beside other libraries."""


@app.command()
def crf(
    batch: int = typer.Option(64, min=1, help="Rows of the batch."),
    length: int = typer.Option(128, min=1, help="Tokens of the longest row; the others vary."),
    labels: int = typer.Option(16, min=1, help="Entity labels; 16 are 33 BIO tags."),
    repeats: int = typer.Option(15, min=1, help="Repeats; the median counts."),
    threads: List[int] = typer.Option([1, 2], min=1, help="Threads; repeat it to try several."),
    seed: int = typer.Option(0, help="Seed of the random scores."),
) -> None:
    """The CRF beside pytorch-crf: milliseconds, median (fastest)."""
    workload = CrfWorkload(batch, length, labels, repeats, seed)
    try:
        timings = measure_crf(workload, threads)
    except MtnlpError as error:
        msg.fail(str(error), exits=1)
    Console().print(crf_table(timings, workload))


@app.command()
def pipelines(
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
    steps: int = typer.Option(20, min=1, help="Training steps a round."),
    documents: int = typer.Option(500, min=1, help="Documents to predict a round."),
    rounds: int = typer.Option(3, min=1, help="Rounds, after one that does not count."),
    batch_size: int = typer.Option(
        4, min=1, help="A training step of the configs, in their batcher's unit."
    ),
    threads: int = typer.Option(2, min=1, help="Threads of torch."),
) -> None:
    """Training and predicting with whole pipelines, turn by turn: words/s, median (range).

    [bold]benchmark.py pipelines configs/conll.cfg configs/compare/spacy_ner.cfg[/bold]

    [bold]benchmark.py pipelines configs/compare/span_ner.cfg --span-marker --spans-key
    multinerd[/bold]

    [bold]benchmark.py pipelines configs/imdb.cfg --batch-size 2700 --trainer-task sentiment[/bold]
    """
    workload = SpeedWorkload(steps, documents, rounds, batch_size, threads)
    overrides = {
        "paths.backbone": backbone,
        "paths.train": str(train),
        "paths.dev": str(test),
        "training.batcher.size": batch_size,
    }
    try:
        with tempfile.TemporaryDirectory() as folder:
            ours = [PipelineContender(config, overrides, workload) for config in configs]
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


@app.command()
def profile(
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

"""Trains and scores the baseline that `multitask_textcat` is compared with."""

from pathlib import Path
from typing import List, Optional

import typer
from wasabi import msg

from mtnlp.errors import MtnlpError
from scripts.benchmarks.peers.hf_text_classification import run_text_baseline
from scripts.benchmarks.peers.hf_trainer import Recipe


def main(
    train: Path = typer.Argument(..., exists=True, help=".spacy file to train on"),
    dev: Path = typer.Argument(..., exists=True, help=".spacy file that chooses the rate"),
    test: Path = typer.Argument(..., exists=True, help=".spacy file to score"),
    task: str = typer.Option("sentiment", help="Exclusive task: labels in doc.cats['task/LABEL']"),
    backbone: str = typer.Option(
        "assets/backbone/all-MiniLM-L6-v2", help="Hugging Face encoder, name or path"
    ),
    output: Path = typer.Option(
        Path("metrics/baseline_textcat.json"), help="Results; runs already in it are skipped"
    ),
    lr: List[float] = typer.Option(
        [1e-4, 2e-4, 5e-5], help="Learning rate; repeat it to try several"
    ),
    batch_size: int = typer.Option(16, min=1, help="Texts a step"),
    epochs: int = typer.Option(3, min=1),
    seed: int = typer.Option(0),
    limit: Optional[int] = typer.Option(None, min=1, help="Training texts to use"),
    max_length: int = typer.Option(512, min=4, help="Wordpieces a text; the rest is cut off"),
    group_by_length: bool = typer.Option(
        False, help="Draw batches of similar length: faster, not the usual recipe"
    ),
) -> None:
    """Text classification with Hugging Face's Trainer, a run a learning rate.

    The learning rate is chosen by accuracy on DEV; the score is that on TEST. An interrupted
    command goes on after the last finished run.
    """
    recipe = Recipe(
        batch_size=batch_size,
        epochs=epochs,
        seed=seed,
        limit=limit,
        max_length=max_length,
        group_by_length=group_by_length,
    )
    parts = {"train": train, "dev": dev, "test": test}
    try:
        run_text_baseline(parts, task, backbone, output, lr, recipe)
    except MtnlpError as error:
        msg.fail(str(error), exits=1)
    msg.good(f"Results in {output}")


if __name__ == "__main__":
    typer.run(main)

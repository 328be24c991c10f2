"""Trains and scores the baseline that `crf_ner` is compared with."""

from pathlib import Path
from typing import List, Optional

import typer
from wasabi import msg

from mtnlp.errors import MtnlpError
from scripts.benchmarks.peers.hf_token_classification import run_baseline
from scripts.benchmarks.peers.hf_trainer import Recipe


def main(
    data: Path = typer.Argument(..., help="Folder with eng.train, eng.testa and eng.testb"),
    backbone: str = typer.Option(
        "assets/backbone/all-MiniLM-L6-v2", help="Hugging Face encoder, name or path"
    ),
    output: Path = typer.Option(
        Path("metrics/baseline_conll.json"), help="Results; runs already in it are skipped"
    ),
    lr: List[float] = typer.Option(
        [1e-4, 2e-4, 5e-5], help="Learning rate; repeat it to try several"
    ),
    batch_size: int = typer.Option(16, min=1, help="Sentences a step"),
    epochs: int = typer.Option(3, min=1),
    seed: int = typer.Option(0),
    limit: Optional[int] = typer.Option(None, min=1, help="Training sentences to use"),
    max_length: int = typer.Option(128, min=4, help="Wordpieces a sentence; the rest is cut off"),
    group_by_length: bool = typer.Option(
        False, help="Draw batches of similar length: about twice as fast, not the usual recipe"
    ),
) -> None:
    """Token classification with Hugging Face's Trainer on CoNLL-2003, a run a learning rate.

    The learning rate is chosen by entity F1 on eng.testa; the score is that on eng.testb. An
    interrupted command goes on after the last finished run.
    """
    recipe = Recipe(
        batch_size=batch_size,
        epochs=epochs,
        seed=seed,
        limit=limit,
        max_length=max_length,
        group_by_length=group_by_length,
    )
    try:
        run_baseline(data, backbone, output, lr, recipe)
    except MtnlpError as error:
        msg.fail(str(error), exits=1)
    msg.good(f"Results in {output}")


if __name__ == "__main__":
    typer.run(main)

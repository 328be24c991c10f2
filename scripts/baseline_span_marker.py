"""Trains and scores the baseline that `span_ner` is compared with."""

from pathlib import Path
from typing import Optional

import typer
from wasabi import msg

from mtnlp.errors import MtnlpError
from mtnlp.files import write_json
from scripts.benchmarks.peers.span_marker import Recipe, run_span_marker


def main(
    train: Path = typer.Argument(..., exists=True, help=".spacy file to train on"),
    test: Path = typer.Argument(..., exists=True, help=".spacy file to score"),
    spans_key: Optional[str] = typer.Option(
        None, help="Entities are in doc.spans of this key; without it in doc.ents"
    ),
    backbone: str = typer.Option(
        "assets/backbone/all-MiniLM-L6-v2", help="Hugging Face encoder, name or path"
    ),
    output: Path = typer.Option(Path("metrics/baseline_span_marker.json"), help="Results"),
    lr: float = typer.Option(5e-5, help="Learning rate"),
    batch_size: int = typer.Option(16, min=1, help="Sentences a step"),
    epochs: int = typer.Option(1, min=1),
    seed: int = typer.Option(0),
    limit: Optional[int] = typer.Option(None, min=1, help="Training documents to use"),
    max_length: int = typer.Option(256, min=8, help="Wordpieces a text"),
    entity_length: int = typer.Option(8, min=1, help="Words of the widest entity"),
) -> None:
    """SpanMarker on the corpora of `span_ner`. Needs `pip install span_marker==1.8.0`.

    Without a GPU it trains at some twenty words a second: choose --limit and --epochs accordingly.
    """
    recipe = Recipe(
        learning_rate=lr,
        batch_size=batch_size,
        epochs=epochs,
        seed=seed,
        limit=limit,
        max_length=max_length,
        entity_length=entity_length,
    )
    try:
        results = run_span_marker(train, test, spans_key, backbone, recipe)
    except MtnlpError as error:
        msg.fail(str(error), exits=1)
    write_json(output, results)
    low, high = results["f_interval"]
    msg.good(
        f"F1 {results['test']['micro']['f']:.4f} [{low:.4f}, {high:.4f}], training "
        f"{results['train_words_per_second']:.0f} words/s, predicting "
        f"{results['predict_words_per_second']:.0f} words/s. Results in {output}"
    )


if __name__ == "__main__":
    typer.run(main)

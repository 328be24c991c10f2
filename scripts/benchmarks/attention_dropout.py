"""What dropout on attention costs: a training step of an encoder with and without it, turn by turn.

A step is the encoder's forward and backward pass. There are no heads and no optimizer. What counts
is the process's own CPU time, so that other programs disturb little.
"""

import sys
import time
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, List, Sequence

import numpy as np
import spacy
import torch
import typer
from spacy.tokens import Doc
from wasabi import msg

if not __package__:  # run by its path
    sys.path[0] = str(Path(__file__).parents[2])

from mtnlp.cli.verb import verb_app
from mtnlp.models.precision import CPU, has_bf16
from mtnlp.models.transformer import build_transformer_model_v1
from mtnlp.reports.tables import Table, print_tables

DROPOUTS = (0.1, 0.0)


def time_steps(
    encoder: str, window: int, precision: Any, pieces: int, repeats: int, seed: int = 0
) -> List[float]:
    """CPU seconds of the fastest step with dropout on attention and without.

    encoder: a folder or a name. window: wordpieces per window. pieces: wordpieces per step.
    The two take turns, `repeats` times each, after one step each that is not timed.
    """
    models: List[Any] = []
    for dropout in DROPOUTS:
        model = build_transformer_model_v1(
            encoder, window=window, precision=precision, attention_dropout=dropout
        )
        model.initialize()
        models.append(model)
    docs = random_docs(models[0].tokenizer, pieces, seed)
    times: List[List[float]] = [[] for _ in models]
    for turn in range(repeats + 1):
        for model, own in zip(models, times, strict=True):
            start = time.process_time()
            output, backprop = model.begin_update(docs)
            states = output.model_output.last_hidden_state
            output.model_output["last_hidden_state"] = torch.ones_like(states)
            backprop(output)
            if turn:
                own.append(time.process_time() - start)
            model.layers[0].shims[0]._model.zero_grad()
    return [min(own) for own in times]


def random_docs(tokenizer: Any, pieces: int, seed: int) -> List[Doc]:
    """One text of so many random words, each a single wordpiece of the tokenizer."""
    bare = {piece.lstrip("▁") for piece in tokenizer.get_vocab()}
    words = sorted(word for word in bare if word.isascii() and word.isalpha())
    drawn = np.random.default_rng(seed).permutation(words).tolist()
    single = (word for word in drawn if len(tokenizer.tokenize(word)) == 1)
    return [Doc(spacy.blank("en").vocab, words=list(islice(single, pieces)))]


def dropout_table(
    encoders: Sequence[str], windows: Sequence[int], pieces: int, repeats: int
) -> Table:
    """A row per encoder, window and precision that this processor computes in."""
    columns = ["encoder", "window", "precision", "with, CPU s", "without, CPU s", "times faster"]
    table = Table(f"Steps of {pieces:,} wordpieces, one thread", columns)
    for encoder in encoders:
        for window in windows:
            for precision in ["fp32", *(["bf16"] if has_bf16(CPU) else [])]:
                slow, fast = time_steps(encoder, window, precision, pieces, repeats)
                row = [Path(encoder).name, window, precision, slow, fast, slow / fast]
                msg.info(" ".join(str(cell) for cell in row))
                table.rows.append(row)
    return table


app = verb_app()


@app.command()
def main(
    encoder: Annotated[List[str], typer.Argument(help="Folders or names of encoders.")],
    window: Annotated[List[int], typer.Option(help="Wordpieces per window; repeatable.")] = [  # noqa: B006
        128,
        256,
        512,
    ],
    pieces: Annotated[int, typer.Option(help="Wordpieces per step.")] = 1500,
    repeats: Annotated[int, typer.Option(help="Timed steps of each kind.")] = 3,
) -> None:
    """Time training steps of encoders with and without dropout on attention."""
    torch.set_num_threads(1)  # CPU time of several would add up
    print_tables([dropout_table(encoder, window, pieces, repeats)])


if __name__ == "__main__":
    app()

"""How long one text takes: p50 and p99 in milliseconds, beside the bare encoder.

    python -m scripts.benchmarks.latency MODEL FAST --corpus corpus/test/imdb.spacy

Texts of 5, 20 and 200 words, one at a time, by one client and by several threads that share `nlp`.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, Callable, List, Sequence

import numpy as np
import spacy
import torch
import typer
from spacy.language import Language

if not __package__:  # run by its path
    sys.path[0] = str(Path(__file__).parents[2])

from mtnlp.cli.verb import verb_app
from mtnlp.data.reading import open_docbin
from mtnlp.models.precision import instruction_set
from mtnlp.reports.tables import Table, print_tables
from scripts.benchmarks.stages import bare_encoder

LENGTHS = (5, 20, 200)
WARM_UP = 10
app = verb_app()


def take_texts(nlp: Language, corpus: Path, length: int, count: int) -> List[str]:
    """Texts of that many words, from the beginnings of documents that have as many."""
    docs = (doc for doc in open_docbin(corpus).get_docs(nlp.vocab) if len(doc) >= length)
    texts = [doc[:length].text for _, doc in zip(range(count), docs, strict=False)]
    return [texts[i % len(texts)] for i in range(count)]


def milliseconds(call: Callable[[Any], Any], items: Sequence[Any], clients: int) -> Any:
    """`[items]`: how long each call took, by so many clients at once."""

    def timed(item: Any) -> float:
        begin = time.perf_counter()
        call(item)
        return 1000 * (time.perf_counter() - begin)

    for item in items[:WARM_UP]:
        call(item)
    if clients == 1:
        return np.array([timed(item) for item in items])
    with ThreadPoolExecutor(clients) as pool:
        return np.array(list(pool.map(timed, items)))


@app.command(no_args_is_help=True)
def main(
    models: Annotated[List[Path], typer.Argument(help="Folders of trained pipelines.")],
    corpus: Annotated[Path, typer.Option(help="A .spacy file with long documents.")] = Path(
        "corpus/test/imdb.spacy"
    ),
    calls: Annotated[int, typer.Option(min=1, help="Texts of each length.")] = 200,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch and engines.")] = 1,
    clients: Annotated[int, typer.Option(min=2, help="Threads that call at once.")] = 8,
    precision: Annotated[str, typer.Option(help="Where torch computes: fp32 or bf16.")] = "fp32",
) -> None:
    """How long one text takes, beside the bare encoder."""
    torch.set_num_threads(threads)
    columns = ["words", "p50", "p99", "bare encoder, p50", "times", f"{clients} clients: texts/s"]
    tables = []
    for folder in models:
        encoder = spacy.load(folder).get_pipe("transformer").model  # type: ignore[attr-defined]
        own = {} if encoder.runner is None else {"threads": threads}
        settings = {"precision": precision} if encoder.runner is None else own
        changed = {f"components.transformer.model.{key}": each for key, each in settings.items()}
        nlp = spacy.load(folder, config=changed)
        model: Any = nlp.get_pipe("transformer").model  # type: ignore[attr-defined]
        table = Table(f"{model.engine_info}, ms", columns)
        for length in LENGTHS:
            texts = take_texts(nlp, corpus, length, calls)
            # Of the encoder, tokens are made beforehand.
            runs = [bare_encoder(model, [nlp.make_doc(text)], 1) for text in texts]
            bare = np.median(milliseconds(lambda run: run(), runs, 1))
            each = milliseconds(nlp, texts, 1)
            begin = time.perf_counter()
            milliseconds(nlp, texts, clients)
            rate = (calls + WARM_UP) / (time.perf_counter() - begin)
            p50, p99 = np.percentile(each, [50, 99])
            row = [f"{p50:.1f}", f"{p99:.1f}", f"{bare:.1f}", f"{p50 / bare:.2f}", f"{rate:.0f}"]
            table.rows.append([str(length), *row])
        tables.append(table)
    print_tables(tables)
    print(f"{calls} texts of each length; {threads} threads; {instruction_set()}")


if __name__ == "__main__":
    app()

"""What OpenVINO takes for shapes it has not seen, and what filling them up spares.

    python -m scripts.benchmarks.shapes FAST corpus/train/conll.spacy --documents 4000

FAST runs on OpenVINO. Each row is a process of its own: kernels that are made stay. Counted is the
time of the process on the processor, for the network alone.
"""

import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any, List, NamedTuple, Optional, Set, Tuple

import spacy
import torch
import typer

if not __package__:  # run by its path
    sys.path[0] = str(Path(__file__).parents[2])

from mtnlp.cli.verb import verb_app
from mtnlp.data.reading import open_docbin
from mtnlp.engines import openvino
from mtnlp.models.precision import instruction_set
from mtnlp.models.window_encoder import run_engine
from mtnlp.reports.tables import Table, print_tables

PAGE, MIB = 4096, 2**20
# Lengths and counts from a power of two to the next; None: shapes as they are.
GRIDS: List[Optional[Tuple[int, int]]] = [None, (16, 8), (8, 8), (8, 4), (4, 4), (4, 2)]
app = verb_app()


class Measured(NamedTuple):
    """first, again: microseconds per wordpiece of the first pass and of the next one. padding:
    cells per wordpiece. memory: MiB that the process grew by."""

    shapes: int
    padding: float
    first: float
    again: float
    memory: float


def measure(
    model: Path, corpus: Path, documents: int, batch_size: int, grid: Optional[Tuple[int, int]]
) -> Measured:
    """Two passes over a corpus."""
    torch.set_num_threads(1)
    nlp = spacy.load(model)
    encoder: Any = nlp.get_pipe("transformer").model  # type: ignore[attr-defined]
    docs = [doc for doc in open_docbin(corpus).get_docs(nlp.vocab) if len(doc)][:documents]
    random.Random(0).shuffle(docs)
    batches = [encoder.windower(docs[i : i + batch_size]) for i in range(0, len(docs), batch_size)]
    shapes: Set[Tuple[int, ...]] = set()
    cells = 0
    fill_up = openvino.fill_up

    def count(ids: Any, real: Any, positions: int) -> Any:
        nonlocal cells
        filled = (ids, real) if grid is None else fill_up(ids, real, positions)
        shapes.add(filled[0].shape)
        cells += filled[0].size
        return filled

    openvino.fill_up = count
    if grid is not None:
        openvino.LENGTHS, openvino.COUNTS = grid
    pieces = sum(len(batch.ids) for batch in batches)
    before, times = memory(), []
    for _ in range(2):
        start = time.process_time()
        for batch in batches:
            run_engine(encoder.runner, encoder.transformer, batch)
        times.append((time.process_time() - start) / pieces * 1e6)
    return Measured(len(shapes), cells / pieces / 2, *times, memory() - before)


def memory() -> float:
    """Of this process, MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / MIB


@app.command(no_args_is_help=True)
def main(
    model: Annotated[Path, typer.Argument(help="A pipeline that runs on OpenVINO.")],
    corpus: Annotated[Path, typer.Argument(help="A .spacy file; its first documents are read.")],
    documents: Annotated[int, typer.Option(min=1, help="Documents of a pass.")] = 4000,
    batch_size: Annotated[int, typer.Option(min=1, help="Documents at a time.")] = 64,
) -> None:
    """What shapes cost on OpenVINO, one thread."""
    rows: List[List[Any]] = []
    for grid in GRIDS:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            found = pool.submit(measure, model, corpus, documents, batch_size, grid).result()
        name = "as they are" if grid is None else f"{grid[0]} lengths, {grid[1]} counts"
        rows.append([name, found.shapes, *(round(value, 2) for value in found[1:])])
    columns = ["shapes", "of them", "cells/wordpiece", "µs/wordpiece", "again", "MiB more"]
    title = f"{documents} documents, batches of {batch_size}, 1 thread, {instruction_set()}"
    print_tables([Table(title, columns, rows)])


if __name__ == "__main__":
    app()

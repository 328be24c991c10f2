"""Measure the speed of parts of mtnlp beside other libraries."""

from typing import List

import typer
from rich.console import Console
from wasabi import msg

from mtnlp.errors import MtnlpError
from mtnlp.evaluation.benchmark_crf import CrfWorkload, crf_table, measure_crf

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


if __name__ == "__main__":
    app()

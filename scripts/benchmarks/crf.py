"""The speed of our CRF beside pytorch-crf's: same tensors, same process, turn by turn."""

import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

import torch
import typer
from rich.console import Console
from rich.table import Table
from wasabi import msg

if not __package__:  # run by its path
    sys.path[0] = str(Path(__file__).parents[2])

from mtnlp.cli.verb import verb_app
from mtnlp.errors import Errors, MtnlpError
from mtnlp.structured import crf
from mtnlp.structured.schemes import get_scheme

SPANS = 4  # spans a row whose posterior is asked for


@dataclass(frozen=True)
class CrfWorkload:
    """What is timed: rows of 1 to `length` tokens (one of full length), scores standard normal.

    labels: entity labels; the tags are those of the BIO scheme, 2 * labels + 1.
    """

    batch: int = 64
    length: int = 128
    labels: int = 16
    repeats: int = 15
    seed: int = 0


@dataclass(frozen=True)
class CrfTiming:
    """Medians over the repeats, in milliseconds. theirs: None where pytorch-crf has no such thing.

    ours_least and theirs_least: the fastest repeat, which other load on the machine disturbs
    least.
    """

    threads: int
    operation: str
    ours: float
    ours_least: float
    theirs: float | None = None
    theirs_least: float | None = None


def measure_crf(workload: CrfWorkload, threads: Sequence[int]) -> List[CrfTiming]:
    """Times NLL with gradient, decoding and span posteriors, for each number of threads.

    Emissions, gold tags and lengths are random; both sides get the same. Restores the number of
    threads. Raises: MtnlpError (E540) without pytorch-crf.
    """
    try:
        from torchcrf import CRF
    except ImportError as error:
        raise MtnlpError(Errors.E540) from error
    operations = _operations(workload, CRF)
    before, timings = torch.get_num_threads(), []
    try:
        for number in threads:
            torch.set_num_threads(number)
            for name, sides in operations.items():
                seconds = _time(sides, workload.repeats)
                figures = [f(side) for side in seconds for f in (statistics.median, min)]
                timings.append(CrfTiming(number, name, *(1000 * figure for figure in figures)))
    finally:
        torch.set_num_threads(before)
    return timings


def crf_table(timings: Sequence[CrfTiming], workload: CrfWorkload) -> Table:
    """The timings as a table, median (fastest repeat)."""
    tags = 2 * workload.labels + 1
    title = f"CRF on CPU: {workload.batch} rows of 1 to {workload.length} tokens, {tags} tags, ms"
    table = Table(title=title)
    for column in ("threads", "operation", "mtnlp", "pytorch-crf", "times faster"):
        table.add_column(column, justify="left" if column == "operation" else "right")
    for row in timings:
        ours = f"{row.ours:.1f} ({row.ours_least:.1f})"
        theirs, faster = "-", "-"
        if row.theirs is not None and row.theirs_least is not None:
            theirs = f"{row.theirs:.1f} ({row.theirs_least:.1f})"
            faster = f"{row.theirs / row.ours:.1f} ({row.theirs_least / row.ours_least:.1f})"
        table.add_row(str(row.threads), row.operation, ours, theirs, faster)
    return table


def _time(sides: Sequence[Callable[[], Any]], repeats: int) -> List[List[float]]:
    """Seconds of each repeat of each side; the sides take turns, after one round not counted."""
    seconds: List[List[float]] = [[] for _ in sides]
    for repeat in range(repeats + 1):
        for side, found in zip(sides, seconds, strict=True):
            begin = time.perf_counter()
            side()
            if repeat:
                found.append(time.perf_counter() - begin)
    return seconds


def _operations(workload: CrfWorkload, reference: Any) -> Dict[str, List[Callable[[], Any]]]:
    """Per operation: ours, and theirs where there is one."""
    generator = torch.Generator().manual_seed(workload.seed)
    tags, shape = 2 * workload.labels + 1, (workload.batch, workload.length)
    emissions = torch.randn(*shape, tags, generator=generator).requires_grad_()
    lengths = torch.randint(1, workload.length + 1, (workload.batch, 1), generator=generator)
    lengths[0] = workload.length
    mask = torch.arange(workload.length) < lengths
    gold = torch.randint(tags, shape, generator=generator)
    allowed = torch.nn.functional.one_hot(gold, tags).bool()
    partial = allowed | (torch.rand(*shape, 1, generator=generator) < 0.3)
    theirs = reference(tags, batch_first=True)
    scores = (theirs.transitions, theirs.start_transitions, theirs.end_transitions)
    pairs, start, end = (score.detach() for score in scores)
    spans = torch.tensor(
        [
            (row, start, start + 1, start % workload.labels)
            for row, length in enumerate(lengths.flatten().tolist())
            for start in range(min(SPANS, length))
        ]
    )

    def loss(annotation: torch.Tensor) -> None:
        _forget(emissions, *scores)
        crf.nll(emissions, *scores, mask, annotation).sum().backward()

    def their_loss() -> None:
        _forget(emissions, *scores)
        (-theirs(emissions, gold, mask=mask)).backward()

    def their_decoding() -> None:
        with torch.no_grad():
            theirs.decode(emissions, mask=mask)

    return {
        "NLL and gradient": [lambda: loss(allowed), their_loss],
        "NLL and gradient, 30% of tags missing": [lambda: loss(partial)],
        "decoding": [lambda: crf.viterbi(emissions, pairs, start, end, mask), their_decoding],
        f"span posteriors, {len(spans)} spans": [
            lambda: crf.span_log_probability(
                emissions, pairs, start, end, mask, spans, get_scheme("bio")
            )
        ],
    }


def _forget(*tensors: torch.Tensor) -> None:
    for tensor in tensors:
        tensor.grad = None


app = verb_app()


@app.command()
def main(
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

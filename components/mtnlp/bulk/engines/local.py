"""On this machine: in this process, or in several that this one reads for."""

from itertools import islice
from typing import Iterator, Optional, Sequence, Tuple

from ...errors import Errors, MtnlpError
from ..engine import Engine, Run
from ..entries import Entry
from ..options import AnnotateOptions
from ..shard_run import annotate_shard
from ..sources import Source
from ..workers import WorkerSettings, run_workers


def _check(options: AnnotateOptions) -> None:
    if options.gpus_per_worker:
        option, formats, found = "--gpus-per-worker", "--engine ray", "--engine local"
        raise MtnlpError(Errors.E154.format(option=option, formats=formats, found=found))


def _run(run: Run) -> None:
    parts = make_parts(run.source, run.missing, run.options.shard_size)
    workers = run.options.workers or 1
    if workers == 1:
        assert run.nlp is not None
        for number, entries in parts:
            run.report.finish(annotate_shard(run.nlp, entries, number, run.plan, run.report.add))
        return
    run.nlp = None  # each worker has its own
    count = min(workers, len(run.missing))
    run_workers(parts, run.plan, WorkerSettings(run.model, run.options.gpu_id, count), run.report)


def make_parts(
    source: Source, missing: Sequence[int], size: int
) -> Iterator[Tuple[int, Iterator[Entry]]]:
    """The numbers and records of the shards that are missing, in order. The records of a shard must
    be used up before the next one is asked for; the input is read once, but for gaps.

    size: records per shard.
    """
    stream: Optional[Iterator[Entry]] = None
    expected = 0
    for number in missing:
        if stream is None or number != expected:
            stream = source.read(number * size)
        yield number, islice(stream, size)
        expected = number + 1


ENGINE = Engine(_check, _run)

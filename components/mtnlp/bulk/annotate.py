"""A whole run: what is there, what is missing, and the shards that are to be made."""

from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Iterable, Iterator, Optional, Sequence, Tuple

from spacy.language import Language

from ..errors import DataError, Errors, MtnlpError
from ..evaluation.evaluator import load_pipeline
from .counts import Counts, Progress, Show, Summary, show_nothing
from .entries import Entry
from .layout import check_output, missing_shards, remove_drafts, remove_results
from .lock import locked
from .manifest import begin, make_manifest
from .options import AnnotateOptions
from .pipeline import describe_pipeline
from .readers.parquet import import_pyarrow
from .rows import OWN_COLUMNS, makes_vectors
from .shape_caches import bound_shape_caches
from .shard_run import ShardPlan, annotate_shard
from .shards import Columns
from .sources import Source, find_source
from .workers import WorkerSettings, run_workers

# A shard's number and its records.
Part = Tuple[int, Iterator[Entry]]


def annotate(
    model: str,
    input: Path,
    output: Path,
    options: AnnotateOptions = AnnotateOptions(),
    show: Show = show_nothing,
) -> Summary:
    """Annotate the documents of `input` with a pipeline, and write them to shards in `output`.

    Shard k holds the records k * size to (k + 1) * size of the input. A shard that is there is
    complete, so the same call goes on where an earlier one stopped, however it stopped.

    model: an installed pipeline's name, or a folder. show: told after each batch how far it is.
    Returns: what was done, in this run and before.
    Raises: MtnlpError E503 where there is no pipeline; E600 to E617 as their texts say; E154 for an
        option that the format has no use for; E002 where pyarrow is missing. OSError for a missing
        input.
    """
    _check_options(options)
    source = find_source(input, options.fields, options.kind)
    check_output(output, input)
    with locked(output):
        remove_drafts(output)
        nlp, plan = _prepare(model, source, output, options)
        total = sum(source.counts)
        if not total:
            raise DataError(Errors.E613, input)
        done = plan.layout.done()
        missing = missing_shards(total, options.shard_size, done)
        before = sum_counts(done.values())
        report = _Report(total, before, show)
        parts = make_parts(source, missing, options.shard_size)
        start = perf_counter()
        if options.workers == 1:
            for number, entries in parts:
                report.finish(annotate_shard(nlp, entries, number, plan, report.add))
        elif missing:
            del nlp  # each worker has its own
            settings = WorkerSettings(model, options.gpu_id, min(options.workers, len(missing)))
            try:
                run_workers(parts, plan, settings, report)
            finally:
                remove_drafts(output)  # of workers that were killed
        seconds = perf_counter() - start
        _check_complete(total, report.written.plus(before), input)
    return Summary(
        done=report.written._replace(seconds=seconds),
        before=before,
        shards=len(missing) + len(done),
        left_out=dict(source.left_out),
        warnings=source.warnings,
    )


def _prepare(
    model: str, source: Source, output: Path, options: AnnotateOptions
) -> Tuple[Language, ShardPlan]:
    """Load the pipeline, and begin the output or hold it against its manifest."""
    bound_shape_caches()
    nlp = load_pipeline(model, options.gpu_id)
    manifest = make_manifest(describe_pipeline(nlp), options.describe(), source.describe())
    if options.overwrite:
        remove_results(output)
    columns = Columns(
        text=options.text,
        vector=options.vector and makes_vectors(nlp),
        carried=options.fields.carried,
    )
    plan = ShardPlan(output, options.to, columns, options.batch_size)
    begin(plan.layout.manifest, manifest)
    return nlp, plan


class _Report:
    """Adds up what shards and batches report, and shows it."""

    def __init__(self, total: int, before: Counts, show: Show):
        self.total = total
        self.before = before
        self.show = show
        self.written = Counts()
        self.started = Counts()
        show(Progress(total, before.records, Counts()))

    def add(self, counts: Counts) -> None:
        """A batch of a shard that is not finished."""
        self.started = self.started.plus(counts)
        self.show(Progress(self.total, self.before.records, self.started))

    def finish(self, counts: Counts) -> None:
        """A shard whose batches were all added."""
        self.written = self.written.plus(counts)

    def lose(self, counts: Counts) -> None:
        """Batches that were added, and are lost with the process that had annotated them."""
        self.started = self.started.minus(counts)


def make_parts(source: Source, missing: Sequence[int], size: int) -> Iterator[Part]:
    """The records of the shards that are missing, in order. The records of a shard must be used up
    before the next one is asked for; the input is read once, but for gaps.

    size: records per shard.
    """
    stream: Optional[Iterator[Entry]] = None
    expected = 0
    for number in missing:
        if stream is None or number != expected:
            stream = source.read(number * size)
        yield number, islice(stream, size)
        expected = number + 1


def sum_counts(counts: Iterable[Counts]) -> Counts:
    """The sums."""
    total = Counts()
    for one in counts:
        total = total.plus(one)
    return total


def _check_options(options: AnnotateOptions) -> None:
    taken = [name for name in options.fields.carried if name in OWN_COLUMNS]
    if taken:
        message = Errors.E614.format(names=", ".join(taken), own=", ".join(OWN_COLUMNS))
        raise MtnlpError(message)
    if options.to == "docbin" and not options.text:
        found = "a DocBin, whose documents are their texts"
        message = Errors.E154.format(option="--no-text", formats="parquet, jsonl", found=found)
        raise MtnlpError(message)
    if options.to == "parquet":
        import_pyarrow()


def _check_complete(total: int, counts: Counts, input: Path) -> None:
    """Raises: DataError E615 where fewer records were read than counted."""
    if counts.records != total:
        raise DataError(Errors.E615.format(found=counts.records, expected=total), input)

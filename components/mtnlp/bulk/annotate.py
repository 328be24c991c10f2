"""A whole run: what is there, what is missing, and the shards that are to be made."""

from pathlib import Path
from time import perf_counter
from typing import Iterable, Tuple

from spacy.language import Language

from ..errors import DataError, Errors, MtnlpError
from ..evaluation.evaluator import load_pipeline
from .counts import Counts, Progress, Show, Summary, show_nothing
from .engine import Run, find_engine
from .layout import check_output, missing_shards, remove_drafts, remove_results
from .lock import locked
from .manifest import Manifest, begin, make_manifest
from .options import AnnotateOptions
from .pipeline import describe_pipeline
from .readers.parquet import import_pyarrow
from .rows import OWN_COLUMNS, makes_vectors
from .shape_caches import bound_shape_caches
from .shard_run import ShardPlan
from .shards import Columns
from .sources import Source, find_source


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
    Raises: MtnlpError E503 where there is no pipeline; E600 to E621 as their texts say; E154 for an
        option that the format or the engine has no use for; E002 where a library is missing.
        OSError for a missing input.
    """
    engine = find_engine(options.engine)
    engine.check(options)
    _check_options(options)
    source = find_source(input, options.fields, options.kind)
    check_output(output, input)
    with locked(output):
        remove_drafts(output)
        nlp, plan, manifest = _prepare(model, source, output, options)
        total = sum(source.counts)
        if not total:
            raise DataError(Errors.E613, input)
        done = plan.layout.done()
        missing = missing_shards(total, options.shard_size, done)
        before = sum_counts(done.values())
        report = _Report(total, before, show)
        run = Run(model, nlp, source, missing, plan, manifest, options, report)
        del nlp  # the engine may let go of it
        start = perf_counter()
        if missing:
            try:
                engine.run(run)
            finally:
                remove_drafts(output)  # of processes that were killed
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
) -> Tuple[Language, ShardPlan, Manifest]:
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
    return nlp, plan, manifest


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

"""One shard: records in; documents, errors and counts out. It knows of no process and no order of
shards, so that any engine can call it."""

import json
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import Callable, Dict, Generator, Iterable, Iterator, List, Optional, TextIO

from spacy.language import Language

from ..errors import Errors, MtnlpError
from ..files import fresh_files, write_json
from .counts import Counts
from .entries import Document, Entry, Fault
from .layout import Layout
from .options import CHUNK_BATCHES, CHUNK_CHARACTERS
from .predict import Failure, Result, annotate_chunk
from .shards import FORMATS, Columns, ShardWriter

# Told what a batch has added.
OnCounts = Callable[[Counts], None]
# Yields what each batch has added, without seconds, and returns the counts of all.
Steps = Generator[Counts, None, Counts]


@dataclass(frozen=True)
class ShardPlan:
    """How shards are written; the same for all of an output.

    folder: of the output. to: a name of `FORMATS`. columns: of a row. batch_size: documents that
    the pipeline gets at once.
    """

    folder: Path
    to: str
    columns: Columns
    batch_size: int

    @property
    def layout(self) -> Layout:
        """Where its files are."""
        return Layout(self.folder, FORMATS[self.to].suffix)

    def absolute(self) -> "ShardPlan":
        """The same for processes that work in another folder."""
        return replace(self, folder=self.folder.absolute())


def annotate_shard(
    nlp: Language,
    entries: Iterable[Entry],
    number: int,
    plan: ShardPlan,
    on_counts: Optional[OnCounts] = None,
) -> Counts:
    """Annotate the records of a shard and write it whole or not at all, with errors and counts.

    entries: read one by one; no more than a chunk of them is in memory, and what the format needs
        to write (a DocBin: the shard). on_counts: told what each batch adds, without seconds.
    Returns: its counts. Raises: MtnlpError E611 where it cannot be written; what is wrong with a
        document raises nothing.
    """
    steps = annotate_shard_stepwise(nlp, entries, number, plan)
    while True:
        try:
            new = next(steps)
        except StopIteration as end:
            return end.value
        if on_counts is not None:
            on_counts(new)


def annotate_shard_stepwise(
    nlp: Language, entries: Iterable[Entry], number: int, plan: ShardPlan
) -> Steps:
    """`annotate_shard`, batch by batch. Whoever does not go on to the end has no shard."""
    layout = plan.layout
    # In this order they take their places: where a shard is, the others are.
    targets = [layout.errors(number), layout.counts(number), layout.shard(number)]
    remaining = iter(entries)
    try:
        with fresh_files(targets) as (errors, counts_file, documents):
            writer = FORMATS[plan.to].open(documents, plan.columns)
            with errors.open("w", encoding="utf8") as stream:
                counts = yield from _write(nlp, remaining, writer, stream, plan)
            writer.close()
            write_json(counts_file, counts._asdict())
        if not counts.failed:
            # Missing where a process that was taken for dead wrote the same shard.
            layout.errors(number).unlink(missing_ok=True)
    except OSError as error:
        raise MtnlpError(Errors.E611.format(path=layout.shard(number), reason=error)) from error
    return counts


def _write(
    nlp: Language,
    entries: Iterator[Entry],
    writer: ShardWriter,
    errors: TextIO,
    plan: ShardPlan,
) -> Steps:
    total = Counts()
    start = perf_counter()
    for chunk in chunks(entries, CHUNK_BATCHES * plan.batch_size, CHUNK_CHARACTERS):
        total = total.plus((yield from _write_chunk(nlp, chunk, writer, errors, plan)))
    return total._replace(seconds=perf_counter() - start)


def _write_chunk(
    nlp: Language,
    chunk: List[Entry],
    writer: ShardWriter,
    errors: TextIO,
    plan: ShardPlan,
) -> Steps:
    faults = [entry for entry in chunk if isinstance(entry, Fault)]
    if faults:
        yield Counts(failed=len(faults))
    documents = [entry for entry in chunk if isinstance(entry, Document)]
    results: List[Result] = [Failure("")] * len(documents)
    # Nothing that is kept behind the zone refers to its Docs or their strings.
    with nlp.memory_zone():
        batches = annotate_chunk(nlp, documents, writer.encode, plan.batch_size)
        for indices, of_batch in batches:
            for index, result in zip(indices, of_batch, strict=True):
                results[index] = result
            yield _count(of_batch)
    found = iter(zip(documents, results, strict=True))
    parts = []
    for entry in chunk:
        if isinstance(entry, Document):
            document, outcome = next(found)
            if not isinstance(outcome, Failure):
                parts.append(outcome[0])
                continue
            entry = Fault(document.id, document.place, str(outcome))
        errors.write(json.dumps(_error_row(entry), ensure_ascii=False) + "\n")
    if parts:
        writer.write(parts)
    return _count(chain(results, (Failure(entry.error) for entry in faults)))


def _count(results: Iterable[Result]) -> Counts:
    documents = failed = words = 0
    for result in results:
        if isinstance(result, Failure):
            failed += 1
        else:
            documents += 1
            words += result[1]
    return Counts(documents, failed, words)


def _error_row(fault: Fault) -> Dict[str, Optional[str]]:
    return {"id": fault.id, "place": fault.place, "error": fault.error}


def chunks(entries: Iterator[Entry], size: int, characters: int) -> Iterator[List[Entry]]:
    """Records in chunks of at most `size`; a chunk ends, too, once its texts have so many
    characters."""
    chunk: List[Entry] = []
    length = 0
    for entry in entries:
        chunk.append(entry)
        length += len(entry.text) if isinstance(entry, Document) else 0
        if len(chunk) >= size or length >= characters:
            yield chunk
            chunk, length = [], 0
    if chunk:
        yield chunk

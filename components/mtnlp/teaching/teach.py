"""Teachers run once over a corpus, and what they believe is stored beside it."""

import tempfile
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from timeit import default_timer
from typing import Collection, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from spacy.tokens import Doc
from spacy.util import minibatch
from spacy.vocab import Vocab

from ..data.corpus_settings import CorpusSettings
from ..data.docbin_stream import count_docs, find_shards, read_docs
from ..data.opinion_file import Head, Teacher
from ..data.options import Progress, quiet
from ..data.taught import opinion_path, word_fingerprint
from ..errors import Errors, MtnlpError
from ..files import fresh_files, remove_unfinished, scratch_folder
from ..gold.opinions import Opinion
from .opinion_writer import OpinionWriter
from .teachers import LoadedTeacher

BATCH_SIZE = 64
# Batches that are sorted by length together, which spares the encoder padding.
CHUNK = 16
# Of an estimate: documents of one file, files, and documents before the clock starts.
SAMPLE, FILES, WARM_UP = 64, 4, 8
# What is believed of one document: an opinion of each head; None where nobody was asked.
Believed = Optional[List[Optional[Opinion]]]


@dataclass(frozen=True)
class CorpusFile:
    """A .spacy file that is taught.

    target: where the opinions go. documents: how many of it have a token. asked: the places of
    those that are asked about; None: all of them.
    """

    source: Path
    target: Path
    documents: int
    asked: Optional[Collection[int]] = None

    @property
    def work(self) -> int:
        """How many documents are asked about."""
        return self.documents if self.asked is None else len(self.asked)


@dataclass(frozen=True)
class Estimate:
    """What a run will take. documents: that are asked about. bytes: of all files."""

    documents: int
    bytes: float
    seconds: float


@dataclass
class TaughtFile:
    """What was written. opinions: by component of the student, on how many documents."""

    target: Path
    documents: int
    bytes: int
    opinions: Dict[str, int] = field(default_factory=dict)


def find_files(
    corpus: Path, output: Path, asked: Optional[Mapping[Path, Collection[int]]] = None
) -> List[CorpusFile]:
    """The files of a corpus, and where the opinions on each will be: in `output` as the file is in
    the corpus.

    corpus: a .spacy file, or a folder of them. output: a folder; of a single file, it may be the
        target itself. asked: the documents to ask about, by file; files that are not named are
        left out. None asks about all.
    Raises: MtnlpError E190 and E191 where there is nothing to read, DataError for a broken file.
    """
    name = corpus.stem
    files = []
    for source in find_shards(CorpusSettings(name, corpus)):
        if asked is None or source in asked:
            own = None if asked is None else frozenset(asked[source])
            target = opinion_path(output, corpus, source)
            files.append(CorpusFile(source, target, count_docs(source), own))
    if not any(file.documents for file in files):
        raise MtnlpError(Errors.E191.format(name=name, path=corpus))
    return files


def require_free(files: Iterable[CorpusFile]) -> None:
    """Raises: MtnlpError E748 where a target is there already."""
    for file in files:
        if file.target.exists():
            raise MtnlpError(Errors.E748.format(path=file.target))


class Teaching:
    """Teachers, and the files they are asked about.

    batch_size: documents that a pipeline gets at once.
    """

    def __init__(
        self,
        teachers: Sequence[LoadedTeacher],
        files: Sequence[CorpusFile],
        batch_size: int = BATCH_SIZE,
    ):
        self.teachers = list(teachers)
        self.files = list(files)
        self.batch_size = batch_size
        self.described: List[Teacher] = [teacher.describe() for teacher in teachers]
        self.heads: List[Head] = [
            head for place, teacher in enumerate(teachers) for head in teacher.heads(place)
        ]

    def estimate(self) -> Estimate:
        """Ask about the first documents of some files, and count on to all."""
        sampled = [file for file in self.files if file.work][:: max(1, len(self.files) // FILES)]
        documents = sum(file.work for file in self.files)
        seconds = size = looked = 0.0
        for number, file in enumerate(sampled):
            docs = list(islice(read_asked(file), SAMPLE))
            if not number:
                self.ask(docs[:WARM_UP])
            begun = default_timer()
            believed = self.ask(docs)
            share = file.work / len(docs)
            seconds += share * (default_timer() - begun)
            size += share * self._size(docs, believed)
            looked += file.work
        scale = documents / looked if looked else 0.0
        return Estimate(documents, size * scale, seconds * scale)

    def run(self, progress: Progress = quiet) -> List[TaughtFile]:
        """Ask about all documents, and write all files. They appear together, or not at all.

        progress: wraps the stream of documents, file by file. Raises: MtnlpError E749 for opinions
        that cannot be stored, DataError for a broken file.
        """
        written = []
        for file in self.files:
            remove_unfinished(file.target)
        with fresh_files([file.target for file in self.files]) as drafts:
            for file, draft in zip(self.files, drafts, strict=True):
                written.append(self._write(file, draft, progress))
        return written

    def ask(self, docs: Sequence[Doc]) -> List[List[Optional[Opinion]]]:
        """What all heads believe of documents: for each, an opinion per head."""
        order = sorted(range(len(docs)), key=lambda place: len(docs[place]))
        found: Dict[int, List[Optional[Opinion]]] = {}
        for places in minibatch(order, self.batch_size):
            batch = [docs[place] for place in places]
            by_head = [head for teacher in self.teachers for head in teacher.ask(batch)]
            for place, *opinions in zip(places, *by_head, strict=True):
                found[place] = opinions
        return [found[place] for place in range(len(docs))]

    def _write(self, file: CorpusFile, draft: Path, progress: Progress) -> TaughtFile:
        docs = progress(read_docs(file.source, Vocab()), file.source.name, file.documents)
        with (
            scratch_folder(file.target) as scratch,
            OpinionWriter(scratch, self.described, self.heads) as writer,
        ):
            for doc, opinions in self._believed(docs, file.asked):
                writer.add(word_fingerprint(doc), len(doc), opinions)
            size = writer.write(draft)
        taught = TaughtFile(file.target, writer.documents, size)
        for head, rows in zip(self.heads, writer.rows, strict=True):
            # Of several teachers of one component, the one that knows most.
            most = max(rows, taught.opinions.get(head.component, 0))
            taught.opinions[head.component] = most
        return taught

    def _believed(
        self, docs: Iterable[Doc], asked: Optional[Collection[int]]
    ) -> Iterator[Tuple[Doc, Believed]]:
        """Documents in their order, with what is believed of them."""
        for chunk in minibatch(enumerate(docs), self.batch_size * CHUNK):
            wanted = [doc for index, doc in chunk if asked is None or index in asked]
            believed = iter(self.ask(wanted))
            for index, doc in chunk:
                yield doc, next(believed) if asked is None or index in asked else None

    def _size(self, docs: Sequence[Doc], believed: Sequence[Believed]) -> int:
        """The bytes of a file of these documents."""
        with (
            tempfile.TemporaryDirectory() as folder,
            OpinionWriter(Path(folder), self.described, self.heads) as writer,
        ):
            for doc, opinions in zip(docs, believed, strict=True):
                writer.add(word_fingerprint(doc), len(doc), opinions)
            return writer.write(Path(folder, "sample"))


def read_asked(file: CorpusFile) -> Iterator[Doc]:
    """The documents of a file that are asked about."""
    for index, doc in enumerate(read_docs(file.source, Vocab())):
        if file.asked is None or index in file.asked:
            yield doc

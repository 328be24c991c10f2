"""The documents of one corpus in a mix: kept in memory, or streamed from shards."""

from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from spacy.tokens import Doc, DocBin
from spacy.training.corpus import FILE_TYPE, walk_corpus
from spacy.vocab import Vocab

from ..errors import DataError, Errors, MtnlpError
from .corpus_settings import CorpusSettings
from .opinion_file import OpinionFile, fingerprint
from .sampling import seeded, shuffle_in_buffer, split_rounds
from .taught import open_opinions, require_asked, set_taught


class LoadedCorpus:
    """All documents of one corpus that its limit leaves, their layers mapped, each with what
    teachers believe of it. The others are never made.

    opinions: the files of what teachers believe.
    Raises: MtnlpError for a missing, empty or wrongly mapped corpus, DataError for a broken file,
        and for one of opinions that is not of these documents (E740 to E744).
    """

    opinions: List[OpinionFile]

    def __init__(self, settings: CorpusSettings, vocab: Vocab, seed: int, shuffle: bool):
        self.settings = settings
        self.seed = seed
        self.shuffle = shuffle
        self.docs: List[Doc] = []
        self.opinions = []
        everything: Dict[Path, Optional[List[int]]] = dict.fromkeys(find_shards(settings))
        limited = used_documents(settings, seed, stream=False) if settings.limit else None
        for path, places in (limited or everything).items():
            self.docs += self._read(path, vocab, places)
        if not self.docs:
            raise MtnlpError(Errors.E191.format(name=settings.name, path=settings.path))
        others = (doc for path in everything for doc in read_docs(path, vocab))
        settings.check_layers(chain(self.docs, others if limited else ()))
        self.docs = [settings.prepare(doc) for doc in self.docs]

    def _read(self, path: Path, vocab: Vocab, places: Optional[List[int]]) -> List[Doc]:
        """The documents of a file that stand at these places; None for all."""
        if self.settings.taught is None:
            return list(read_docs(path, vocab, places))
        file = open_shard(self.settings, path, read_fingerprints(path))
        chosen = range(len(file)) if places is None else places
        require_asked(self.settings.name, file, chosen)
        docs = list(read_docs(path, vocab, places))
        for doc, index in zip(docs, chosen, strict=True):
            set_taught(doc, file, index)
        self.opinions.append(file)
        return docs

    def __len__(self) -> int:
        return len(self.docs)

    def draw(self, count: int, epoch: int) -> Iterator[Doc]:
        """`count` documents of an epoch: whole rounds in order, then a random rest."""
        rounds, rest = divmod(count, len(self))
        drawn = seeded(self.seed, "weight", self.settings.name, epoch).sample(
            range(len(self)), rest
        )
        for index in list(range(len(self))) * rounds + sorted(drawn):
            yield self.docs[index]

    def take(self, start: int, stop: int) -> Iterator[Doc]:
        """The places `start` to `stop` of an endless sequence of rounds through the corpus, each
        shuffled anew."""
        for number, first, last in split_rounds(start, stop, len(self)):
            order = list(range(len(self)))
            if self.shuffle:
                seeded(self.seed, "round", self.settings.name, number).shuffle(order)
            for index in order[first:last]:
                yield self.docs[index]


@dataclass(frozen=True)
class Shard:
    """A .spacy file, how many of its documents, from the first one on, are used, and what teachers
    believe of them."""

    path: Path
    size: int
    opinions: Optional[OpinionFile] = None


class StreamedCorpus:
    """A corpus of which no more is in memory than one .spacy file, as arrays, and the Docs of a
    buffer.

    The files are opened one by one to count their documents, so that an epoch can be planned. With
    a limit they are counted in an order that follows from `seed`, up to the limit.

    buffer: how many documents are shuffled among themselves.
    Raises: as `LoadedCorpus`; but layers that collide, and overlapping spans that should become
        entities, are found as their documents are read.
    """

    def __init__(
        self, settings: CorpusSettings, vocab: Vocab, seed: int, shuffle: bool, buffer: int
    ):
        self.settings = settings
        self.vocab = vocab
        self.seed = seed
        self.shuffle = shuffle
        self.buffer = buffer
        self.shards = plan_shards(settings, seed)
        if not self.shards:
            raise MtnlpError(Errors.E191.format(name=settings.name, path=settings.path))
        self._size = sum(shard.size for shard in self.shards)
        settings.check_layers(
            doc for shard in self.shards for doc in self._read(shard, 0, shard.size)
        )

    def __len__(self) -> int:
        return self._size

    def draw(self, count: int, epoch: int) -> Iterator[Doc]:
        """`count` documents of an epoch, going on where the epoch before stopped."""
        return self.take(epoch * count, (epoch + 1) * count)

    def take(self, start: int, stop: int) -> Iterator[Doc]:
        """The places `start` to `stop` of an endless sequence of rounds through the corpus.

        In each round the shards come in another order. What is taken of a round goes through the
        buffer, which is emptied at the round's end: no document repeats before all were seen.
        """
        for number, first, last in split_rounds(start, stop, len(self)):
            docs = self._read_round(number, first, last)
            if self.shuffle:
                generator = seeded(self.seed, "buffer", self.settings.name, number, first)
                docs = shuffle_in_buffer(docs, self.buffer, generator)
            for doc in docs:
                yield self.settings.prepare(doc)

    def _read_round(self, number: int, first: int, last: int) -> Iterator[Doc]:
        shards = list(self.shards)
        if self.shuffle:
            seeded(self.seed, "shards", self.settings.name, number).shuffle(shards)
        # The places to read, counted from each shard's begin in turn.
        for shard in shards:
            yield from self._read(shard, max(0, first), min(last, shard.size))
            first, last = first - shard.size, last - shard.size

    def _read(self, shard: Shard, first: int, last: int) -> Iterator[Doc]:
        if first >= last:
            return
        count = 0
        for doc in islice(read_docs(shard.path, self.vocab), first, last):
            if shard.opinions is not None:
                set_taught(doc, shard.opinions, first + count)
            count += 1
            yield doc
        if count < last - first:
            found = first + count
            raise DataError(Errors.E161.format(found=found, expected=shard.size), shard.path)

    @property
    def opinions(self) -> List[OpinionFile]:
        """The files of what teachers believe."""
        return [shard.opinions for shard in self.shards if shard.opinions is not None]


def draw_limit(settings: CorpusSettings, seed: int, count: int) -> List[int]:
    """Which of a corpus' documents are used, in their order, where they are kept in memory."""
    order = list(range(count))
    if 0 < settings.limit < count:
        seeded(seed, "limit", settings.name).shuffle(order)
        order = sorted(order[: settings.limit])
    return order


def plan_shards(settings: CorpusSettings, seed: int) -> List[Shard]:
    """The files of a corpus that are used, in the order of their paths, where it is streamed.

    Raises: as `LoadedCorpus`.
    """
    paths = find_shards(settings)
    if settings.limit:
        seeded(seed, "limit", settings.name).shuffle(paths)
    shards: List[Shard] = []
    left = settings.limit
    for path in paths:
        size, opinions = _look_into(settings, path)
        used = min(size, left) if settings.limit else size
        if opinions is not None:
            require_asked(settings.name, opinions, range(used))
        shards.append(Shard(path, used, opinions))
        left -= size
        if settings.limit and left <= 0:
            break
    return sorted((shard for shard in shards if shard.size), key=lambda shard: shard.path)


def _look_into(settings: CorpusSettings, path: Path) -> Tuple[int, Optional[OpinionFile]]:
    """How many documents a file has, and the opinions on them."""
    if settings.taught is None:
        return count_docs(path), None
    found = read_fingerprints(path)
    return len(found), open_shard(settings, path, found)


def used_documents(settings: CorpusSettings, seed: int, stream: bool) -> Dict[Path, List[int]]:
    """The places of the documents that a limit leaves of a corpus, by file; the same ones as its
    reader takes. Those without a token are not counted. Raises: as `LoadedCorpus`."""
    if stream:
        return {shard.path: list(range(shard.size)) for shard in plan_shards(settings, seed)}
    found: Dict[Path, List[int]] = {}
    places = [(path, i) for path in find_shards(settings) for i in range(count_docs(path))]
    for index in draw_limit(settings, seed, len(places)):
        path, place = places[index]
        found.setdefault(path, []).append(place)
    return found


def find_shards(settings: CorpusSettings) -> List[Path]:
    """The .spacy files of a corpus, sorted. Raises: MtnlpError where nothing is at its path."""
    if not settings.path.exists():
        raise MtnlpError(Errors.E190.format(name=settings.name, path=settings.path))
    # Searched only if it is a folder: spaCy's walk would ignore a file with another ending.
    return (
        list(walk_corpus(settings.path, FILE_TYPE)) if settings.path.is_dir() else [settings.path]
    )


def read_docs(path: Path, vocab: Vocab, places: Optional[Sequence[int]] = None) -> Iterator[Doc]:
    """The documents of a file that have a token, made one by one. places: of those to make, among
    these; None for all. Raises: DataError."""
    with _named_errors(path):
        found = DocBin().from_disk(path)
        full = [i for i, tokens in enumerate(found.tokens) if len(tokens)]
        keep(found, full if places is None else [full[place] for place in places])
        yield from found.get_docs(vocab)


def keep(found: DocBin, places: Sequence[int]) -> None:
    """Leave the documents at some places of a DocBin, which are the only ones to be made then."""
    parts: List[List[Any]] = [
        found.tokens,
        found.spaces,
        found.cats,
        found.span_groups,
        found.flags,
        found.user_data,
    ]
    for part in parts:
        part[:] = [part[place] for place in places]


def count_docs(path: Path) -> int:
    """How many documents `read_docs` yields; none is made. Raises: DataError."""
    with _named_errors(path):
        return sum(1 for tokens in DocBin().from_disk(path).tokens if len(tokens))


def read_fingerprints(path: Path) -> List[int]:
    """Of the words of each document that `read_docs` yields; none is made. Raises: DataError."""
    with _named_errors(path):
        # The words' hashes are the first column.
        parts = DocBin().from_disk(path).tokens
        return [fingerprint(tokens[:, 0]) for tokens in parts if len(tokens)]


def open_shard(settings: CorpusSettings, path: Path, found: Sequence[int]) -> OpinionFile:
    """The opinions on a file of a corpus. found: its documents' fingerprints. Raises: DataError."""
    assert settings.taught is not None
    return open_opinions(settings.name, settings.taught, settings.path, path, found)


@contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(Errors.E100.format(reason=error.strerror), path) from None
    except MtnlpError:
        raise
    except ValueError as error:
        raise DataError(Errors.E140.format(reason=error), path) from None

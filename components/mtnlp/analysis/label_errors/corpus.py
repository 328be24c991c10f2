"""The corpus whose labels are checked: .spacy files, and what of them a fold holds."""

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Dict, Iterator, List, Sequence, Tuple

from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ...data.document_ids import document_of
from ...data.reading import corpus_files, open_docbin
from ...errors import Errors, MtnlpError
from ...types import Ints
from .folds import Fold, make_folds


@dataclass(frozen=True)
class Place:
    """Where a Doc stands: the name of its file, and its number there, from 0."""

    file: str
    number: int


class CheckedCorpus:
    """The Docs of one or several .spacy files, in order. They are kept as the files have them, and
    made into Docs when they are asked for.

    path: a file, or a folder of them. Raises: MtnlpError E150 for a folder without one, E721 for a
    corpus without a word, DataError for a file that cannot be read.
    """

    def __init__(self, path: Path) -> None:
        files = corpus_files(path) if path.is_dir() else [path]
        self.files: Dict[str, Path] = {file.name: file for file in files}
        self.bins = {name: open_docbin(file) for name, file in self.files.items()}
        self.places = [
            Place(name, number)
            for name, docbin in self.bins.items()
            for number, tokens in enumerate(docbin.tokens)
            if len(tokens)  # no reader yields a Doc without a word
        ]
        if not self.places:
            raise MtnlpError(Errors.E721.format(path=path))

    def __len__(self) -> int:
        return len(self.places)

    def docs(self, vocab: Vocab, indices: Sequence[int]) -> Iterator[Tuple[Place, Doc]]:
        """Some Docs, made anew, with their places. indices: of those with a word, ascending."""
        for name, numbers in self._by_file(indices).items():
            docs = pick(self.bins[name], numbers).get_docs(vocab)
            for number, doc in zip(numbers, docs, strict=True):
                yield Place(name, number), doc

    def folds(self, count: int, seed: int) -> List[Fold]:
        """Folds by document. Raises: MtnlpError E720; see `make_folds`."""
        docs = [doc for _, doc in self.docs(Vocab(), range(len(self)))]
        ids = [document_of(doc) for doc in docs]
        # Documents of two files may have the same name.
        several = len(self.files) > 1
        named = [
            f"{place.file}/{name}" if several and name is not None else name
            for place, name in zip(self.places, ids, strict=True)
        ]
        return make_folds(named, [len(doc) for doc in docs], count, seed)

    def write(self, folder: Path, indices: Ints) -> None:
        """Write some Docs as files of the same names. A file of which none is left is missing."""
        for name, numbers in self._by_file(indices.tolist()).items():
            pick(self.bins[name], numbers).to_disk(folder / name)

    def fingerprint(self) -> Dict[str, str]:
        """A digest of each file."""
        return {
            name: blake2b(path.read_bytes(), digest_size=16).hexdigest()
            for name, path in self.files.items()
        }

    def _by_file(self, indices: Sequence[int]) -> Dict[str, List[int]]:
        found: Dict[str, List[int]] = {}
        for index in indices:
            place = self.places[index]
            found.setdefault(place.file, []).append(place.number)
        return found


def pick(docbin: DocBin, numbers: Sequence[int]) -> DocBin:
    """A DocBin of some of another's Docs, as they are: none is made, and nothing of them is lost.
    It shares what it holds with the other."""
    has_data = any(item is not None for item in docbin.user_data)
    picked = DocBin(attrs=(), store_user_data=has_data)
    picked.attrs = docbin.attrs
    picked.strings = docbin.strings
    for name in ("tokens", "spaces", "flags", "cats", "span_groups", "user_data"):
        values = getattr(docbin, name)
        setattr(picked, name, [values[number] for number in numbers])
    return picked

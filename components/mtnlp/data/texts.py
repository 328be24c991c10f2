"""Plain texts, where no annotation matters: text files and the texts of .spacy corpora."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator, List, Sequence

from spacy.vocab import Vocab

from ..errors import DataError, Errors
from .docbin_stream import read_docs
from .formats.bad_input import decode, read_bytes
from .options import Progress, quiet

TEXT = ".txt"
DOCBIN = ".spacy"
# Characters of a text file that are handed out together: a file may be larger than memory allows
# to cut into wordpieces at once.
CHUNK = 100_000


@dataclass
class TextFiles:
    """Where texts are. paths: .txt and .spacy files. left_out: other files of the folders, by the
    end of their names."""

    paths: List[Path] = field(default_factory=list)
    left_out: Counter = field(default_factory=Counter)

    def read(self, what: str = "", progress: Progress = quiet) -> Iterator[str]:
        """A text per Doc of a corpus; a .txt file whole, or in pieces of whole lines where it is
        long.

        what: the texts are read for, beside the progress over the files.
        Raises: DataError for a file that cannot be read.
        """
        for path in progress(self.paths, what, len(self.paths)):
            if path.suffix == DOCBIN:
                yield from (doc.text for doc in read_docs(path, Vocab()))
            else:
                yield from split_lines(decode(read_bytes(path, may_be_empty=True), path))


def find_texts(paths: Sequence[Path]) -> TextFiles:
    """The files of texts at some paths: .txt files (those of brat, too), .spacy corpora, and
    folders, searched with all that is below.

    Raises: DataError E464 for a path where none is.
    """
    found = TextFiles()
    for path in paths:
        files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else []
        texts = [file for file in files or [path] if file.suffix in (TEXT, DOCBIN)]
        if not texts or not path.exists():
            raise DataError(Errors.E464, path)
        found.paths.extend(texts)
        found.left_out.update(file.suffix or file.name for file in files if file not in set(texts))
    return found


def split_lines(text: str, size: int = CHUNK) -> Iterator[str]:
    """A text in pieces of whole lines, each of `size` characters at least; none for no text."""
    lines: List[str] = []
    length = 0
    for line in text.splitlines(keepends=True):
        lines.append(line)
        length += len(line)
        if length >= size:
            yield "".join(lines)
            lines, length = [], 0
    if lines:
        yield "".join(lines)

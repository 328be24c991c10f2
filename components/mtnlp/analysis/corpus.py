"""The files that an analysis reads: those it scores, and those of train."""

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Optional, Sequence

from spacy.tokens import Doc

from ..data.options import SPLITS
from ..data.reading import corpus_files
from ..data.statistics import corpora
from ..errors import Errors, MtnlpError
from ..evaluation.summary import find_split

TRAIN, TEST = "train", "test"
SUFFIX = ".spacy"


@dataclass(frozen=True)
class Files:
    """What is read.

    path: as it was given. split: the name of the part that is scored. scored: its files. train: the
    files of train, none where there is no such part. splits: {name: {split: path}} of all parts
    that are there.
    """

    path: Path
    split: str
    scored: List[Path]
    train: List[Path]
    splits: Dict[str, Dict[str, Path]]


def find_files(
    corpus: Path,
    names: Optional[Sequence[str]] = None,
    split: Optional[str] = None,
    train: Optional[Path] = None,
) -> Files:
    """The files of a corpus.

    corpus: a folder of `train`, `dev` and `test`, each with `NAME.spacy`; or a folder of such
        files; or one of them. names: of the corpora, all by default. split: of the first form,
        "test" where it is there, else "dev" by default. train: a folder of files, or a file; by
        default `train` in the first form, and none in the others.
    Raises: MtnlpError E150 where a file that is asked for is missing, E520 where a folder has
        neither test nor dev, E701 where something given is not there.
    """
    for path in (corpus, train):
        if path is not None and not path.exists():
            raise MtnlpError(Errors.E701.format(path=path))
    is_split = corpus.is_dir() and not any(corpus.glob(f"*{SUFFIX}"))
    if is_split:
        split = split or find_split(corpus, names)
        scored = corpus_files(corpus / split, names)
        splits = corpora(corpus, [path.stem for path in scored])
        default = corpus / TRAIN
        train = default if train is None and default.is_dir() else train
    else:
        scored = list_files(corpus, names)
        split = split or (corpus.name if corpus.name in SPLITS else TEST)
        splits = {path.stem: {split: path} for path in scored}
    learnt = [] if train is None else _of_same_names(list_files(train), scored)
    # The part that is scored may be train itself.
    for path in learnt if split != TRAIN else ():
        others = {name: file for name, file in splits.get(path.stem, {}).items() if name != TRAIN}
        splits[path.stem] = {TRAIN: path, **others}
    return Files(corpus, split, scored, learnt, splits)


def list_files(path: Path, names: Optional[Sequence[str]] = None) -> List[Path]:
    """The .spacy files of a folder, or the file itself. Raises: MtnlpError E150."""
    return [path] if path.is_file() else corpus_files(path, names)


def _of_same_names(files: List[Path], scored: List[Path]) -> List[Path]:
    """Those files of train that belong to what is scored; all where no name is the same."""
    names = {path.stem for path in scored}
    return [path for path in files if path.stem in names] or files


def cut_chunks(docs: Iterable[Doc], size: int, words: int) -> Iterator[List[Doc]]:
    """Cut a stream of documents into chunks of so many documents and words at most; a longer
    document is a chunk of its own."""
    chunk: List[Doc] = []
    length = 0
    for doc in docs:
        if chunk and (len(chunk) == size or length + len(doc) > words):
            yield chunk
            chunk, length = [], 0
        chunk.append(doc)
        length += len(doc)
    if chunk:
        yield chunk

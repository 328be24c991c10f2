"""A corpus and what teachers believe of its documents: found, checked, and put on each document.

The setting `taught` of a corpus in `mtnlp.MixedCorpus.v1` names the file or folder that
`mtnlp teach` has written.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Iterator, List, Mapping, Optional, Sequence, Tuple

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from ..errors import DataError, Errors, MtnlpError
from ..gold.opinions import KEY, Opinion, set_opinions
from ..log import logger
from .document_ids import DOCUMENT
from .opinion_file import SUFFIX, Head, OpinionFile, fingerprint
from .reading import same_words

ENDING = ".spacy"


class TaughtDocument(Mapping[str, List[Opinion]]):
    """The opinions on one document, by the student's component, each read when it is asked for.

    It can be pickled: what travels is the file's path.
    """

    __slots__ = ("file", "index")

    def __init__(self, file: OpinionFile, index: int):
        self.file = file
        self.index = index

    def __getitem__(self, component: str) -> List[Opinion]:
        if component not in self.file.components:
            raise KeyError(component)
        return self.file.read(self.index, component)

    def __iter__(self) -> Iterator[str]:
        return iter(self.file.components)

    def __len__(self) -> int:
        return len(self.file.components)

    def __reduce__(self) -> Tuple[Any, ...]:
        return _reopen, (self.file.path, self.index)


@lru_cache(maxsize=64)
def _open(path: Path, size: int, modified: int) -> OpinionFile:
    return OpinionFile(path)


def _reopen(path: Path, index: int) -> TaughtDocument:
    status = path.stat()
    return TaughtDocument(_open(path, status.st_size, status.st_mtime_ns), index)


def opinion_path(taught: Path, corpus: Path, shard: Path) -> Path:
    """Where the opinions on a corpus file are.

    taught: a folder, in which files stand as the corpus' files do in theirs; or, of a corpus that
        is one file, the file itself. corpus: a .spacy file or a folder. shard: the file, in it.
    """
    if shard == corpus:
        return taught if taught.name.endswith(SUFFIX) else taught / opinion_name(Path(shard.name))
    return taught / opinion_name(shard.relative_to(corpus))


def opinion_name(shard: Path) -> Path:
    """`news/a.spacy` as `news/a.opinions.safetensors`."""
    return shard.with_name(shard.name.removesuffix(ENDING) + SUFFIX)


def open_opinions(
    name: str, taught: Path, corpus: Path, shard: Path, fingerprints: Sequence[int]
) -> OpinionFile:
    """Open the opinions on a corpus file, and check that they are.

    name: of the corpus, for messages. fingerprints: of the file's documents that have a token.
    Raises: DataError E740 where there are none, E741 where the file cannot be read, E742 where it
        is of other documents, E743 where the teacher has other labels now.
    """
    file = OpinionFile(opinion_path(taught, corpus, shard))
    difference = file.difference(fingerprints)
    if difference is not None:
        message = Errors.E742.format(name=name, corpus=shard, reason=difference)
        raise DataError(message, file.path)
    for head in file.heads:
        teacher = file.teachers[head.teacher]
        now = _labels_now(Path(teacher.path), head.source)
        if now is not None and set(now) != set(head.pipe_labels):
            raise DataError(
                Errors.E743.format(
                    source=head.source,
                    teacher=teacher.path,
                    found=", ".join(head.pipe_labels),
                    now=", ".join(now),
                ),
                file.path,
            )
    return file


def require_asked(name: str, file: OpinionFile, indices: Sequence[int]) -> None:
    """Raises: DataError E744 where the teachers were not asked about one of these documents, as
    happens where a file was made for a smaller `limit`."""
    asked = file.asked[np.asarray(indices, dtype=np.int64)]
    if not asked.all():
        missing = int(len(asked) - asked.sum())
        message = Errors.E744.format(name=name, missing=missing, used=len(asked))
        raise DataError(message, file.path)


def _labels_now(folder: Path, source: str) -> Optional[List[str]]:
    """The labels that a teacher's component has by now; None where nothing says so: the teacher
    has been moved, or is an installed pipeline."""
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf8"))
        return [str(label) for label in meta["labels"][source]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def set_taught(doc: Doc, file: OpinionFile, index: int) -> None:
    """Put the opinions on a document. index: its place among those that have a token."""
    set_opinions(doc, TaughtDocument(file, index))


def word_fingerprint(doc: Doc) -> int:
    """Of a Doc's words."""
    return fingerprint(doc.to_array("ORTH"))


def without_gold(doc: Doc) -> Doc:
    """A Doc of the same words and spaces, with the opinions on it and nothing else."""
    bare = same_words(doc.vocab, doc)
    for key in (KEY, DOCUMENT):
        if key in doc.user_data:
            bare.user_data[key] = doc.user_data[key]
    return bare


def check_student(nlp: Language, heads: Sequence[Head]) -> None:
    """Raises: MtnlpError E745 where no component of a pipeline learns from the heads of a corpus.

    A pipeline without components is no student. Heads for which there is no component are told in
    the log. What a component can learn of a head's labels, it says itself.
    """
    names = nlp.component_names
    wanted = list(dict.fromkeys(head.component for head in heads))
    if not names or not wanted:
        return
    if not set(wanted) & set(names):
        found, known = ", ".join(wanted), ", ".join(names)
        raise MtnlpError(Errors.E745.format(found=found, known=known))
    for name in wanted:
        if name not in names:
            logger.info("Opinions for '%s' are not used: the pipeline has no such component", name)

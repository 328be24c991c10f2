"""The files of an output: shards, what was set aside, counts, and which of them are there."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Tuple

from ..errors import Errors, MtnlpError
from ..files import TEMPORARY
from .counts import Counts
from .lock import LOCK

MANIFEST = "manifest.json"
_DOCUMENTS, _ERRORS, _COUNTS = "documents", "errors", "counts"


@dataclass(frozen=True)
class Layout:
    """Where the files of an output are. suffix: of its shards, such as `.parquet`.

    A shard is written together with its errors and counts, and takes its place last: where there is
    a shard, the other two are complete.
    """

    folder: Path
    suffix: str

    @property
    def manifest(self) -> Path:
        """What the output was made of."""
        return self.folder / MANIFEST

    def shard(self, number: int) -> Path:
        """The documents of a shard, in a folder that holds nothing else."""
        return self.folder / _DOCUMENTS / f"{number:06d}{self.suffix}"

    def errors(self, number: int) -> Path:
        """What was set aside of a shard, JSONL; there only where something was."""
        return self.folder / _ERRORS / f"{number:06d}.errors.jsonl"

    def counts(self, number: int) -> Path:
        """Numbers of documents, faults, words and seconds of a shard, JSON."""
        return self.folder / _COUNTS / f"{number:06d}.json"

    def done(self) -> Dict[int, Counts]:
        """The shards that are there, with their counts. One without readable counts is none."""
        found: Dict[int, Counts] = {}
        for path in sorted((self.folder / _DOCUMENTS).glob(f"*{self.suffix}")):
            if path.name.startswith(".") or not path.name.removesuffix(self.suffix).isdigit():
                continue
            number = int(path.name.removesuffix(self.suffix))
            counts = _read_counts(self.counts(number))
            if counts is not None:
                found[number] = counts
        return found


def _read_counts(path: Path) -> Optional[Counts]:
    try:
        return Counts(**json.loads(path.read_text(encoding="utf8")))
    except (OSError, ValueError, TypeError):
        return None


def check_output(folder: Path, source: Path) -> None:
    """Raises: MtnlpError E602 where the folder holds something else than an output, E609 where
    input and output lie within each other."""
    output, input = folder.resolve(), source.resolve()
    if output == input or output in input.parents or input in output.parents:
        raise MtnlpError(Errors.E609.format(output=folder, input=source))
    if not folder.exists():
        return
    if not folder.is_dir():
        raise MtnlpError(Errors.E602.format(path=folder))
    others = [path for path in folder.iterdir() if path.name != LOCK]
    is_draft = all(path.name.endswith(TEMPORARY) for path in others)
    if others and not is_draft and not (folder / MANIFEST).is_file():
        raise MtnlpError(Errors.E602.format(path=folder))


def remove_drafts(folder: Path) -> None:
    """Remove what killed processes left under temporary names. Only under the lock."""
    for part in (folder, folder / _DOCUMENTS, folder / _ERRORS, folder / _COUNTS):
        for draft in part.glob(f".*{TEMPORARY}"):
            draft.unlink(missing_ok=True)


def remove_results(folder: Path) -> None:
    """Remove an earlier output. Its manifest goes last: until then it is known for what it is."""
    for name in (_DOCUMENTS, _ERRORS, _COUNTS):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / MANIFEST).unlink(missing_ok=True)


def missing_shards(total: int, size: int, done: Dict[int, Counts]) -> List[int]:
    """The numbers of the shards that are not there. total: records of the input. size: records per
    shard."""
    return [number for number, _ in shard_sizes(total, size) if number not in done]


def shard_sizes(total: int, size: int) -> Iterator[Tuple[int, int]]:
    """Each shard's number, and how many records of the input belong to it."""
    for number, first in enumerate(range(0, total, size)):
        yield number, min(size, total - first)

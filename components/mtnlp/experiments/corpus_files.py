"""The files that the corpora of a config are read from."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Iterator, List

from thinc.api import Config

from ..data.opinion_file import SUFFIX
from .settings import has_test, with_test_as_dev


def content_hash(config: Config) -> str:
    """Of what the corpora of a config hold, those of `paths.test` included.

    Raises: MtnlpError (E426) where `paths.test` cannot stand in for `paths.dev`.
    """
    found = hashlib.sha256()
    for path in corpus_files(config):
        status = path.stat()
        digest = file_hash(path, status.st_size, status.st_mtime_ns)
        found.update(f"{path}\n{digest}\n".encode())
    return found.hexdigest()[:16]


def corpus_files(config: Config) -> List[Path]:
    """The files that `[corpora]` names, and below the folders that it names the `.spacy` files and
    those of teachers' opinions."""
    configs = [config, with_test_as_dev(config)] if has_test(config) else [config]
    found = set()
    for one in configs:
        for name in _texts(one.interpolate().get("corpora", {})):
            path = Path(name)
            if path.is_file():
                found.add(path)
            elif path.is_dir():
                found.update(path.rglob("*.spacy"))
                found.update(path.rglob(f"*{SUFFIX}"))
    return sorted(found)


@cache
def file_hash(path: Path, size: int, modified: int) -> str:
    """Of a file's content, which is read again only where the size or the time has changed."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _texts(value: Any) -> Iterator[str]:
    """All strings in a block."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str) and value:
        yield value

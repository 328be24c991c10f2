"""What a way of running the shards is given: one file in `engines/`, and its name in
`options.EngineName`."""

from dataclasses import dataclass
from importlib import import_module
from typing import Callable, Optional, Protocol, Sequence

from spacy.language import Language

from .counts import Counts
from .manifest import Manifest
from .options import AnnotateOptions, EngineName
from .shard_run import ShardPlan
from .sources import Source


class Report(Protocol):
    """Told what becomes of the shards, from this process alone."""

    def add(self, counts: Counts) -> None:
        """A batch is annotated."""

    def finish(self, counts: Counts) -> None:
        """A shard is written, whose batches were all added."""

    def lose(self, counts: Counts) -> None:
        """Batches that were added were lost with the process that had annotated them."""


@dataclass
class Run:
    """Shards that are to be made.

    model: the pipeline's name or folder. nlp: the same, loaded; an engine whose processes load
    their own sets it to None. missing: numbers of shards, at least one. manifest: of the output.
    """

    model: str
    nlp: Optional[Language]
    source: Source
    missing: Sequence[int]
    plan: ShardPlan
    manifest: Manifest
    options: AnnotateOptions
    report: Report


@dataclass(frozen=True)
class Engine:
    """A way of running shards.

    check: raises MtnlpError where a library is missing, or an option is not for this engine.
    run: returns when all shards of the run are written, by `shard_run`, and all its processes are
        gone; also after an error or Ctrl-C.
    """

    check: Callable[[AnnotateOptions], None]
    run: Callable[[Run], None]


def find_engine(name: str) -> Engine:
    """An engine. name: of `options.EngineName`."""
    engine: Engine = import_module(f".engines.{EngineName(name)}", __package__).ENGINE
    return engine

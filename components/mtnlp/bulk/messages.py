"""What the processes of a run say to each other."""

from typing import List, NamedTuple

from .counts import Counts
from .entries import Entry


class Job(NamedTuple):
    """A shard to be written."""

    number: int
    entries: List[Entry]

    def first_place(self) -> str:
        """Where its first record stands."""
        return next((entry.place for entry in self.entries), "")


class Ready(NamedTuple):
    """The pipeline is loaded."""


class Started(NamedTuple):
    """A batch of the shard is annotated; `counts` is what it adds."""

    counts: Counts


class Finished(NamedTuple):
    """The shard is written."""

    counts: Counts


class Broken(NamedTuple):
    """The worker cannot go on."""

    error: Exception

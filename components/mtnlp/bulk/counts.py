"""How many documents, words and faults: of a shard, of a run."""

from dataclasses import dataclass, field
from typing import Callable, Dict, NamedTuple, Sequence


class Counts(NamedTuple):
    """documents: written to the output. failed: set aside with an error. words: tokens of the
    documents. seconds: spent on them."""

    documents: int = 0
    failed: int = 0
    words: int = 0
    seconds: float = 0.0

    def plus(self, other: "Counts") -> "Counts":
        """The sums."""
        return Counts(
            self.documents + other.documents,
            self.failed + other.failed,
            self.words + other.words,
            self.seconds + other.seconds,
        )

    def minus(self, other: "Counts") -> "Counts":
        """The differences."""
        return self.plus(Counts(-other.documents, -other.failed, -other.words, -other.seconds))

    @property
    def records(self) -> int:
        """Documents and faults."""
        return self.documents + self.failed


class Progress(NamedTuple):
    """total: records of the input. skipped: those done by earlier runs. done: by this run."""

    total: int
    skipped: int
    done: Counts


# Told after every batch how far the run is.
Show = Callable[[Progress], None]


def show_nothing(progress: Progress) -> None:
    """The `Show` that shows nothing."""


@dataclass(frozen=True)
class Summary:
    """What a run did.

    done: by this run; its seconds are those on the clock, from the loaded pipeline on.
    before: what earlier runs had done. shards: of the whole output.
    left_out: files of the input's folder that were not read, by the end of their names.
    warnings: what is probably not meant so.
    """

    done: Counts
    before: Counts
    shards: int
    left_out: Dict[str, int] = field(default_factory=dict)
    warnings: Sequence[str] = ()

    @property
    def failed(self) -> int:
        """Faults in the whole output."""
        return self.done.failed + self.before.failed

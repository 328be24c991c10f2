"""The shards that are still to be handed out, and which of them kill whoever has them."""

from collections import Counter
from pathlib import Path
from typing import Callable, Generic, Iterable, Iterator, List, Optional, Protocol, TypeVar

from ..errors import Errors, MtnlpError
from .counts import Counts
from .engine import Report
from .messages import Broken, Finished, Ready, Started

# Deaths on one shard, or of workers that have not begun, before the run stops.
DEATHS = 2


class ShardJob(Protocol):
    """A shard that a worker can have."""

    @property
    def number(self) -> int:
        """Of the shard."""

    def first_place(self) -> str:
        """Where its first record stands."""


class Busy(Protocol):
    """A worker. added: what it has reported of its shard."""

    added: Counts


J = TypeVar("J", bound=ShardJob)


class Backlog(Generic[J]):
    """Hands out each shard once, and again where it was lost with its worker.

    jobs: taken one by one. path_of: a shard's number to its file, for messages.
    """

    def __init__(self, jobs: Iterable[J], path_of: Callable[[int], Path]):
        self.jobs: Iterator[J] = iter(jobs)
        self.path_of = path_of
        self.again: List[J] = []
        self.deaths: Counter = Counter()
        self.is_exhausted = False

    @property
    def is_empty(self) -> bool:
        """Whether all are handed out, as far as it has been asked for them."""
        return self.is_exhausted and not self.again

    def take(self) -> Optional[J]:
        """A shard that was lost, or the next one; None where all are handed out."""
        if self.again:
            return self.again.pop(0)
        job = next(self.jobs, None)
        self.is_exhausted = job is None
        return job

    def lose(self, job: Optional[J], cause: str) -> None:
        """A worker died. job: the shard that it had; None where it had not begun.

        Raises: MtnlpError E616 where two workers died on the shard, E617 where two died before
            they had one.
        """
        number = None if job is None else job.number
        self.deaths[number] += 1
        if self.deaths[number] >= DEATHS:
            if job is None:
                raise MtnlpError(Errors.E617.format(cause=cause))
            path, first = self.path_of(job.number), job.first_place()
            raise MtnlpError(Errors.E616.format(shard=path, first=first, cause=cause))
        if job is not None:
            self.again.append(job)

    def has_begun(self) -> None:
        """A worker has loaded the pipeline, so earlier deaths while loading were no rule."""
        self.deaths.pop(None, None)

    def take_up(self, message: object, worker: Busy, report: Report) -> bool:
        """What a worker says. Returns: whether it is free for its next shard. Raises: what the
        worker raised."""
        if isinstance(message, Broken):
            raise message.error
        if isinstance(message, Started):
            worker.added = worker.added.plus(message.counts)
            report.add(message.counts)
            return False
        if isinstance(message, Finished):
            report.finish(message.counts)
        else:
            assert isinstance(message, Ready)
            self.has_begun()
        return True

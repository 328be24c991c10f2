"""Several processes on this machine, each with the pipeline, each given whole shards."""

import os
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Dict, Iterable, Iterator, List, Optional, Protocol, Tuple

from ..errors import Errors, MtnlpError
from .counts import Counts
from .entries import Entry
from .messages import Broken, Finished, Job, Ready, Started
from .shard_run import ShardPlan
from .worker import work

# Deaths on one shard, or of workers that have not begun, before the run stops.
DEATHS = 2


class Report(Protocol):
    """Told what workers do."""

    def add(self, counts: Counts) -> None:
        """A batch is annotated."""

    def finish(self, counts: Counts) -> None:
        """A shard is written."""

    def lose(self, counts: Counts) -> None:
        """Batches were lost with their worker."""


@dataclass(frozen=True)
class WorkerSettings:
    """model: a pipeline's name or folder. gpu_id: -1 is the CPU. count: processes."""

    model: str
    gpu_id: int
    count: int

    @property
    def threads(self) -> int:
        """Threads of torch per process."""
        return max(1, cores() // self.count)


@dataclass
class Worker:
    """A process. job: the shard that it has, with its records, so that another can take it over.
    added: what it has reported of that shard."""

    process: BaseProcess
    connection: Connection
    job: Optional[Job] = None
    added: Counts = field(default_factory=Counts)


class Pool:
    """Hands shards to workers. No more of them is in memory than one per worker."""

    def __init__(
        self,
        parts: Iterable[Tuple[int, Iterable[Entry]]],
        plan: ShardPlan,
        settings: WorkerSettings,
        report: Report,
    ):
        self.parts: Iterator[Tuple[int, Iterable[Entry]]] = iter(parts)
        self.plan = plan
        self.settings = settings
        self.report = report
        self.workers: List[Worker] = []
        self.again: List[Job] = []
        self.deaths: Counter = Counter()
        self.is_exhausted = False

    def start(self) -> None:
        """One more worker. It is not a fork: torch's threads do not survive one."""
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        arguments = (theirs, self.settings.model, self.settings.gpu_id)
        process = context.Process(
            target=work, args=(*arguments, self.settings.threads, self.plan), daemon=True
        )
        process.start()
        # With our copy closed, the end of the process is the end of the connection.
        theirs.close()
        self.workers.append(Worker(process, ours))

    def run(self) -> None:
        """Until all shards are written."""
        for _ in range(self.settings.count):
            self.start()
        while not self.is_done():
            ready = wait([worker.connection for worker in self.workers])
            by_connection: Dict[object, Worker] = {w.connection: w for w in self.workers}
            for connection in ready:
                self.listen(by_connection[connection])

    def is_done(self) -> bool:
        """Whether nothing is left to hand out and nobody has a shard; some may still be loading."""
        has_jobs = any(worker.job is not None for worker in self.workers)
        return self.is_exhausted and not self.again and not has_jobs

    def listen(self, worker: Worker) -> None:
        """Take up what a worker says, or that it is no more."""
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            self.bury(worker)
            return
        if isinstance(message, Broken):
            raise message.error
        if isinstance(message, Started):
            worker.added = worker.added.plus(message.counts)
            self.report.add(message.counts)
            return
        if isinstance(message, Finished):
            self.report.finish(message.counts)
        assert isinstance(message, (Ready, Finished))
        self.hand_out(worker)

    def hand_out(self, worker: Worker) -> None:
        """Give a worker its next shard, or let it go."""
        worker.job, worker.added = self.next_job(), Counts()
        try:
            worker.connection.send(worker.job)
        except OSError:
            self.bury(worker)
            return
        if worker.job is None:
            self.workers.remove(worker)
            worker.process.join()

    def next_job(self) -> Optional[Job]:
        """A shard that was lost, or the next one; None where all are handed out."""
        if self.again:
            return self.again.pop(0)
        part = next(self.parts, None)
        self.is_exhausted = part is None
        return None if part is None else Job(part[0], list(part[1]))

    def bury(self, worker: Worker) -> None:
        """Take a dead worker's shard back and start another worker. Raises: MtnlpError E616 where
        two workers died on the shard, E617 where two died before they had one."""
        worker.process.join()
        self.workers.remove(worker)
        self.report.lose(worker.added)
        code = worker.process.exitcode
        number = None if worker.job is None else worker.job.number
        self.deaths[number] += 1
        if self.deaths[number] >= DEATHS:
            if worker.job is None or number is None:
                raise MtnlpError(Errors.E617.format(code=code))
            path = self.plan.layout.shard(number)
            first = next((entry.place for entry in worker.job.entries), "")
            raise MtnlpError(Errors.E616.format(shard=path, first=first, code=code))
        if worker.job is not None:
            self.again.append(worker.job)
        self.start()

    def stop(self) -> None:
        """End the workers that are left."""
        for worker in self.workers:
            worker.process.terminate()
        for worker in self.workers:
            worker.process.join()


def run_workers(
    parts: Iterable[Tuple[int, Iterable[Entry]]],
    plan: ShardPlan,
    settings: WorkerSettings,
    report: Report,
) -> None:
    """Annotate shards in several processes.

    parts: numbers of shards and their records, read as workers become free.
    Raises: MtnlpError E616, E617 as `Pool.bury`; what a worker raised.
    """
    pool = Pool(parts, plan, settings, report)
    try:
        pool.run()
    finally:
        pool.stop()


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

"""Several processes on this machine, each with the pipeline, each given whole shards."""

import os
from dataclasses import dataclass, field
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Dict, Iterable, List, Optional, Tuple, Union

from .backlog import Backlog
from .counts import Counts
from .engine import Report
from .entries import Entry
from .messages import Job
from .shard_run import ShardPlan
from .worker import work

if TYPE_CHECKING:  # one of them is not there on every platform
    from multiprocessing.context import ForkServerContext, SpawnContext


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
        jobs = (Job(number, list(entries)) for number, entries in parts)
        self.backlog: Backlog[Job] = Backlog(jobs, plan.layout.shard)
        self.plan = plan
        self.settings = settings
        self.report = report
        self.workers: List[Worker] = []

    def start(self) -> None:
        """One more worker. It is not a fork of this process: torch's threads do not survive one."""
        context = worker_context(self.settings.gpu_id)
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
        return self.backlog.is_empty and not has_jobs

    def listen(self, worker: Worker) -> None:
        """Take up what a worker says, or that it is no more."""
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            self.bury(worker)
            return
        if self.backlog.take_up(message, worker, self.report):
            self.hand_out(worker)

    def hand_out(self, worker: Worker) -> None:
        """Give a worker its next shard, or let it go."""
        worker.job, worker.added = self.backlog.take(), Counts()
        try:
            worker.connection.send(worker.job)
        except OSError:
            self.bury(worker)
            return
        if worker.job is None:
            self.workers.remove(worker)
            worker.process.join()

    def bury(self, worker: Worker) -> None:
        """Take a dead worker's shard back and start another worker. Raises: as `Backlog.lose`."""
        worker.process.join()
        self.workers.remove(worker)
        self.report.lose(worker.added)
        code = worker.process.exitcode
        self.backlog.lose(worker.job, f"exit code {code}, -9 is often a lack of memory")
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
    Raises: MtnlpError E616, E617 as `Backlog.lose`; what a worker raised.
    """
    pool = Pool(parts, plan, settings, report)
    try:
        pool.run()
    finally:
        pool.stop()


def worker_context(gpu_id: int) -> "Union[SpawnContext, ForkServerContext]":
    """How processes are started. On the CPU they are forks of a server that has imported what a
    worker needs and has computed nothing: the imports are most of a start, and are made once. A GPU
    is no use to a fork of a process that has looked for one, as imports do."""
    if gpu_id >= 0 or "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload([work.__module__])
    return context


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

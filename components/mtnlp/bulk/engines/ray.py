"""On a cluster of machines, by Ray: each worker is an actor with the pipeline, and gets shards.

Actors of Ray itself, not Ray Data's `map_batches`. All that crosses the network is the places of a
shard's records and its counts: workers read and write files that all machines share, so there is
nothing for Ray Data to move. What it lacks is worth more here. It runs a task that kills its
process again without end, or fails without saying which row it was; actors of our own tell which
shard each one had. It reports no progress within a task. And it costs more per shard: 5 ms instead
of 0.8 ms in Ray 2.60, each shard a block of its own.
"""

import logging
import os
import socket
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence

from ...errors import Errors, MtnlpError
from ...evaluation.evaluator import load_pipeline
from ..backlog import Backlog
from ..counts import Counts
from ..engine import Engine, Report, Run
from ..manifest import Manifest, differences
from ..messages import Broken, Finished, Ready, Started
from ..options import AnnotateOptions
from ..part import Part
from ..pipeline import describe_pipeline
from ..shape_caches import bound_shape_caches
from ..shard_run import ShardPlan, annotate_shard_stepwise
from ..worker import portable

# Seconds between two reports of a worker: hundreds of them report to one process.
_PAUSE = 0.5
# Seconds until a file that was written on one machine must be seen on another.
_PATIENCE = 30.0
# Characters of what Ray says about a death.
_CAUSE = 300
# Seconds until the cluster that RAY_ADDRESS names must answer. Ray itself tries for ten minutes.
_ANSWER = 10.0


class Setup(NamedTuple):
    """What a worker is told. has_gpu: whether Ray gives it one. pipeline: as the manifest
    describes it."""

    model: str
    has_gpu: bool
    plan: ShardPlan
    pipeline: Manifest


class Annotator:
    """A worker: a process of the cluster that holds the pipeline. It raises nothing; what is wrong
    is a message."""

    def load(self, setup: Setup) -> Any:
        """Returns: Ready, or Broken where the machine or its pipeline is not as it must be."""
        bound_shape_caches()
        self.plan = setup.plan
        try:
            _check_sight(setup.plan.layout.manifest)
            # Ray shows a worker only the GPU that it gives it.
            self.nlp = load_pipeline(setup.model, 0 if setup.has_gpu else -1)
            found = differences(setup.pipeline, describe_pipeline(self.nlp))
            if found:
                message = Errors.E619.format(
                    machine=socket.gethostname(), differences="; ".join(found)
                )
                raise MtnlpError(message)
        except Exception as error:
            return Broken(portable(error))
        return Ready()

    def annotate(self, part: Part) -> Iterator[Any]:
        """Yields: Started, again and again, then Finished; or Broken."""
        steps = annotate_shard_stepwise(self.nlp, part.read(), part.number, self.plan)
        added, last = Counts(), monotonic()
        while True:
            try:
                added = added.plus(next(steps))
            except StopIteration as end:
                yield Started(added)
                yield Finished(end.value)
                return
            except Exception as error:
                yield Broken(portable(error))
                return
            if monotonic() - last >= _PAUSE:
                yield Started(added)
                added, last = Counts(), monotonic()


def _check_sight(path: Path) -> None:
    """Raises: MtnlpError E618 where this machine does not see a file. Otherwise it would write its
    shards where nobody else sees them."""
    deadline = monotonic() + _PATIENCE
    while not path.is_file():
        if monotonic() > deadline:
            raise MtnlpError(Errors.E618.format(machine=socket.gethostname(), path=path))
        sleep(0.5)


@dataclass
class Worker:
    """An actor. pending: what it will say next, a reference or a generator of them. part: the shard
    that it has. added: what it has reported of that shard."""

    actor: Any
    pending: Any
    part: Optional[Part] = None
    added: Counts = field(default_factory=Counts)


class Pool:
    """Hands shards to actors. `ray`: the library. actor: the class as Ray's, with its resources."""

    def __init__(
        self, ray: Any, actor: Any, parts: Iterable[Part], setup: Setup, report: Report
    ) -> None:
        self.ray = ray
        self.actor = actor
        self.setup = setup
        self.report = report
        self.backlog: Backlog[Part] = Backlog(parts, setup.plan.layout.shard)
        self.workers: List[Worker] = []

    def start(self) -> None:
        """One more worker, as soon as a machine has room for it."""
        actor = self.actor.remote()
        self.workers.append(Worker(actor, actor.load.remote(self.setup)))

    def run(self, count: int) -> None:
        """Until all shards are written. count: of workers."""
        for _ in range(count):
            self.start()
        while not self.is_done():
            speaking: Dict[Any, Worker] = {worker.pending: worker for worker in self.workers}
            ready, _ = self.ray.wait(list(speaking))
            more, _ = self.ray.wait(list(speaking), num_returns=len(speaking), timeout=0)
            for pending in more or ready:
                self.listen(speaking[pending])

    def is_done(self) -> bool:
        """Whether nothing is left to hand out and nobody has a shard; some may still be loading."""
        return self.backlog.is_empty and all(worker.part is None for worker in self.workers)

    def listen(self, worker: Worker) -> None:
        """Take up what a worker says, or that it is no more."""
        is_one = worker.part is None
        try:
            message = self.ray.get(worker.pending if is_one else next(worker.pending))
        except self.ray.exceptions.RayError as error:
            self.bury(worker, error)
            return
        if self.backlog.take_up(message, worker, self.report):
            self.hand_out(worker)

    def hand_out(self, worker: Worker) -> None:
        """Give a worker its next shard, or let it go."""
        worker.part, worker.added = self.backlog.take(), Counts()
        if worker.part is None:
            self.end(worker)
        else:
            worker.pending = worker.actor.annotate.remote(worker.part)

    def bury(self, worker: Worker, error: Exception) -> None:
        """Take a dead worker's shard back and start another worker. Raises: as `Backlog.lose`."""
        self.end(worker)
        self.report.lose(worker.added)
        self.backlog.lose(worker.part, _shorten(error))
        self.start()

    def end(self, worker: Worker) -> None:
        """End a worker, also one that is only taken for dead."""
        self.workers.remove(worker)
        self.ray.kill(worker.actor)

    def stop(self) -> None:
        """End the workers that are left."""
        for worker in list(self.workers):
            self.end(worker)


def _shorten(error: Exception) -> str:
    """What Ray says about a death, from the reason on: before it stand ids of Ray's own."""
    text = " ".join(str(error).split())
    begin = max(text.find("The actor is dead because"), 0)
    return text[begin : begin + _CAUSE].rstrip() + "…"


def import_ray() -> Any:
    """The library. Raises: MtnlpError E002 where it is not installed."""
    # Ray reads it when it is imported.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
        import ray.exceptions
    except ModuleNotFoundError as error:
        raise MtnlpError(Errors.E002.format(library="ray", extra="ray")) from error
    return ray


@contextmanager
def joined(ray: Any) -> Iterator[None]:
    """In the cluster that RAY_ADDRESS names, or that this machine belongs to, or else in one that
    is started here and ends with the block. Where this process is in one, it stays there.

    Raises: MtnlpError E621 where that fails.
    """
    if ray.is_initialized():
        yield
        return
    try:
        _check_answer(os.environ.get("RAY_ADDRESS", ""))
        ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    except (RuntimeError, ValueError, OSError) as error:
        reason = " ".join(str(error).split())
        raise MtnlpError(Errors.E621.format(reason=reason)) from error
    try:
        yield
    finally:
        ray.shutdown()


def _check_answer(address: str) -> None:
    """Raises: OSError where nobody answers at HOST:PORT."""
    host, _, port = address.rpartition(":")
    if host and "/" not in host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), _ANSWER).close()


def make_room(
    machines: Sequence[Mapping[str, float]], options: AnnotateOptions, shards: int
) -> tuple[int, float]:
    """How many workers there are, and the processors of each.

    By default there is a worker per GPU or part of one that is asked for, or else one per
    processor; never more than there are shards. Each gets as many whole processors as all of them
    can have, or a part of one.

    machines: of each, what it has, by Ray's names.
    Raises: MtnlpError E620 where no machine has what is asked for.
    """
    gpus = options.gpus_per_worker
    room = sum(_room(machine, 1.0, gpus) for machine in machines)
    if not room:
        wanted = f"{gpus:g} GPUs and a processor" if gpus else "a processor"
        raise MtnlpError(Errors.E620.format(wanted=wanted))
    count = min(options.workers or room, shards)
    most = int(max(machine.get("CPU", 0.0) for machine in machines))
    shares = chain(range(most, 0, -1), (1 / parts for parts in range(2, count + 1)))
    fitting = (
        share
        for share in shares
        if sum(_room(machine, share, gpus) for machine in machines) >= count
    )
    return count, next(fitting, 1.0)


def _room(machine: Mapping[str, float], cpus: float, gpus: float) -> int:
    """How many workers a machine can have."""
    # A tenth of a GPU goes ten times into one, whatever the division of floats says.
    rooms = [machine.get("CPU", 0.0) / cpus + 1e-9]
    if gpus:
        rooms.append(machine.get("GPU", 0.0) / gpus + 1e-9)
    return int(min(rooms))


def _check(options: AnnotateOptions) -> None:
    if options.gpu_id >= 0:
        option, formats, found = "--gpu-id", "--engine local", "--engine ray"
        raise MtnlpError(Errors.E154.format(option=option, formats=formats, found=found))
    import_ray()


def _run(run: Run) -> None:
    ray = import_ray()
    run.nlp = None  # each worker has its own
    gpus = run.options.gpus_per_worker
    plan = run.plan.absolute()
    model = str(Path(run.model).absolute()) if Path(run.model).exists() else run.model
    setup = Setup(model, bool(gpus), plan, run.manifest["model"])
    size = run.options.shard_size
    parts = (run.source.part(number, size).absolute() for number in run.missing)
    with joined(ray):
        machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        count, cpus = make_room(machines, run.options, len(run.missing))
        actor = ray.remote(Annotator).options(num_cpus=cpus, num_gpus=gpus)
        pool = Pool(ray, actor, parts, setup, run.report)
        try:
            pool.run(count)
        finally:
            pool.stop()


ENGINE = Engine(_check, _run)

"""Stand-ins for a worker, which import no pipeline: they die, or break."""

import os
import signal
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from mtnlp.bulk.counts import Counts
from mtnlp.bulk.layout import Layout
from mtnlp.bulk.messages import Broken, Finished, Job, Ready, Started


class Plan(NamedTuple):
    """As much of a ShardPlan as the pool asks for."""

    layout: Layout


def die_on_first(connection: Connection, model: str, gpu_id: int, threads: int, plan: Any) -> None:
    """Shard 0 kills every process that has it; the others have a word each."""
    connection.send(Ready())
    while (job := connection.recv()) is not None:
        connection.send(Started(counted(job)))
        if job.number == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        connection.send(Finished(counted(job)))


def die_at_once(*arguments: Any) -> None:
    os._exit(3)


def break_down(connection: Connection, *arguments: Any) -> None:
    connection.send(Ready())
    connection.recv()
    connection.send(Broken(FileNotFoundError(2, "No such file or directory", "gone")))


def counted(job: Job) -> Counts:
    return Counts(len(job.entries), 0, len(job.entries))

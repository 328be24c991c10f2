"""A process that annotates the shards it is given."""

import os
import pickle
import signal
import threading
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait

import torch

from ..errors import MtnlpError
from ..evaluation.evaluator import load_pipeline
from .messages import Broken, Finished, Ready, Started
from .shard_run import ShardPlan, annotate_shard


def work(connection: Connection, model: str, gpu_id: int, threads: int, plan: ShardPlan) -> None:
    """The life of a worker: it takes a `Job` after another until it gets None.

    threads: of torch; fewer where the environment allows fewer.
    """
    # Ctrl-C reaches all processes of a terminal; the parent ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_parent()
    torch.set_num_threads(min(threads, torch.get_num_threads()))
    try:
        nlp = load_pipeline(model, gpu_id)
        connection.send(Ready())
        while (job := connection.recv()) is not None:
            counts = annotate_shard(
                nlp, job.entries, job.number, plan, lambda new: connection.send(Started(new))
            )
            connection.send(Finished(counts))
    except (EOFError, BrokenPipeError):
        return
    except Exception as error:
        connection.send(Broken(portable(error)))


def _end_with_parent() -> None:
    """Die when the parent does, even by kill -9: a process that begins anew must not find writers
    of the old one."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def portable(error: Exception) -> Exception:
    """The error, or one that says the same and can cross to another process."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return MtnlpError(f"{type(error).__name__}: {error}")
    return error

"""What a forked process must know about torch."""

import os
from typing import Optional

import torch

# The process that built the first model, here or in a parent; None where none has been built.
_owner_pid: Optional[int] = None


def use_one_thread_if_forked() -> None:
    """Run torch on one thread from now on, if this process is a fork of one with a model.

    Called where models are built and run. A fork has none of its parent's threads, but inherits
    their bookkeeping: OpenMP waits for them for ever. `nlp.pipe` with n_process > 1 forks, and its
    processes share the cores anyway. torch's own DataLoader does the same in its workers. A fork
    that runs no model of mtnlp keeps its threads, and the parent always does.

    It happens once per process: `torch.set_num_threads` has the last word afterwards.
    """
    global _owner_pid
    current = os.getpid()
    if _owner_pid not in (None, current):
        torch.set_num_threads(1)
    _owner_pid = current

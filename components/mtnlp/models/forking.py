"""What a forked process must know about torch."""

import functools
import os

import torch


@functools.cache
def use_one_thread_in_forks() -> None:
    """From now on, processes forked from this one run torch on one thread.

    A fork has none of its parent's threads, but inherits their bookkeeping: OpenMP waits for them
    for ever. `nlp.pipe` with n_process > 1 forks, and its processes share the cores anyway.
    torch's own DataLoader does the same in its workers.
    """
    if hasattr(os, "register_at_fork"):  # Windows has no fork
        os.register_at_fork(after_in_child=functools.partial(torch.set_num_threads, 1))

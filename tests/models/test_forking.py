"""Processes forked from one that has used torch."""

import multiprocessing
from typing import Any

import pytest
import torch

from mtnlp.models.forking import use_one_thread_in_forks


def report(queue: Any) -> None:
    queue.put(torch.get_num_threads())


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="the platform has no fork"
)
def test_a_fork_runs_torch_on_one_thread() -> None:
    use_one_thread_in_forks()
    before = torch.get_num_threads()
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    torch.set_num_threads(2)
    try:
        process = context.Process(target=report, args=(queue,))
        process.start()
        assert queue.get(timeout=60) == 1
        process.join()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)

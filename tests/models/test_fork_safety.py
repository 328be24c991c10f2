"""Processes forked from one that has used torch."""

import multiprocessing
from typing import Any

import pytest
import torch

from mtnlp.models import fork_safety


def report(queue: Any, runs_model: bool) -> None:
    if runs_model:
        fork_safety.use_one_thread_if_forked()
    queue.put(torch.get_num_threads())


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="the platform has no fork"
)
@pytest.mark.parametrize(
    ("parent_has_model", "runs_model", "expected"),
    [(True, True, 1), (True, False, 2), (False, True, 2)],
)
def test_only_forks_that_run_their_parents_model_have_one_thread(
    parent_has_model: bool, runs_model: bool, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fork_safety, "_owner_pid", None)
    if parent_has_model:
        fork_safety.use_one_thread_if_forked()
    before = torch.get_num_threads()
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    torch.set_num_threads(2)
    try:
        process = context.Process(target=report, args=(queue, runs_model))
        process.start()
        assert queue.get(timeout=60) == expected
        process.join()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)

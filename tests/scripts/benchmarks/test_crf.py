"""The benchmark times what it says, for each number of threads."""

import pytest
import torch

from scripts.benchmarks.crf import CrfWorkload, crf_table, measure_crf


def test_all_operations_are_timed() -> None:
    pytest.importorskip("torchcrf")
    threads = torch.get_num_threads()
    workload = CrfWorkload(batch=3, length=6, labels=2, repeats=2)
    timings = measure_crf(workload, [1, 2])
    assert torch.get_num_threads() == threads
    assert [timing.threads for timing in timings] == [1] * 4 + [2] * 4
    compared = {timing.operation for timing in timings if timing.theirs is not None}
    assert compared == {"NLL and gradient", "decoding"}
    assert all(0 < timing.ours_least <= timing.ours for timing in timings)
    assert crf_table(timings, workload).row_count == len(timings)

"""Each shard is handed out once, and again where it was lost."""

from pathlib import Path
from typing import List, Optional

import pytest

from mtnlp.bulk.backlog import Backlog
from mtnlp.bulk.entries import Document
from mtnlp.bulk.messages import Job
from mtnlp.errors import MtnlpError


def make(count: int) -> "Backlog[Job]":
    jobs = (Job(number, [Document("a", f"in:{number}", "x")]) for number in range(count))
    return Backlog(jobs, lambda number: Path(f"{number:06d}.jsonl"))


def test_a_lost_shard_comes_first() -> None:
    backlog = make(3)
    first, second = backlog.take(), backlog.take()
    backlog.lose(first, "gone")
    taken: List[Optional[int]] = []
    while (job := backlog.take()) is not None:
        taken.append(job.number)
    assert taken == [0, 2] and backlog.is_empty
    backlog.lose(second, "gone")
    assert not backlog.is_empty and backlog.take() == second and backlog.is_empty
    with pytest.raises(MtnlpError, match=r"E616.*000001\.jsonl.*first document: in:1; gone"):
        backlog.lose(second, "gone")


def test_deaths_while_loading() -> None:
    """Two stop the run, unless another worker has loaded in between."""
    backlog = make(1)
    backlog.lose(None, "gone")
    backlog.has_begun()
    backlog.lose(None, "gone")
    with pytest.raises(MtnlpError, match=r"E617.*\(gone\)"):
        backlog.lose(None, "gone")

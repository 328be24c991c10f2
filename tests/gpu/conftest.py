"""Every test here computes on the GPU, and gives it back."""

from typing import Iterator

import pytest
from thinc.api import require_cpu, require_gpu


@pytest.fixture(autouse=True)
def on_gpu() -> Iterator[None]:
    require_gpu()
    try:
        yield
    finally:
        require_cpu()

"""The two policies for malformed input."""

import pytest

from mtnlp.data.formats.bad_input import BadInput


@pytest.fixture
def strict() -> BadInput:
    return BadInput()


@pytest.fixture
def lenient() -> BadInput:
    return BadInput(skip=True)

"""An empty pipeline, and the two policies for malformed input."""

import pytest
import spacy
from spacy.language import Language

from mtnlp.data.formats.bad_input import BadInput


@pytest.fixture
def nlp() -> Language:
    return spacy.blank("en")


@pytest.fixture
def strict() -> BadInput:
    return BadInput()


@pytest.fixture
def lenient() -> BadInput:
    return BadInput(skip=True)

"""Fixtures of the pipes' tests."""

import copy
from pathlib import Path

import pytest
from spacy.language import Language

from tests.pipes.cases import TASKS, initialized, mixed_examples, train
from tests.tiny import PIPES, make_nlp


@pytest.fixture(scope="session")
def trained_once(backbone: Path) -> Language:
    nlp = make_nlp(backbone, PIPES, {"textcat": {"tasks": TASKS}})
    train(initialized(nlp), mixed_examples(nlp), 45)
    return nlp


@pytest.fixture
def trained(trained_once: Language) -> Language:
    """A pipeline of all pipes that knows the mixed corpus by heart; a test may change it."""
    return copy.deepcopy(trained_once)


@pytest.fixture(scope="session")
def learning_once(backbone: Path) -> Language:
    nlp = make_nlp(backbone, PIPES, {"textcat": {"tasks": TASKS}})
    train(initialized(nlp), mixed_examples(nlp), 5)
    return nlp


@pytest.fixture
def learning(learning_once: Language) -> Language:
    """A pipeline of all pipes, each of which has still something to learn: the loss of what is
    known by heart can be 0.0. A test may change it."""
    return copy.deepcopy(learning_once)

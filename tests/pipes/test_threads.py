"""One pipeline in several threads at once, as behind a web server."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Iterator, List

import pytest
from spacy.language import Language
from spacy.tokens import Doc

from tests.pipes.cases import (
    assert_same_answers,
)

TEXTS = [
    "Anna Keller flew to Paris .",
    "Anna",
    "",
    "He died in Rome . " * 9,
    " ",
    "What a great film .",
    "I saw a red fox near Rome . " * 25,
    "The Bank of New York fell .",
] * 4
TOLERANCE = 1e-4


@pytest.fixture(autouse=True)
def short_turns() -> Iterator[None]:
    """Threads take turns within a pass of the network, not only between passes."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture(scope="module")
def nlp(trained_once: Language) -> Language:
    """All heads, each with dropout, as is the encoder."""
    encoder: Any = trained_once.get_pipe("transformer")
    assert encoder.model.transformer.config.hidden_dropout_prob > 0
    return trained_once


@pytest.fixture(scope="module")
def expected(nlp: Language) -> List[Doc]:
    return [nlp(text) for text in TEXTS]


def assert_all_same(found: List[Doc], expected: List[Doc]) -> None:
    for doc, other in zip(found, expected, strict=True):
        assert_same_answers(doc, other, TOLERANCE)


@pytest.mark.parametrize("workers", [2, 4, 8])
def test_calls(nlp: Language, expected: List[Doc], workers: int) -> None:
    with ThreadPoolExecutor(workers) as pool:
        assert_all_same(list(pool.map(nlp, TEXTS)), expected)


@pytest.mark.parametrize("workers", [2, 4, 8])
def test_pipes(nlp: Language, expected: List[Doc], workers: int) -> None:
    """Each thread with a stream of its own."""

    def run(batch_size: int) -> List[Doc]:
        return list(nlp.pipe(TEXTS, batch_size=batch_size))

    with ThreadPoolExecutor(workers) as pool:
        for docs in pool.map(run, range(3, 3 + workers)):
            assert_all_same(docs, expected)


def test_asyncio(nlp: Language, expected: List[Doc]) -> None:
    async def run() -> List[Doc]:
        return list(await asyncio.gather(*(asyncio.to_thread(nlp, text) for text in TEXTS)))

    assert_all_same(asyncio.run(run()), expected)

"""What a pipeline says of a text depends on that text alone: not on the batch it comes in, its
neighbours, their order or the thread."""

import copy
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, NamedTuple

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc

import mtnlp
from tests.pipes.cases import assert_same_answers, listed

TEXTS = [
    "Anna Keller flew to Paris .",
    "Anna",
    "",
    " \n ",
    "He died in Rome . " * 5,
    "What a great film .",
    "I saw a red fox near Rome , and Anna Keller saw it , too . " * 7,
    "The Bank of New York fell .",
    "Straße, naïve, 日本, 😀 and https://example.org/a?b=c",
    "A terrible film , truly awful . " * 3,
    "It quotes <pad> and [PAD] and [SEP] .",
]
TOLERANCE = 1e-4
THREADS = 4
# Without shrinking: a call takes long, and no smaller example says more.
QUICK: Any = {"derandomize": True, "phases": [Phase.generate]}
# What needs which library, beside torch itself.
ENGINES: Dict[str, Dict[str, Any]] = {
    "torch": {},
    "padding_free": {"padding_free": True},
    "onnxruntime": {"engine": "onnxruntime", "threads": 1},
    # With several threads the encoder is a batch ahead of the heads.
    "openvino": {"engine": "openvino", "threads": 2},
}
NEEDED = {"onnxruntime": ["onnx", "onnxruntime"], "openvino": ["openvino"]}


class Stream(NamedTuple):
    """What one caller asks for. batch_size: of `nlp.pipe`; 0 for calls of `nlp`."""

    texts: List[str]
    batch_size: int


@dataclass(repr=False)
class Served:
    """alone: what the pipeline says of each text by itself."""

    nlp: Language
    alone: Dict[str, Doc]

    def answers(self, stream: Stream) -> List[Doc]:
        if stream.batch_size == 0:
            return [self.nlp(text) for text in stream.texts]
        return list(self.nlp.pipe(stream.texts, batch_size=stream.batch_size))

    def check(self, docs: List[Doc]) -> None:
        for doc in docs:
            assert_same(doc, self.alone[doc.text])


streams = st.builds(
    Stream,
    st.lists(st.sampled_from(TEXTS), min_size=1, max_size=10),
    st.integers(0, 11),
)


@pytest.fixture(scope="module", params=ENGINES)
def served(request: Any, trained_once: Language) -> Served:
    for library in NEEDED.get(request.param, []):
        pytest.importorskip(library)
    config = copy.deepcopy(trained_once.config)
    # Windows are many and short, of one length or another.
    config["components"]["transformer"]["model"].update(window=24, **ENGINES[request.param])
    nlp = type(trained_once).from_config(config).from_bytes(trained_once.to_bytes())
    return Served(nlp, {text: nlp(text) for text in TEXTS})


@contextmanager
def short_turns() -> Iterator[None]:
    """Threads take turns within a pass of the network, not only between passes."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


def assert_same(one: Doc, other: Doc) -> None:
    """What pipes write, the encoder's states and what is made of them."""
    assert_same_answers(one, other, TOLERANCE)
    assert one.tensor.shape == other.tensor.shape
    np.testing.assert_allclose(one.tensor, other.tensor, atol=TOLERANCE)
    if one.ents and "ner" in one.spans:
        ours, theirs = (mtnlp.confidence(doc.ents[0], key="ner") for doc in (one, other))
        assert ours == pytest.approx(theirs, abs=TOLERANCE)
    states, others = one._.trf_data.model_output, other._.trf_data.model_output
    assert set(states) == set(others)
    for name in states:
        np.testing.assert_allclose(states[name], others[name], atol=TOLERANCE)


def test_there_is_something_to_compare(served: Served) -> None:
    doc = served.alone[TEXTS[0]]
    assert listed(doc.ents) and doc.cats and np.abs(doc.tensor).max() > 10 * TOLERANCE
    assert all(len(served.alone[text]._.trf_data.model_output) for text in TEXTS if text)
    assert len(served.alone[TEXTS[6]]._.trf_data.wordpieces.lengths) > 3


@settings(max_examples=8, **QUICK)
@given(order=st.permutations(TEXTS), batch_size=st.integers(1, len(TEXTS)))
def test_order(served: Served, order: List[str], batch_size: int) -> None:
    served.check(served.answers(Stream(order, batch_size)))


@settings(max_examples=10, **QUICK)
@given(stream=streams)
def test_neighbours(served: Served, stream: Stream) -> None:
    """Any texts, any number of times."""
    served.check(served.answers(stream))


@settings(max_examples=4, **QUICK)
@given(callers=st.lists(streams, min_size=THREADS, max_size=THREADS))
def test_threads(served: Served, callers: List[Stream]) -> None:
    with short_turns(), ThreadPoolExecutor(THREADS) as pool:
        for docs in pool.map(served.answers, callers):
            served.check(docs)

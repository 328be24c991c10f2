"""What stands for a batch until it is read."""

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, List

import numpy as np
import pytest
import torch
from spacy.tokens import Doc
from spacy.vocab import Vocab

from mtnlp.models.doc_data import TRF_DATA, DocLayout, EncodedBatch, EncodedDoc, make_batch
from mtnlp.models.pending import WORKER, PendingDoc, Worker, is_pending, pending_batch

VOCAB = Vocab()
WIDTH = 4


def make_docs() -> List[Doc]:
    return [Doc(VOCAB, words=words) for words in (["a", "b"], [], ["c"])]


def encode(docs: List[Doc]) -> EncodedBatch:
    """A wordpiece per token."""
    layouts = [
        DocLayout(
            index=i,
            ids=np.arange(len(doc)),
            strings=[token.text for token in doc],
            window_lengths=[len(doc)],
            wordpieces=np.arange(len(doc)),
            lengths=np.ones(len(doc), dtype=int),
        )
        for i, doc in enumerate(docs)
        if len(doc)
    ]
    states = torch.rand(sum(map(len, docs)), WIDTH)
    return make_batch(len(docs), [[doc[:]] for doc in docs if len(doc)], layouts, [states], ())


def test_it_becomes_what_has_been_encoded() -> None:
    docs = make_docs()
    made = encode(docs)
    batch = pending_batch(docs, lambda: made)
    one, empty, other = batch.doc_data
    assert type(one) is type(other) is PendingDoc
    assert empty.model_output == {}
    assert one.token_vectors is made.doc_data[0].token_vectors  # type: ignore[attr-defined]
    assert type(one) is EncodedDoc and one.__dict__.keys() == made.doc_data[0].__dict__.keys()
    np.testing.assert_array_equal(other.model_output.last_hidden_state[0].shape, (1, WIDTH))
    # The batch itself, as a callback of the transformer reads it.
    assert batch.model_output is made.model_output
    assert type(batch) is EncodedBatch and batch.doc_data[0] is one


def test_reading_waits() -> None:
    docs, ready = make_docs(), threading.Event()

    def run() -> EncodedBatch:
        assert ready.wait(30)
        return encode(docs)

    docs[0].user_data[TRF_DATA] = data = pending_batch(docs, run).doc_data[0]
    assert is_pending(docs[0]) and not is_pending(docs[2])
    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(lambda: data.align) for _ in range(4)]
        assert not any(reader.done() for reader in readers)
        ready.set()
        assert all(reader.result(30) is readers[0].result(30) for reader in readers)
    assert not is_pending(docs[0])


def test_an_error_is_raised_where_it_is_read() -> None:
    def run() -> EncodedBatch:
        raise ValueError("no memory")

    batch = pending_batch(make_docs(), run)
    for _ in range(2):
        with pytest.raises(ValueError, match="no memory"):
            _ = batch.doc_data[0].model_output
    # The next batch is not held up by it.
    docs = make_docs()
    assert len(pending_batch(docs, lambda: encode(docs)).doc_data[0].align.lengths) == 2


def test_a_pickle_holds_the_doc_alone() -> None:
    docs = make_docs()
    data: Any = pending_batch(docs, lambda: encode(docs)).doc_data[0]
    copied = pickle.loads(pickle.dumps(data))
    assert type(copied) is EncodedDoc and copied.shared is None
    np.testing.assert_array_equal(copied.token_vectors, data.token_vectors)


def test_batches_are_encoded_in_order() -> None:
    order: List[int] = []

    def run(number: int) -> EncodedBatch:
        order.append(number)
        return encode(make_docs())

    futures = [WORKER.submit(lambda i=i: run(i)) for i in range(20)]  # type: ignore[misc]
    assert all(future.result() for future in futures) and order == list(range(20))


def test_a_fork_has_a_thread_of_its_own() -> None:
    worker = Worker()
    docs = make_docs()
    worker.submit(lambda: encode(docs)).result()
    first = worker._pool
    worker._pid = -1  # as a fork finds it
    worker.submit(lambda: encode(docs)).result()
    assert worker._pool is not first

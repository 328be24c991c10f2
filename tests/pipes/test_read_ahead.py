"""The encoder is one batch ahead of the first component behind it, and no further."""

from typing import Iterator, List

import pytest
from spacy.tokens import Doc
from spacy.vocab import Vocab

from mtnlp.models.doc_data import TRF_DATA, EncodedBatch
from mtnlp.models.pending import pending_batch
from mtnlp.pipes.read_ahead import read_ahead
from tests.models.test_pending import encode

VOCAB = Vocab()
SIZE = 2


def encoded(count: int, events: List[str], pending: bool = True) -> Iterator[Doc]:
    """Docs as the transformer hands them on, in batches."""
    for begin in range(0, count, SIZE):
        docs = [Doc(VOCAB, words=[str(i)]) for i in range(begin, min(begin + SIZE, count))]
        events.append(f"encode {begin}")

        def run(docs: List[Doc] = docs) -> EncodedBatch:
            return encode(docs)

        datas = pending_batch(docs, run).doc_data if pending else encode(docs).doc_data
        for doc, data in zip(docs, datas, strict=True):
            doc.user_data[TRF_DATA] = data
        yield from docs


def head(stream: Iterator[Doc], name: str, events: List[str]) -> Iterator[Doc]:
    """A component that reads its batch's vectors."""
    batch: List[Doc] = []
    for doc in read_ahead(stream, SIZE):
        batch.append(doc)
        if len(batch) == SIZE:
            assert all(len(doc.user_data[TRF_DATA].align.lengths) for doc in batch)
            events.append(f"{name} {batch[0][0].text}")
            yield from batch
            batch = []
    yield from batch


def test_one_batch_ahead() -> None:
    events: List[str] = []
    docs = list(head(head(encoded(6, events), "first", events), "second", events))
    assert [doc[0].text for doc in docs] == list("012345")
    assert events == [
        "encode 0",
        "encode 2",
        *("first 0", "second 0"),
        "encode 4",
        *("first 2", "second 2", "first 4", "second 4"),
    ]


def test_nothing_is_held_where_nothing_is_encoded_meanwhile() -> None:
    events: List[str] = []
    list(head(encoded(4, events, pending=False), "first", events))
    assert events == ["encode 0", "first 0", "encode 2", "first 2"]


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_all_docs_come_in_order(count: int) -> None:
    found = [doc[0].text for doc in read_ahead(encoded(count, []), SIZE)]
    assert found == [str(i) for i in range(count)]

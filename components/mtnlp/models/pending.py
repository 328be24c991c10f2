"""Batches that the encoder is still at, while the components behind it work on the one before.

An engine computes outside of Python, on several threads; the heads are many small steps on one.
What `pending_batch` gives stands for a batch until somebody reads it, and waits then.
"""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import fields
from typing import Any, Callable, List, Optional, Tuple, cast

from spacy.tokens import Doc
from spacy_transformers.data_classes import TransformerData

from .doc_data import TRF_DATA, EncodedBatch, EncodedDoc


class Worker:
    """The one thread that encodes ahead. A fork, which has none of its parent's threads, makes its
    own."""

    def __init__(self) -> None:
        self._pool: Optional[ThreadPoolExecutor] = None
        self._pid = 0

    def submit(self, run: Callable[[], EncodedBatch]) -> "Future[EncodedBatch]":
        """Encode when the batches before it are done. run: knows the context of its caller, thinc's
        device among it."""
        if self._pool is None or self._pid != os.getpid():
            self._pool, self._pid = ThreadPoolExecutor(1, "mtnlp-encoder"), os.getpid()
        return self._pool.submit(copy_context().run, run)


WORKER = Worker()


class Arriving:
    """An attribute that is not there yet. Once it is, this one is hidden by it."""

    def __init__(self, name: str):
        self.name = name

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        if owner is None:
            raise AttributeError(self.name)
        owner.arrive()
        return getattr(owner, self.name)


class PendingDoc(EncodedDoc):
    """A Doc of a batch that is being encoded. It becomes an `EncodedDoc` when it is read: whatever
    went wrong in the encoder is raised then."""

    @classmethod
    def of(cls, batch: "Future[EncodedBatch]", index: int) -> "PendingDoc":
        """index: of the Doc in its batch."""
        made = cls.__new__(cls)
        made.__dict__["_source"] = batch, index
        return made

    def arrive(self) -> None:
        """Wait for it. Two threads may."""
        source: Optional[Tuple[Any, int]] = self.__dict__.get("_source")
        if source is None:
            return
        batch, index = source
        self.__dict__.update(batch.result().doc_data[index].__dict__)
        self.__class__ = EncodedDoc  # type: ignore[assignment]
        self.__dict__.pop("_source", None)

    def __reduce_ex__(self, protocol: Any) -> Any:
        self.arrive()
        return self.__reduce_ex__(protocol)


class PendingBatch(EncodedBatch):
    """A batch that is being encoded; as `PendingDoc`."""

    def arrive(self) -> None:
        """Wait for it."""
        source = self.__dict__.get("_source")
        if source is None:
            return
        # The Docs stay those that have been handed out.
        self.__dict__.update({**source.result().__dict__, "cached_doc_data": self.cached_doc_data})
        self.__class__ = EncodedBatch  # type: ignore[assignment]
        self.__dict__.pop("_source", None)


for pending in (PendingDoc, PendingBatch):
    for field in fields(pending):
        setattr(pending, field.name, Arriving(field.name))


def pending_batch(docs: List[Doc], run: Callable[[], EncodedBatch]) -> EncodedBatch:
    """What `run` gives for some Docs, which another thread calls. Those without tokens have their
    data at once."""
    future = WORKER.submit(run)
    made = PendingBatch.__new__(PendingBatch)
    made.__dict__["_source"] = future
    made.__dict__["cached_doc_data"] = [
        PendingDoc.of(future, i) if len(doc) else TransformerData.empty()
        for i, doc in enumerate(docs)
    ]
    return cast(EncodedBatch, made)


def is_pending(doc: Doc) -> bool:
    """Whether nobody has read yet what the encoder leaves on a Doc."""
    return isinstance(doc.user_data.get(TRF_DATA), PendingDoc)

"""Ask for the next batch before working on this one, where an encoder works in the meantime."""

from typing import Iterable, Iterator, List

from spacy.tokens import Doc
from spacy.util import minibatch

from ..models.pending import is_pending


def read_ahead(stream: Iterable[Doc], batch_size: int) -> Iterator[Doc]:
    """The Docs of a stream, each batch once the encoder has been given the next one.

    Only the first component behind the encoder waits for that: by the time others get a batch, its
    vectors have been read.
    """
    held: List[Doc] = []
    for batch in minibatch(stream, batch_size):
        docs = list(batch)
        yield from held
        held = []
        if any(map(is_pending, docs)):
            held = docs
        else:
            yield from docs
    yield from held

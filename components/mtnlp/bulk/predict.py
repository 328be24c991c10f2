"""A pipeline over documents, batch by batch; a document that it cannot take stops no other."""

from typing import Any, Callable, Iterable, Iterator, List, Sequence, Tuple, Union

from spacy.language import Language
from spacy.tokens import Doc

from .entries import Document

# Makes of a Doc what is kept of it.
Encode = Callable[[Doc, Document], Any]
# What was made of a document, and its number of words.
Part = Tuple[Any, int]


class Failure(str):
    """Why a document could not be annotated."""


Result = Union[Part, Failure]


def annotate_chunk(
    nlp: Language,
    documents: Sequence[Document],
    encode: Encode,
    batch_size: int,
) -> Iterator[Tuple[Sequence[int], Sequence[Result]]]:
    """Annotate documents in a memory zone of their own.

    Documents of like length share a batch, which spares the encoder padding. Where a batch fails,
    its documents are tried one by one.

    Yields: of every batch, which documents it has, and a result for each of them.
    """
    order = sorted(range(len(documents)), key=lambda index: len(documents[index].text))
    for begin in range(0, len(order), batch_size):
        indices = order[begin : begin + batch_size]
        yield indices, _annotate_batch(nlp, [documents[index] for index in indices], encode)


def _annotate_batch(nlp: Language, documents: Sequence[Document], encode: Encode) -> List[Result]:
    try:
        return list(_run(nlp, documents, encode))
    except Exception:
        if len(documents) == 1:
            return [_annotate_one(nlp, documents[0], encode)]
    return [_annotate_one(nlp, document, encode) for document in documents]


def _annotate_one(nlp: Language, document: Document, encode: Encode) -> Result:
    try:
        (result,) = _run(nlp, [document], encode)
        return result
    except Exception as error:
        # As text: the error itself would keep its Doc alive behind the memory zone.
        text = " ".join(str(error).split())
        return Failure(f"{type(error).__name__}: {text}")


def _run(nlp: Language, documents: Sequence[Document], encode: Encode) -> Iterator[Part]:
    docs: Iterable[Doc] = (_make_doc(nlp, document) for document in documents)
    annotated = nlp.pipe(docs, batch_size=len(documents))
    for doc, document in zip(annotated, documents, strict=True):
        yield encode(doc, document), len(doc)


def _make_doc(nlp: Language, document: Document) -> Doc:
    if document.words is not None:
        return Doc(nlp.vocab, words=document.words)
    return nlp.make_doc(document.text)

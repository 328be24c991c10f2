"""spaCy's vector hooks over `doc._.sentence_vector` and `doc.tensor`.

The hooks are functions of this module: a bound method would pickle its pipe with every Doc. spaCy
drops hooks when a Doc crosses a process or a DocBin; `restore_vectors` sets them again.
"""

from typing import Any, Optional, Union

import numpy as np
from spacy.tokens import Doc, Span

from ..errors import Errors
from ..log import logger
from .extensions import install_extension

Vector = Any

# Where spaCy keeps `doc._.sentence_vector`. It is read and written here directly, so that hooks
# are right where another library has registered that name for something else.
KEY: Any = ("._.", "sentence_vector", None, None)


def install_vectors() -> None:
    """Register `doc._.sentence_vector`; a warning E320 where another library has done so."""
    install_extension(Doc, "sentence_vector", instead="doc.vector")


def set_sentence_vector(doc: Doc, vector: Vector) -> None:
    """Set `doc._.sentence_vector`. vector: `[width]`."""
    doc.user_data[KEY] = vector


def get_sentence_vector(doc: Doc) -> Optional[Vector]:
    """`doc._.sentence_vector`, `[width]`; None where no component has set it."""
    return doc.user_data.get(KEY)


def set_vector_hooks(doc: Doc) -> None:
    """Let `doc.vector`, `span.vector` and `.similarity` use the sentence vector.

    There is no hook for `span.vector_norm`: where there is one, spaCy calls that for `span.vector`
    in its place, and its own norm is right.
    """
    doc.user_hooks["vector"] = doc_vector
    doc.user_hooks["has_vector"] = has_vector
    doc.user_hooks["vector_norm"] = vector_norm
    doc.user_hooks["similarity"] = similarity
    doc.user_span_hooks["vector"] = span_vector
    doc.user_span_hooks["has_vector"] = has_vector
    doc.user_span_hooks["similarity"] = similarity


def restore_vectors(doc: Doc) -> Doc:
    """Give a Doc of a DocBin its vectors back, or one of another process.

    spaCy stores neither hooks nor `doc.tensor` in a DocBin: without this, `doc.vector` of such a
    Doc has length 0, and similarities are 0.0, without a word from spaCy.

        doc_bin = DocBin(docs=nlp.pipe(texts), store_user_data=True)
        docs = [mtnlp.restore_vectors(doc) for doc in doc_bin.get_docs(nlp.vocab)]

    A Doc without `doc.tensor` then has its own vector, and no spans' vectors. A warning E321 is
    logged where it has no sentence vector, as in a DocBin without user data: it stays as it is.

    Returns: the same Doc.
    """
    install_vectors()
    if get_sentence_vector(doc) is None:
        logger.warning(Errors.E321)
    else:
        set_vector_hooks(doc)
    return doc


def doc_vector(doc: Doc) -> Vector:
    """`[width]`, the sentence vector.

    A Doc made of part of another by `span.as_doc()` has the hooks but no vector of its own: the
    span's then.
    """
    whole = get_sentence_vector(doc)
    made: Optional[Vector] = doc._vector  # type: ignore[attr-defined]  # set by span.as_doc
    if whole is not None or made is not None:
        return made if whole is None else whole
    if has_rows(doc):
        return doc.tensor.mean(0)
    return np.zeros(doc.vocab.vectors_length, dtype="float32")


def span_vector(span: Span) -> Vector:
    """`[width]`, the mean of the span's rows of `doc.tensor`; zeros where there is none, or where
    a split of tokens has left rows that belong to no token."""
    if not len(span) or not has_rows(span.doc):
        return np.zeros_like(doc_vector(span.doc))
    return span.doc.tensor[span.start : span.end].mean(0)


def has_rows(doc: Doc) -> bool:
    """Whether `doc.tensor` has a row for every token."""
    tensor = doc.tensor
    return tensor is not None and tensor.size > 0 and len(tensor) == len(doc)


def has_vector(part: Union[Doc, Span]) -> bool:
    return bool(vector_norm(part) > 0)


def vector_norm(part: Union[Doc, Span]) -> float:
    """The L2 norm."""
    vector: Vector = part.vector
    return float(np.linalg.norm(vector))


def similarity(one: Union[Doc, Span], other: Any) -> float:
    """The cosine of the two vectors, 0.0 where one of them is zero."""
    norms = vector_norm(one) * vector_norm(other)
    vector: Vector = one.vector
    return float(vector.dot(other.vector)) / norms if norms else 0.0

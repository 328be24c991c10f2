"""spaCy's vector hooks over `doc._.sentence_vector` and `doc.tensor`.

The hooks are functions of this module: a bound method would pickle its pipe with every Doc. spaCy
drops hooks when a Doc crosses a process or a DocBin; `restore_vectors` sets them again.
"""

from typing import Any, Union

import numpy
from spacy.tokens import Doc, Span

Vector = Any


def install_vectors() -> None:
    """Register `doc._.sentence_vector`."""
    if not Doc.has_extension("sentence_vector"):
        Doc.set_extension("sentence_vector", default=None)


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
    """Set the hooks on a Doc that came from a DocBin (made with `store_user_data=True`) or from
    another process. A Doc without `doc.tensor` then has its own vector, and no spans' vectors.

    RETURNS: the same Doc.
    """
    install_vectors()
    if doc._.sentence_vector is not None:
        set_vector_hooks(doc)
    return doc


def doc_vector(doc: Doc) -> Vector:
    """`[width]`, the sentence vector."""
    return doc._.sentence_vector


def span_vector(span: Span) -> Vector:
    """`[width]`, the mean of the span's rows of `doc.tensor`; zeros where there is none."""
    whole = span.doc._.sentence_vector
    tensor = span.doc.tensor
    if tensor is None or not tensor.size or not len(span):
        return numpy.zeros_like(whole)
    return tensor[span.start : span.end].mean(0)


def has_vector(part: Union[Doc, Span]) -> bool:
    return bool(vector_norm(part) > 0)


def vector_norm(part: Union[Doc, Span]) -> float:
    """The L2 norm."""
    vector: Vector = part.vector
    return float(numpy.linalg.norm(vector))


def similarity(one: Union[Doc, Span], other: Any) -> float:
    """The cosine of the two vectors, 0.0 where one of them is zero."""
    norms = vector_norm(one) * vector_norm(other)
    vector: Vector = one.vector
    return float(vector.dot(other.vector)) / norms if norms else 0.0

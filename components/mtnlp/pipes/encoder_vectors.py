"""What an encoder hands to a head: `List[Floats2d]`, tokens of each Doc, or Floats2d, Docs."""

from typing import Any, List

from spacy.tokens import Doc
from thinc.api import Model, get_array_module


def find_width(encoder: Model, docs: List[Doc]) -> int:
    """The width of what an encoder gives for a Doc."""
    vectors = encoder.predict(docs)
    return max(int(part.shape[-1]) for part in vectors)


def zeros_like(vectors: Any) -> Any:
    """Zeros in the shape of `List[Floats2d]` or Floats2d."""
    if isinstance(vectors, list):
        return [zeros_like(part) for part in vectors]
    return get_array_module(vectors).zeros_like(vectors)


def select(vectors: Any, doc_indices: List[int]) -> Any:
    """The vectors of some Docs, of `List[Floats2d]` or Floats2d."""
    if isinstance(vectors, list):
        return [vectors[i] for i in doc_indices]
    return vectors[doc_indices]

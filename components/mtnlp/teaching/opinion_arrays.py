"""Opinions as the arrays that a file keeps of them, checked."""

from typing import Any, Dict, Tuple

import numpy as np
from numpy.typing import NDArray

from ..data.opinion_file import ONE
from ..gold.opinions import CategoryOpinion, Opinion, SpanOpinion, TagOpinion

Array = NDArray[Any]
# By how much a probability may lie outside of 0 to 1, as sums of float32 do.
SLACK = 1e-4


def describe(opinion: Opinion) -> Tuple[Tuple[str, ...], Tuple[str, ...]]:
    """What all opinions of a head have in common: `labels` and `exclusive` of `Head`."""
    if isinstance(opinion, TagOpinion):
        return tuple(opinion.tags), ()
    if isinstance(opinion, SpanOpinion):
        return tuple(opinion.labels), ()
    if isinstance(opinion, CategoryOpinion):
        return tuple(opinion.keys), tuple(opinion.exclusive)
    return (), ()


def to_arrays(opinion: Opinion, tokens: int) -> Dict[str, Array]:
    """An opinion as arrays to append, by their names in the file.

    tokens: of the document. Raises: ValueError for what is not of its shape, for an index that is
    none and for a number that is not finite.
    """
    if isinstance(opinion, TagOpinion):
        return _tag_arrays(opinion, tokens)
    if isinstance(opinion, SpanOpinion):
        return _span_arrays(opinion, tokens)
    if isinstance(opinion, CategoryOpinion):
        logits = _finite(opinion.logits, np.float32, (len(opinion.keys),))
        return {"logits": logits[np.newaxis]}
    vector = np.asarray(opinion.vector)
    return {"vectors": _finite(vector, np.float16, (vector.size,))[np.newaxis]}


def _tag_arrays(opinion: TagOpinion, tokens: int) -> Dict[str, Array]:
    starts, index = np.asarray(opinion.starts), np.asarray(opinion.index)
    _require(starts.shape == (tokens + 1,), f"it is of {len(starts) - 1} words, not of {tokens}")
    counts = np.diff(starts)
    _require(starts[0] == 0 and starts[-1] == len(index), "its entries are not those of its words")
    _require(bool((counts >= 0).all()), "its entries are not in the order of the words")
    _check_index(index, len(opinion.tags))
    # What is rounded to nothing needs no room.
    stored = _shares(opinion.probabilities, len(index))
    kept = stored > 0
    counts = np.bincount(np.repeat(np.arange(tokens), counts)[kept], minlength=tokens)
    small = _small(len(opinion.tags))
    return {
        "counts": counts.astype(small),
        "index": index[kept].astype(small),
        "probabilities": stored[kept],
    }


def _span_arrays(opinion: SpanOpinion, tokens: int) -> Dict[str, Array]:
    spans = np.asarray(opinion.spans).reshape(-1, 3)
    stored = _shares(opinion.probabilities, len(spans))
    start, end = spans[:, 0], spans[:, 1]
    inside = bool(((start >= 0) & (start < end) & (end <= tokens)).all())
    _require(inside, f"a span lies outside of the {tokens} words")
    _check_index(spans[:, 2], len(opinion.labels))
    kept = stored > 0
    return {
        "spans": spans[kept, :2].astype(np.uint32),
        "labels": spans[kept, 2].astype(_small(len(opinion.labels))),
        "probabilities": stored[kept],
        "max_width": np.array([opinion.max_width], dtype=np.uint32),
    }


def _shares(probabilities: Array, count: int) -> Array:
    """Probabilities in steps of 1 / 65535."""
    found = np.asarray(probabilities, dtype=np.float64)
    _require(found.shape == (count,), f"it has {found.size} probabilities for {count} entries")
    # Not where one is NaN, either.
    _require(
        bool(((found >= -SLACK) & (found <= 1 + SLACK)).all()), "a probability is not in 0 to 1"
    )
    return np.rint(found.clip(0, 1) * ONE).astype(np.uint16)


def _finite(numbers: Array, dtype: Any, shape: Tuple[int, ...]) -> Array:
    found = np.asarray(numbers)
    _require(found.shape == shape, f"its shape is {list(found.shape)}, not {list(shape)}")
    with np.errstate(over="ignore"):
        stored = found.astype(dtype)
    _require(bool(np.isfinite(stored).all()), "a number is infinite, too large or NaN")
    return stored


def _check_index(index: Array, count: int) -> None:
    right = bool(((index >= 0) & (index < count)).all())
    _require(right, f"an entry is of none of the {count} labels")


def _small(count: int) -> Any:
    """The narrowest type for an index below `count`, and for a number of them."""
    return np.uint8 if count <= 255 else np.uint16


def _require(right: bool, reason: str) -> None:
    if not right:
        raise ValueError(reason)

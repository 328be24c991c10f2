"""A pooler's vectors of Docs, those of the sides of a pair each by itself."""

from typing import Any, Callable, List, NamedTuple, Sequence, Tuple

import torch
from spacy.tokens import Doc
from thinc.api import Model, get_array_module
from thinc.types import Floats2d

from ..annotation.pairs import has_sides, side_ranges
from ..models.poolers import token_vectors
from ..models.sides import join_gradients, split_sides


class Pooled(NamedTuple):
    """What a pooler makes of a batch. A row is a side: of most Docs there is one.

    source: what was pooled, by row. vectors: `[rows, width]`. counts: `[docs]` rows of each.
    """

    source: List[Any]
    vectors: Floats2d
    counts: List[int]


def pool_sides(pooler: Model, docs: List[Doc]) -> Pooled:
    """The vectors of the sides of Docs, whose encoder has run. pooler: see `models.poolers`."""
    source, counts = pooler.get_ref("source").predict(docs), [1] * len(docs)
    if has_sides(docs):
        source, counts = split_sides(source, docs)
    return Pooled(source, pooler.get_ref("pool").predict(source), counts)


def begin_pooling(
    pooler: Model, docs: List[Doc]
) -> Tuple[Floats2d, List[int], Callable[[Floats2d], Any]]:
    """The same in training: the vectors, the counts, and the way back through the encoder."""
    if not has_sides(docs):
        vectors, backprop_pooler = pooler.begin_update(docs)
        return vectors, [1] * len(docs), backprop_pooler
    source, backprop_source = pooler.get_ref("source").begin_update(docs)
    parts, counts = split_sides(source, docs)
    pooled, backprop_pool = pooler.get_ref("pool").begin_update(parts)

    def backprop(d_pooled: Floats2d) -> Any:
        return backprop_source(join_gradients(backprop_pool(d_pooled), source, docs, counts))

    return pooled, counts, backprop


def doc_means(vectors: torch.Tensor, counts: Sequence[int]) -> torch.Tensor:
    """`[docs, width]`: the mean of each Doc's rows, which is the row itself where there is one.

    vectors: `[rows, width]`.
    """
    if len(counts) == len(vectors):
        return vectors
    return torch.stack([part.mean(0) for part in vectors.split(list(counts))])


def rows_of_sides(pooler: Model, pooled: Pooled, docs: Sequence[Doc]) -> List[Floats2d]:
    """The rows of tokens, `[tokens, width]` by row of `pooled`, without those of separators."""
    rows = token_vectors(pooler, pooled.source)
    places = [place for own in ranges_of(docs, pooled.counts) for place in own]
    return [part[: stop - start] for part, (start, stop) in zip(rows, places, strict=True)]


def ranges_of(docs: Sequence[Doc], counts: Sequence[int]) -> List[List[Tuple[int, int]]]:
    """The tokens of each row, half-open, by Doc."""
    pairs = zip(docs, counts, strict=True)
    return [side_ranges(doc) if count > 1 else [(0, len(doc))] for doc, count in pairs]


def join_rows_of_sides(
    rows: Sequence[Any], docs: Sequence[Doc], counts: Sequence[int], vectors: Any
) -> List[Any]:
    """The rows of tokens by Doc. Separators get what is left to make their mean the Doc's vector,
    as for any other Doc.

    rows: `[tokens, width]` by side. vectors: `[docs, width]`.
    """
    sides = iter(rows)
    joined: List[Any] = []
    for doc, places, vector in zip(docs, ranges_of(docs, counts), vectors, strict=True):
        own = [next(sides) for _ in places]
        if len(own) == 1:
            joined.append(own[0])
            continue
        made = get_array_module(vector).zeros((len(doc), len(vector)), dtype="float32")
        for part, (start, stop) in zip(own, places, strict=True):
            made[start:stop] = part
        separators = sorted(set(range(len(doc))) - {i for place in places for i in range(*place)})
        made[separators] = (vector * len(doc) - made.sum(0)) / len(separators)
        joined.append(made)
    return joined

"""One vector per Doc: `mtnlp.TransformerPooler.v1` and `mtnlp.TokenPooler.v1`.

A Doc that holds nothing to read (no tokens, white space alone, characters without a wordpiece) has
the vector zero from either, and only such a Doc has: heads tell it by that.

In a config the block stands at `[components.X.model.tok2vec]`, like a token head's, because
`Language.replace_listeners` reads that name alone.
"""

from functools import partial
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union, cast

import numpy as np
import torch
from spacy.tokens import Doc
from spacy_transformers.data_classes import TransformerData
from thinc.api import Model, chain, torch2xp, xp2torch
from thinc.types import Floats2d

from ..errors import Errors, MtnlpError
from ..nn.pooling import Pooling, Segments
from ..ranges import COUNT, FINITE, require
from ..types import Ints
from .attention_query import add_gradient, add_query, read_query
from .doc_data import layer_name, whole_batch
from .listener import (
    connect,
    gradient_of,
    has_text,
    hidden_of,
    is_empty,
    require_text,
    states_of,
)
from .registered import POOLINGS, find_pooling
from .skip_empty import skip_blank
from .tensors import to_device, to_torch
from .wordpiece_rows import real_rows, wordpiece_rows

# A name or an object of `nn.pooling`: the config is validated before the blocks in it are resolved.
PoolingChoice = Union[str, Callable]


def build_transformer_pooler_v1(
    pooling: PoolingChoice = "mean",
    layers: Sequence[int] = (),
    grad_factor: float = 1.0,
    upstream: str = "*",
    transformer: Optional[Model] = None,
) -> Model[List[Doc], Floats2d]:
    """Pools the shared encoder's wordpieces over all windows of a Doc: List[Doc] → `[docs, width]`
    (twice as wide with "mean_max"), zeros for a Doc without any wordpiece but special ones, or of
    white space alone.

    pooling: "mean" over all wordpieces, special tokens included, as sentence-transformers does;
        "max" over the same; "mean_max" both side by side; "cls" the first wordpiece of each
        window, averaged over windows; "attention" a mean whose weights are learnt,
        over all windows at once; or the name or `@layers` block of another one (see `nn.pooling`).
    layers: pooled beside the last one, `[docs, (1 + layers) * width]`, of those that `layers` of
        `mtnlp.TransformerModel.v1` hands out. Where examples are few, lower layers know what the
        last one of an encoder trained for another task has forgotten (Tenney et al., 2019).
    grad_factor: λ, the weight of this component's gradient in the shared encoder.
    upstream: the name of the transformer component, "*" for any.
    transformer: the component's own encoder in place of the shared one; written by
        `replace_listeners`.

    Raises: MtnlpError E212 for an unknown pooling, E246 for what is none, E330 for settings out of
    range.
    """
    require("mtnlp.TransformerPooler.v1", FINITE, grad_factor=grad_factor)
    for layer in layers:
        require("mtnlp.TransformerPooler.v1", COUNT, layers=layer)
    source = connect(upstream, transformer)
    pool: Model = Model(
        "pool-wordpieces",
        pool_wordpieces,
        attrs={**pooling_attrs(pooling), "layers": list(layers), "grad_factor": grad_factor},
    )
    return pooler(source, pool, wordpiece_rows, partial(states_width, layers=layers))


def build_token_pooler_v1(
    tok2vec: Model[List[Doc], List[Floats2d]], pooling: PoolingChoice = "mean"
) -> Model[List[Doc], Floats2d]:
    """Pools the token vectors of any tok2vec, spaCy's CNN included: List[Doc] → `[docs, width]`,
    zeros for a Doc without tokens or of white space alone.

    tok2vec: `[tokens, width]` per Doc. pooling: "mean", "max", "mean_max" for both side by side,
        twice as wide, "cls" for the first token, "attention" for a mean whose weights
        are learnt, or the name or `@layers` block of another one (see `nn.pooling`).

    Raises: MtnlpError E212 for an unknown pooling, E246 for what is none.
    """
    pool: Model = Model("pool-tokens", pool_tokens, attrs=pooling_attrs(pooling))
    require_text(tok2vec)
    return pooler(skip_blank(tok2vec), pool, token_rows, rows_width)


def pooler(
    source: Model,
    pool: Model,
    rows: Callable[[List[Any]], List[Floats2d]],
    width_of: Callable[[List[Any]], int],
) -> Model:
    """source: List[Doc] → List[Any]; pool: List[Any] → `[docs, pooled width]`; rows: what the
    source gives → `[tokens, width]` per Doc, whose mean is the Doc's mean-pooled vector; width_of:
    the width of what is pooled, 0 where there is nothing."""
    if pool.attrs["pool"].query_shape(1) is not None:
        add_query(pool, width_of)
    model: Model = chain(source, pool)
    model.set_ref("source", source)
    model.set_ref("pool", pool)
    model.attrs["token_rows"] = rows
    return model


def token_vectors(pooler: Model, source: List[Any]) -> List[Floats2d]:
    """The vector of each token, as wide as the pooled ones: where pooling widens, each token is
    pooled by itself.

    pooler: of `pooler`. source: what its source gives. Returns: `[tokens, pooled width]` per Doc.
    """
    rows: List[Floats2d] = pooler.attrs["token_rows"](source)
    pool = pooler.get_ref("pool")
    pooling: Pooling = pool.attrs["pool"]
    return [row if pooling.pooled_width(1) == 1 else pool_alone(pool, row) for row in rows]


def pool_alone(pool: Model, rows: Floats2d) -> Floats2d:
    """`[positions, pooled width]`: each position pooled by itself. rows: `[positions, width]`."""
    vectors = xp2torch(rows)
    pooling: Pooling = pool.attrs["pool"]
    shape = pooling.query_shape(vectors.shape[1])
    query = None if shape is None else read_query(pool, shape, vectors)
    each = torch.arange(len(vectors), device=vectors.device)
    alone = Segments(vectors, each, len(vectors), torch.ones_like(each))
    with torch.no_grad():
        return cast(Floats2d, torch2xp(pooling(alone, query)))


def pooling_attrs(pooling: PoolingChoice) -> Dict[str, Any]:
    """What says how a layer pools: `pooling`, the name, is saved with the layer; `pool`, what the
    name stands for, is not. Raises: MtnlpError E212 and E246."""
    made = find_pooling(pooling)
    name = pooling if isinstance(pooling, str) else type(pooling).__name__
    if not isinstance(made, Pooling):
        names = ", ".join(POOLINGS)
        raise MtnlpError(Errors.E246.format(found=name, names=names))
    return {"pooling": name, "pool": made}


def pool_wordpieces(
    model: Model, datas: List[TransformerData], is_train: bool
) -> Tuple[Floats2d, Callable[[Floats2d], List[TransformerData]]]:
    non_empty = {i: data for i, data in enumerate(datas) if not is_empty(data)}
    indices = [i for i, data in enumerate(datas) if has_text(data)]
    full = [datas[i] for i in indices]
    layers = model.attrs["layers"]
    pool: Pooling = model.attrs["pool"]
    if not full:
        width = states_width(datas, layers)
        zeros = model.ops.alloc2f(len(datas), pool.pooled_width(width))
        return zeros, lambda d_pooled: [no_gradient(data) for data in non_empty.values()]
    pooled, backward = pool_parts(
        model, join_wordpieces(full, layers), indices, len(datas), is_train
    )

    def backprop(d_pooled: Floats2d) -> List[TransformerData]:
        d_parts = backward(xp2torch(d_pooled))
        gradients = {i: no_gradient(data) for i, data in non_empty.items() if not has_text(data)}
        for i, d_part in zip(indices, d_parts, strict=True):
            d_hidden = d_part.new_zeros((len(hidden_of(datas[i])), d_part.shape[1]))
            d_hidden[real_index(datas[i])] = d_part * model.attrs["grad_factor"]
            gradients[i] = gradient_of(datas[i], d_hidden, layers)
        return [gradients[i] for i in non_empty]

    return cast(Floats2d, torch2xp(pooled)), backprop


def pool_tokens(
    model: Model, vectors: List[Floats2d], is_train: bool
) -> Tuple[Floats2d, Callable[[Floats2d], List[Floats2d]]]:
    pool: Pooling = model.attrs["pool"]
    indices = [i for i, part in enumerate(vectors) if len(part)]
    parts = [to_torch(vectors[i]) for i in indices]
    if not parts:
        zeros = model.ops.alloc2f(len(vectors), pool.pooled_width(rows_width(vectors)))
        return zeros, lambda d_pooled: vectors
    sizes = np.array([len(part) for part in parts])
    joined = Joined(join_parts(parts), sizes, sizes)
    pooled, backward = pool_parts(model, joined, indices, len(vectors), is_train)

    def backprop(d_pooled: Floats2d) -> List[Floats2d]:
        d_vectors = [model.ops.alloc2f(*part.shape) for part in vectors]
        for i, d_part in zip(indices, backward(xp2torch(d_pooled)), strict=True):
            d_vectors[i] = cast(Floats2d, torch2xp(d_part))
        return d_vectors

    return cast(Floats2d, torch2xp(pooled)), backprop


class Joined(NamedTuple):
    """Positions of several Docs, one behind the other.

    vectors: `[positions, width]`. sizes: `[docs]` positions of each. windows: `[windows]` positions
    of each window.
    """

    vectors: torch.Tensor
    sizes: Ints
    windows: Ints


def join_wordpieces(datas: Sequence[TransformerData], layers: Sequence[int]) -> Joined:
    """The wordpieces of Docs with text, padding left out. layers: as for `states_of`."""
    shared = whole_batch(datas)
    names = ["last_hidden_state", *map(layer_name, layers)]
    if shared is not None and all(name in shared.states for name in names):
        states = [shared.states[name] for name in names]
        vectors = states[0].detach() if len(states) == 1 else torch.cat(states, dim=1)
        return Joined(vectors, shared.sizes, shared.windows)
    parts = [states_of(data, layers)[real_index(data)] for data in datas]
    windows = [window_lengths(data) for data in datas]
    sizes = np.array([len(part) for part in parts])
    return Joined(join_parts(parts), sizes, np.concatenate(windows))


def join_parts(parts: List[torch.Tensor]) -> torch.Tensor:
    """One behind the other. Of a single text not copied: of a long one the vectors are large."""
    return parts[0].detach() if len(parts) == 1 else torch.cat(parts)


def pool_parts(
    model: Model,
    joined: Joined,
    indices: List[int],
    count: int,
    is_train: bool,
) -> Tuple[torch.Tensor, Callable[[torch.Tensor], Tuple[torch.Tensor, ...]]]:
    """Pool all Docs of a batch in one operation.

    model: the layer, which says how.
    joined: the non-empty Docs. indices: each one's row in the result. count: rows of the result,
        zeros for empty Docs.
    Returns: `[count, width]` and the way back to the gradient of each part, which adds to that of
    the layer's query where it has one.
    """
    pool: Pooling = model.attrs["pool"]
    vectors = joined.vectors.requires_grad_(is_train)
    rows = np.repeat(indices, joined.sizes)
    segment, lengths = to_device([rows, joined.windows], vectors.device)
    learnt, query = [vectors], None
    shape = pool.query_shape(vectors.shape[1])
    with torch.set_grad_enabled(is_train):
        if shape is not None:
            query = read_query(model, shape, vectors).requires_grad_(is_train)
            learnt.append(query)
        pooled = pool(Segments(vectors, segment, count, lengths), query)

    def backward(d_pooled: torch.Tensor) -> Tuple[torch.Tensor, ...]:
        d_vectors, *d_query = torch.autograd.grad(pooled, learnt, d_pooled)
        for gradient in d_query:
            add_gradient(model, gradient)
        return d_vectors.split(joined.sizes.tolist())

    return pooled.detach(), backward


def no_gradient(data: TransformerData) -> TransformerData:
    """Zeros, for a Doc that was encoded and is not pooled."""
    return gradient_of(data, torch.zeros_like(hidden_of(data)))


def states_width(datas: Sequence[TransformerData], layers: Sequence[int] = ()) -> int:
    """The width of the states that `layers` asks for, 0 where no Doc has any."""
    filled = (data for data in datas if not is_empty(data))
    return max((states_of(data, layers).shape[1] for data in filled), default=0)


def rows_width(vectors: Sequence[Floats2d]) -> int:
    """The width of the token vectors, 0 without Docs."""
    return max((part.shape[1] for part in vectors), default=0)


def real_index(data: TransformerData) -> Union[slice, torch.Tensor]:
    """`real_rows` as an index of hidden states. Without padding it is a slice, which neither copies
    them nor waits for a GPU."""
    real = real_rows(data)
    if real.all():
        return slice(None)
    return torch.from_numpy(np.flatnonzero(real)).to(hidden_of(data).device)


def window_lengths(data: TransformerData) -> Any:
    """`[windows]` wordpieces of each window, padding not counted."""
    lengths = np.asarray(data.wordpieces.lengths)
    real = np.asarray(data.wordpieces.attention_mask) > 0
    return lengths if lengths.sum() == real.sum() else real.sum(1)


def token_rows(vectors: List[Floats2d]) -> List[Floats2d]:
    """The rows of a tok2vec as they are: their mean is the mean-pooled vector."""
    return vectors

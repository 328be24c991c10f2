"""Vectors of several tok2vec layers side by side: `mtnlp.ConcatTok2Vec.v1`.

thinc's own `concatenate` cannot take a listener: it joins the arrays of empty Docs, which have no
width, and adds up what the backward passes return, which is nothing for all listeners but the last.
"""

from typing import Any, Callable, Dict, List, Sequence, Tuple

import numpy as np
from spacy.pipeline.tok2vec import Tok2VecListener
from spacy.tokens import Doc
from spacy_transformers.layers import TransformerListener
from spacy_transformers.layers.transformer_model import TransformerModel
from thinc.api import Model, Optimizer
from thinc.types import Floats2d

from ..errors import Errors, MtnlpError
from .attention_query import has_query

NAME = "concat-tok2vec"


def build_concat_tok2vec_v1(parts: Dict[str, Any]) -> Model[List[Doc], List[Floats2d]]:
    """The vectors of some tok2vec layers side by side, `[tokens, sum of their widths]` per Doc.

    parts: a tok2vec block by name each, List[Doc] → `[tokens, width]` per Doc; at most one of them
        listens to a shared encoder. They stand in the order of their names, whatever the order of
        their blocks: the layers of a loaded pipeline have to meet their weights again.

    Raises: MtnlpError E240 for no parts, E241 for several listeners to one encoder, and at
    `initialize` E242 for a part that is no tok2vec.
    """
    # The config is validated before the blocks in it are resolved, hence Any.
    if not parts:
        raise MtnlpError(Errors.E240)
    names = sorted(parts)
    model: Model = Model(
        NAME,
        forward,
        init=init,
        dims={"nO": None},
        layers=[parts[name] for name in names],
        attrs={"parts": names},
    )
    for kind in (TransformerListener, Tok2VecListener):
        upstream = [node.upstream_name for node in model.walk() if isinstance(node, kind)]
        # The last listener's backward pass is everybody's, so it must not come before the others'.
        if len(upstream) > 1 and ("*" in upstream or len(set(upstream)) < len(upstream)):
            raise MtnlpError(Errors.E241.format(names=", ".join(upstream)))
    return model


def init(model: Model, X: Any = None, Y: Any = None) -> None:
    """Initialise the parts; the width is known from what they give for the Docs of X."""
    for layer in model.layers:
        layer.initialize(X=X, Y=Y)
    if X is None or not any(len(doc) for doc in X):
        return
    lengths = [len(doc) for doc in X]
    width = 0
    for name, layer in zip(model.attrs["parts"], model.layers, strict=True):
        vectors = layer.predict(X)
        if not isinstance(vectors, list) or [len(part) for part in vectors] != lengths:
            raise MtnlpError(Errors.E242.format(part=name))
        width += width_of(vectors)
    model.set_dim("nO", width, force=True)


def forward(
    model: Model, docs: List[Doc], is_train: bool
) -> Tuple[List[Floats2d], Callable[[List[Floats2d]], List[Doc]]]:
    outputs, callbacks = zip(*(layer(docs, is_train) for layer in model.layers), strict=True)
    widths = [width_of(vectors) for vectors in outputs]
    ends = np.cumsum(widths).tolist()
    xp = model.ops.xp
    # A listener's empty Docs have no width.
    rows = [[part for part in vectors if len(part)] for vectors in outputs]
    whole = model.ops.alloc2f(0, ends[-1])
    if rows[0]:
        whole = xp.hstack([xp.concatenate(parts) for parts in rows])
    joined = xp.split(whole, np.cumsum([len(doc) for doc in docs])[:-1].tolist())

    def backprop(d_vectors: List[Floats2d]) -> List[Doc]:
        for callback, width, end in zip(callbacks, widths, ends, strict=True):
            callback([model.ops.as_contig(part[:, end - width : end]) for part in d_vectors])
        return docs

    return joined, backprop


def width_of(vectors: Sequence[Floats2d]) -> int:
    """The width of `[tokens, width]` per Doc; a listener's empty Docs have none."""
    return max((part.shape[1] for part in vectors), default=0)


def finish_update(tok2vec: Model, sgd: Optimizer, for_heads: Optimizer) -> None:
    """Step on the gradients of a tok2vec.

    Parts of a concatenation begin at random, as heads do, and learn at the heads' rate; the one
    that has a pretrained encoder in it does not, and neither does anything outside one, but for
    the query of a pooler.

    tok2vec: any layer. sgd: the optimizer. for_heads: the same, stepping at the heads' rate.
    """
    if has_query(tok2vec):
        tok2vec.finish_update(for_heads)
        return
    if not any(node.name == NAME or has_query(node) for node in tok2vec.walk()):
        tok2vec.finish_update(sgd)
        return
    for layer in tok2vec.layers:
        is_fresh = tok2vec.name == NAME and not has_encoder(layer)
        finish_update(layer, for_heads if is_fresh else sgd, for_heads)


def has_encoder(layer: Model) -> bool:
    """Whether a pretrained encoder, not only a listener to one, is in the layer."""
    return any(isinstance(node, TransformerModel) for node in layer.walk())

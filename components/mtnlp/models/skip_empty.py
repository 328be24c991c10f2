"""A tok2vec layer of any origin, spared from batches of empty Docs."""

from typing import Any, Callable, List, Tuple

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d


def skip_empty(tok2vec: Model[List[Doc], List[Floats2d]]) -> Model[List[Doc], List[Floats2d]]:
    """The same layer, but not asked where no Doc of a batch has tokens.

    `spacy-transformers.TransformerListener.v1` has no answer there: it joins the vectors of the
    Docs that have any.

    tok2vec: `[tokens, width]` a Doc.
    """
    return Model("skip-empty", forward, init=init, layers=[tok2vec])


def init(model: Model, X: Any = None, Y: Any = None) -> None:
    model.layers[0].initialize(X=X, Y=Y)


def forward(
    model: Model, docs: List[Doc], is_train: bool
) -> Tuple[List[Floats2d], Callable[[List[Floats2d]], List[Doc]]]:
    if any(len(doc) for doc in docs):
        return model.layers[0](docs, is_train)
    return [model.ops.alloc2f(0, 0) for _ in docs], lambda d_vectors: docs

"""A tok2vec layer of any origin, spared from batches of empty Docs, or from blank Docs."""

from typing import Any, Callable, List, Tuple

from spacy.attrs import IS_SPACE
from spacy.tokens import Doc
from thinc.api import Model, get_array_module
from thinc.types import Floats2d


def skip_empty(tok2vec: Model[List[Doc], List[Floats2d]]) -> Model[List[Doc], List[Floats2d]]:
    """The same layer, but not asked where no Doc of a batch has tokens.

    `spacy-transformers.TransformerListener.v1` has no answer there: it joins the vectors of the
    Docs that have any.

    tok2vec: `[tokens, width]` per Doc.
    """
    return Model("skip-empty", forward, init=init, layers=[tok2vec])


def skip_blank(tok2vec: Model[List[Doc], List[Floats2d]]) -> Model[List[Doc], List[Floats2d]]:
    """As `skip_empty`; the vectors of a Doc of white space alone are zeros besides, without a
    gradient."""
    # Of the same name and layers, because pipelines were saved with that.
    return Model("skip-empty", forward_text, init=init, layers=[tok2vec])


def init(model: Model, X: Any = None, Y: Any = None) -> None:
    model.layers[0].initialize(X=X, Y=Y)


def forward(
    model: Model, docs: List[Doc], is_train: bool
) -> Tuple[List[Floats2d], Callable[[List[Floats2d]], List[Doc]]]:
    if any(len(doc) for doc in docs):
        return model.layers[0](docs, is_train)
    return [model.ops.alloc2f(0, 0) for _ in docs], lambda d_vectors: docs


def forward_text(
    model: Model, docs: List[Doc], is_train: bool
) -> Tuple[List[Floats2d], Callable[[List[Floats2d]], List[Doc]]]:
    vectors, backprop = forward(model, docs, is_train)
    blank = [bool(doc.to_array(IS_SPACE).all()) for doc in docs]

    def backprop_text(d_vectors: List[Floats2d]) -> List[Doc]:
        return backprop(zeros_where(blank, d_vectors))

    return zeros_where(blank, vectors), backprop_text


def zeros_where(blank: List[bool], vectors: List[Floats2d]) -> List[Floats2d]:
    """The same arrays, but zeros where `blank` says so."""
    pairs = zip(vectors, blank, strict=True)
    return [get_array_module(part).zeros_like(part) if zero else part for part, zero in pairs]

"""`mtnlp.DocClassifier.v1`: labels of a document from its pooled vector."""

from functools import partial
from typing import Any, List, Optional

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..nn.heads import Classifier
from .token_classifier import with_head
from .torch_head import Output, doc_head


def build_doc_classifier_v1(
    tok2vec: Model[List[Doc], Floats2d],
    hidden: Optional[int] = None,
    dropout: float = 0.1,
    loss_exclusive: Optional[Any] = None,
    loss_multilabel: Optional[Any] = None,
) -> Model[List[Doc], Output]:
    """Scores of all labels of all tasks over a pooler.

    tok2vec: a pooler, `[docs, width]`: `mtnlp.TransformerPooler.v1` or `mtnlp.TokenPooler.v1`.
    hidden: width of a hidden layer before the scores; none by default.
    dropout: on the document vectors, in training.
    loss_exclusive, loss_multilabel: `@losses` blocks; cross-entropy and binary cross-entropy by
        default. Every task trains a copy of its own.
    """
    build = partial(
        Classifier,
        hidden=hidden,
        dropout=dropout,
        loss_exclusive=loss_exclusive,
        loss_multilabel=loss_multilabel,
    )
    return with_head(tok2vec, doc_head(build))

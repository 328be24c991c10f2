"""`mtnlp.DocClassifier.v1`: labels of a document from its pooled vector."""

from functools import partial
from typing import Any, List, Literal, Optional, get_args

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..errors import Errors
from ..log import logger
from ..nn.classifier import Classifier
from ..ranges import DROPOUT, SIZE, require, require_choice
from .token_classifier import with_head
from .torch_head import Output, doc_head

NAME = "mtnlp.DocClassifier.v1"
LabelHeadsName = Literal["shared", "separate"]


def build_doc_classifier_v1(
    tok2vec: Model[List[Doc], Floats2d],
    hidden: Optional[int] = None,
    dropout: float = 0.1,
    loss_exclusive: Optional[Any] = None,
    loss_multilabel: Optional[Any] = None,
    label_heads: LabelHeadsName = "shared",
    label_correlation: bool = False,
    dependency: Optional[bool] = None,
) -> Model[List[Doc], Output]:
    """Scores of all labels of all tasks over a pooler.

    tok2vec: a pooler, `[docs, width]`: `mtnlp.TransformerPooler.v1` or `mtnlp.TokenPooler.v1`.
    hidden: width of a hidden layer before the scores; none by default.
    dropout: on the document vectors, in training.
    loss_exclusive, loss_multilabel: `@losses` blocks; cross-entropy and binary cross-entropy by
        default. Every task trains a copy of its own.
    label_heads: "shared", one hidden layer for all labels; "separate", one of that width for each
        label alone (`hidden` must be set then).
    label_correlation: whether a layer on top of the scores learns which labels of a multi-label
        task go together; it begins with how often they do in the training data.
    dependency: the earlier name of `label_correlation`, still read from older configs.
    Raises: MtnlpError E330 for settings out of range. Building the head raises E243 for separate
    heads without `hidden`, E244 for a label correlation where every task is exclusive.
    """
    require(NAME, SIZE, hidden=hidden)
    require(NAME, DROPOUT, dropout=dropout)
    require_choice(NAME, get_args(LabelHeadsName), label_heads=label_heads)
    if dependency and not label_correlation:
        logger.warning(
            Errors.W334.format(
                owner=NAME, earlier="dependency", name="label_correlation", value="true"
            )
        )
    build = partial(
        Classifier,
        hidden=hidden,
        dropout=dropout,
        loss_exclusive=loss_exclusive,
        loss_multilabel=loss_multilabel,
        separate=label_heads == "separate",
        label_correlation=label_correlation or bool(dependency),
    )
    return with_head(tok2vec, doc_head(build))

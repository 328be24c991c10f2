"""`mtnlp.SpanClassifier.v1`: nested entities from token vectors."""

from functools import partial
from typing import Callable, List, Optional, Tuple, Union

import numpy as np
import torch
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..nn.span_tagger import CHUNK_SIZE, SpanTagger
from ..ranges import DROPOUT, SIZE, require
from ..structured.span_decoding import Decoder
from .tensors import join_rows, to_device
from .token_classifier import token_encoder, with_head
from .torch_head import Output, module_for_prediction, token_head

NAME = "mtnlp.SpanClassifier.v1"


def build_span_classifier_v1(
    tok2vec: Model[List[Doc], List[Floats2d]],
    scorer: Optional[Callable] = None,
    max_width: int = 8,
    exclusive: bool = True,
    hidden: Optional[int] = None,
    dropout: float = 0.1,
    loss: Optional[Callable] = None,
    chunk_size: int = CHUNK_SIZE,
    shapes: bool = False,
) -> Model[List[Doc], Output]:
    """Scores of all spans up to a width, over any tok2vec layer.

    tok2vec: `[tokens, width]` per Doc.
    scorer: a `@layers` block, `mtnlp.BiaffineScorer.v1` (the default) or `mtnlp.MarkerScorer.v1`.
    max_width: words of the widest entity that can be found.
    exclusive: a span has at most one label (softmax); false: each label for itself (sigmoid).
    hidden: width of a hidden layer before the scorer; none by default.
    dropout: on the token vectors, in training.
    loss: a `@losses` block; cross-entropy by default, binary where not exclusive.
    chunk_size: tokens whose spans are scored at a time, which bounds the memory.
    shapes: read the words' shapes beside `tok2vec`, by `mtnlp.ShapeEmbedding.v1`: an uncased
        encoder cannot see capitals.

    Raises: MtnlpError E330 for settings out of range; building the head raises E232 for a max_width
    below 1.
    """
    require(NAME, SIZE, hidden=hidden, chunk_size=chunk_size)
    require(NAME, DROPOUT, dropout=dropout)
    build = partial(
        SpanTagger,
        scorer=scorer,
        max_width=max_width,
        exclusive=exclusive,
        hidden=hidden,
        dropout=dropout,
        loss=loss,  # type: ignore[arg-type]
        chunk_size=chunk_size,
    )
    return with_head(token_encoder(tok2vec, shapes), token_head(build))


@torch.no_grad()
def find_spans(
    head: Model,
    vectors: List[Floats2d],
    decoder: Union[str, Decoder],
    threshold: float,
    temperature: float = 1.0,
    taken: Optional[torch.Tensor] = None,
) -> Tuple[torch.Tensor, torch.Tensor]:
    """The entities of a batch, without the scores of all its spans in memory at once.

    head: the layer of a built `SpanTagger`. vectors: `[tokens, width]` per Doc. taken: bool
        `[docs, tokens]`, tokens that no entity may hold, None for none.
    Returns: what `SpanTagger.find` does. Raises: MtnlpError (E205) where the head is not built.
    """
    module, tokens, lengths = prepare(head, vectors)
    return module.find(tokens, lengths, decoder, threshold, temperature, taken)


def find_beliefs(
    head: Model, vectors: List[Floats2d], least: float, temperature: float = 1.0
) -> Tuple[torch.Tensor, torch.Tensor]:
    """What `SpanTagger.beliefs` finds in a batch. head, vectors: as for `find_spans`. Raises:
    MtnlpError (E205) where the head is not built."""
    module, tokens, lengths = prepare(head, vectors)
    return module.beliefs(tokens, lengths, least, temperature)


def prepare(head: Model, vectors: List[Floats2d]) -> Tuple[SpanTagger, torch.Tensor, torch.Tensor]:
    """The module of a head in eval mode, the tokens of a batch one after another, and the number of
    each Doc's. Raises: MtnlpError (E205) where the head is not built."""
    module = module_for_prediction(head)
    device = next(module.parameters()).device
    (lengths,) = to_device([np.array([len(part) for part in vectors], dtype=np.int64)], device)
    return module, join_rows(vectors, head.get_dim("nI"), device), lengths

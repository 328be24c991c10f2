"""`mtnlp.SentenceEncoder.v1`: a vector of a text to compare it by."""

from functools import partial
from typing import List, Optional

import torch
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..nn.projection import Projection
from ..ranges import SIZE, require
from ..types import HeadOutput
from .token_classifier import with_head
from .torch_head import Output, doc_head


def build_sentence_encoder_v1(
    tok2vec: Model[List[Doc], Floats2d], width: Optional[int] = None, normalize: bool = True
) -> Model[List[Doc], Output]:
    """Sentence vectors over a pooler (Reimers and Gurevych, 2019).

    tok2vec: a pooler, `[docs, width]`.
    width: project to this width; none by default.
    normalize: scale the vectors to L2 norm 1.

    Raises: MtnlpError E330 for a width below 1.
    """
    require("mtnlp.SentenceEncoder.v1", SIZE, width=width)
    return with_head(tok2vec, doc_head(partial(VectorHead, out=width, normalize=normalize)))


class VectorHead(torch.nn.Module):
    """`Projection` as a head: its vectors are its scores. width, out, normalize: as there."""

    def __init__(self, width: int, out: Optional[int] = None, normalize: bool = True):
        super().__init__()
        self.projection = Projection(width, out, normalize)
        # The layer finds its device by a parameter, and a head without projection has none.
        self.register_parameter("anchor", torch.nn.Parameter(torch.zeros(0), requires_grad=False))

    def forward(self, inputs: torch.Tensor, mask: torch.Tensor) -> HeadOutput:
        """`[docs, width]` to `[docs, out]`."""
        vectors = self.projection(inputs)
        return HeadOutput(scores=vectors, features=vectors)

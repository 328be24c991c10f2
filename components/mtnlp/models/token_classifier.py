"""`mtnlp.TokenClassifier.v1`: flat entities from token vectors."""

from functools import partial
from typing import Callable, List, Literal, Optional, Union

from spacy.tokens import Doc
from thinc.api import Model, chain
from thinc.types import Floats2d

from ..ranges import DROPOUT, SIZE, require
from ..structured.schemes import get_scheme
from .concat_tok2vec import build_concat_tok2vec_v1
from .registered import find_tag_decoder
from .shape_embedding import build_shape_embedding_v1
from .skip_empty import skip_empty
from .torch_head import Output, token_head

NAME = "mtnlp.TokenClassifier.v1"


def build_token_classifier_v1(
    tok2vec: Model[List[Doc], List[Floats2d]],
    decoder: Union[str, Callable] = "crf",
    scheme: Literal["bio", "biluo"] = "bio",
    hidden: Optional[int] = None,
    dropout: float = 0.1,
    loss: Optional[Callable] = None,
    shapes: bool = False,
) -> Model[List[Doc], Output]:
    """Tag scores over any tok2vec layer.

    tok2vec: `[tokens, width]` per Doc.
    decoder: "crf", a linear-chain CRF (Lafferty et al., 2001; over neural emissions Lample et al.,
        2016), "softmax", every token on its own, or the name or `@layers` block of another tagger
        (see `nn.taggers`).
    scheme: how entities are spelled in tags.
    hidden: width of a hidden layer before the tag scores; none by default.
    dropout: on the token vectors, in training.
    loss: a `@losses` block; by default the CRF's likelihood or, for "softmax", cross-entropy.
    shapes: read the words' shapes beside `tok2vec`, by `mtnlp.ShapeEmbedding.v1`: an uncased
        encoder cannot see capitals.

    Raises: MtnlpError E210 for an unknown scheme, E245 for an unknown decoder, E330 for settings
    out of range.
    """
    require(NAME, SIZE, hidden=hidden)
    require(NAME, DROPOUT, dropout=dropout)
    get_scheme(scheme)
    build = partial(
        find_tag_decoder(decoder), scheme=scheme, hidden=hidden, dropout=dropout, loss=loss
    )
    return with_head(token_encoder(tok2vec, shapes), token_head(build))


def token_encoder(tok2vec: Model, shapes: bool) -> Model[List[Doc], List[Floats2d]]:
    """What a token head reads: a tok2vec layer, spared from batches of empty Docs; with `shapes`
    those of the words beside it."""
    if shapes:
        tok2vec = build_concat_tok2vec_v1(
            {"listener": tok2vec, "shape": build_shape_embedding_v1()}
        )
    return skip_empty(tok2vec)


def with_head(tok2vec: Model, head: Model) -> Model:
    """Chain an encoder and a head; the pipe finds them as `tok2vec` and `head`."""
    model: Model = chain(tok2vec, head)
    model.set_ref("tok2vec", tok2vec)
    model.set_ref("head", head)
    return model

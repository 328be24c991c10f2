"""What an uncased encoder cannot see of a word: `mtnlp.ShapeEmbedding.v1`."""

from typing import Any, Callable, List, Tuple, Union, cast

import numpy as np
from spacy.ml.models.tok2vec import MultiHashEmbed
from spacy.tokens import Doc
from thinc.api import Model
from thinc.layers.chain import forward as forward_layers
from thinc.layers.chain import init as init_layers
from thinc.types import Floats2d

from ..ranges import SIZE, require

# Rare shapes ("XXXX-xxxx") have rows that hardly learn; the flags of frequent ones hold for them.
FLAGS = ["IS_LOWER", "IS_TITLE", "IS_UPPER", "LIKE_NUM", "IS_PUNCT"]
# Four hashed rows are summed for each of the two values a flag has.
FLAG_ROWS = 16
ATTRIBUTES: List[Union[int, str]] = ["SHAPE", *FLAGS]


def build_shape_embedding_v1(width: int = 32, rows: int = 500) -> Model[List[Doc], List[Floats2d]]:
    """Case and shape of each token by itself: List[Doc] → `[tokens, width]` per Doc.

    spaCy's `spacy.MultiHashEmbed.v2` (Serrà and Karatzoglou, 2017; Miranda et al., 2022) over the
    word's SHAPE ("Xxxxx", "XXX", "dd/dd"; runs of one kind end at four) and its flags: lower,
    title and upper case, number, punctuation. Nothing in it depends on the letters themselves.

    width: of the result. rows: of the table of shapes. Raises: MtnlpError E330 for one below 1.
    """
    require("mtnlp.ShapeEmbedding.v1", SIZE, width=width, rows=rows)
    layered = MultiHashEmbed(
        width=width,
        attrs=["SHAPE", *FLAGS],
        rows=[rows, *[FLAG_ROWS] * len(FLAGS)],
        include_static_vectors=False,
    )
    # The same layers, so that what was saved of one is read by the other.
    model: Model[List[Doc], List[Floats2d]] = Model(
        layered.name, forward, init=init_layers, layers=layered.layers, dims={"nO": None}
    )
    return model


def forward(
    model: Model[List[Doc], List[Floats2d]], docs: List[Doc], is_train: bool
) -> Tuple[List[Floats2d], Callable[[List[Floats2d]], List[Doc]]]:
    """Many tokens of a batch look alike: in prediction each kind is computed once."""
    if is_train:
        return cast(Any, forward_layers(cast(Any, model), docs, is_train))
    keys: Any = np.concatenate([doc.to_array(ATTRIBUTES) for doc in docs])
    # One number per kind: the flags are 0 or 1, and shapes that share all but five bits are none.
    bits = np.arange(keys.shape[1], dtype=np.uint64)
    codes = (keys << bits[::-1]).sum(1, dtype=np.uint64)
    _, first, kind = np.unique(codes, return_index=True, return_inverse=True)
    _, _, embed, mix, _ = model.layers
    kinds: Any = model.ops.asarray(keys[first])
    vectors = mix.predict(embed.predict(kinds))[kind]
    ends = np.cumsum([len(doc) for doc in docs])
    return model.ops.xp.split(vectors, ends[:-1]), lambda d_vectors: docs

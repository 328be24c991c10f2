"""What an uncased encoder cannot see of a word: `mtnlp.ShapeEmbedding.v1`."""

from typing import List

from spacy.ml.models.tok2vec import MultiHashEmbed
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..ranges import SIZE, require

# Rare shapes ("XXXX-xxxx") have rows that hardly learn; the flags of frequent ones hold for them.
FLAGS = ["IS_LOWER", "IS_TITLE", "IS_UPPER", "LIKE_NUM", "IS_PUNCT"]
# Four hashed rows are summed for each of the two values a flag has.
FLAG_ROWS = 16


def build_shape_embedding_v1(width: int = 32, rows: int = 500) -> Model[List[Doc], List[Floats2d]]:
    """Case and shape of each token by itself: List[Doc] → `[tokens, width]` per Doc.

    spaCy's `spacy.MultiHashEmbed.v2` (Serrà and Karatzoglou, 2017; Miranda et al., 2022) over the
    word's SHAPE ("Xxxxx", "XXX", "dd/dd"; runs of one kind end at four) and its flags: lower,
    title and upper case, number, punctuation. Nothing in it depends on the letters themselves.

    width: of the result. rows: of the table of shapes. Raises: MtnlpError E330 for one below 1.
    """
    require("mtnlp.ShapeEmbedding.v1", SIZE, width=width, rows=rows)
    return MultiHashEmbed(
        width=width,
        attrs=["SHAPE", *FLAGS],
        rows=[rows, *[FLAG_ROWS] * len(FLAGS)],
        include_static_vectors=False,
    )

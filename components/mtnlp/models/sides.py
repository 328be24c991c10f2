"""What an encoder says of the sides of Docs with separators (see `annotation.pairs`), as if each
side were a Doc, and the way back."""

from itertools import islice
from typing import Any, List, NamedTuple, Sequence, cast

import numpy as np
from spacy.tokens import Doc
from spacy_transformers.data_classes import TransformerData
from thinc.api import get_array_module
from transformers.file_utils import ModelOutput

from ..annotation.pairs import side_ranges
from .doc_data import EncodedDoc, flat_wordpieces, ragged
from .listener import is_empty


class SplitSource(NamedTuple):
    """What a pooler pools, by side.

    parts: of all sides, the Docs' one behind the other. Of token vectors, those of separators are
    in none. counts: `[docs]`, the sides of each; 1 for a Doc that the encoder read as one text.
    """

    parts: List[Any]
    counts: List[int]


def split_sides(source: Sequence[Any], docs: Sequence[Doc]) -> SplitSource:
    """source: what the encoder gives for each Doc: a `TransformerData`, or `[tokens, width]`."""
    parts: List[Any] = []
    counts: List[int] = []
    for data, doc in zip(source, docs, strict=True):
        places = side_ranges(doc)
        own = [data]
        if len(places) > 1 and not isinstance(data, TransformerData):
            own = [data[start:stop] for start, stop in places]
        elif len(places) > 1 and len(getattr(data, "sides", ())) == len(places):
            own = split_data(cast(EncodedDoc, data))
        parts += own
        counts.append(len(own))
    return SplitSource(parts, counts)


def split_data(data: EncodedDoc) -> List[EncodedDoc]:
    """The data of each side."""
    output: Any = data.model_output
    own: List[EncodedDoc] = []
    piece = window = token = pair = 0
    for side in data.sides:
        pieces = slice(piece, piece + side.wordpieces)
        lengths = np.asarray(data.align.lengths)[token : token + side.tokens]
        pairs = np.asarray(data.align.dataXd).reshape(-1)[pair : pair + lengths.sum()]
        vectors = data.token_vectors
        own.append(
            EncodedDoc(
                wordpieces=flat_wordpieces(
                    np.asarray(data.wordpieces.input_ids)[0, pieces],
                    data.wordpieces.strings[0][pieces],
                    list(data.wordpieces.lengths[window : window + side.windows]),
                ),
                model_output=ModelOutput(
                    {name: states[:, pieces] for name, states in output.items()}
                ),
                align=ragged(pairs - piece, lengths),
                token_vectors=None if vectors is None else vectors[token : token + side.tokens],
                has_text=side.has_text,
            )
        )
        piece, window = piece + side.wordpieces, window + side.windows
        token, pair = token + side.tokens, pair + int(lengths.sum())
    return own


def join_gradients(
    d_parts: Sequence[Any], source: Sequence[Any], docs: Sequence[Doc], counts: Sequence[int]
) -> List[Any]:
    """The gradients of Docs from those of their sides.

    d_parts: as a pooler gives them: of a `TransformerData` that is empty there is none. source,
    docs, counts: as for `split_sides`. Returns: likewise, by Doc.
    """
    parts = iter(d_parts)
    joined: List[Any] = []
    for data, doc, count in zip(source, docs, counts, strict=True):
        if isinstance(data, TransformerData) and is_empty(data):
            continue
        own = list(islice(parts, count))
        if count == 1:
            joined += own
        elif isinstance(data, TransformerData):
            joined.append(join_data(data, own))
        else:
            joined.append(get_array_module(data).zeros_like(data))
            for part, (start, stop) in zip(own, side_ranges(doc), strict=True):
                joined[-1][start:stop] = part
    return joined


def join_data(data: TransformerData, own: Sequence[Any]) -> EncodedDoc:
    """One gradient from those of the sides. data: what it is the gradient of."""
    gradient = ModelOutput()
    for name in own[0].model_output:
        arrays = [part.model_output[name] for part in own]
        gradient[name] = get_array_module(arrays[0]).concatenate(arrays, axis=1)
    return EncodedDoc(wordpieces=data.wordpieces, model_output=gradient, align=data.align)

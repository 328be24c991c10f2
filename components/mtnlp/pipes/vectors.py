"""`mtnlp.vectors`: the vectors of Docs and Spans as one array."""

from typing import Iterable, List, Optional, Union

import numpy as np
from spacy.tokens import Doc, Span
from thinc.util import to_numpy

from ..errors import Errors, MtnlpError
from ..ranges import SIZE, require
from ..types import Floats
from .vector_hooks import doc_vector, get_sentence_vector, has_rows, span_vector

# How much of a text names it in a message.
START = 40


def vectors(docs: Iterable[Union[Doc, Span]], dim: Optional[int] = None) -> Floats:
    """The vectors of `sentence_vectors`, float32 `[n, width]`, one row for each Doc or Span.

    It needs none of spaCy's hooks: Docs of a DocBin (with `store_user_data=True`), unpickled ones
    and those of `nlp.pipe(n_process=2)` give what they gave before.

        mtnlp.vectors(nlp.pipe(texts))
        mtnlp.vectors(doc.sents)

    docs: Docs, Spans such as sentences and entities, or both. What holds nothing to read has zeros.
    dim: keep the first `dim` numbers of each vector and scale them to length 1, as those are
        compared that `dims` of `sentence_vectors` has trained; None: the vectors as they are.

    Raises: MtnlpError E750 for a Doc without a vector, E751 for a Span of a Doc without
    `doc.tensor`, E752 for a `dim` beyond the width, E753 for vectors of several widths, E330 for a
    `dim` below 1.
    """
    require("mtnlp.vectors", SIZE, dim=dim)
    rows: List[Floats] = []
    for part in docs:
        rows.append(_vector(part, len(rows)))
        if len(rows[-1]) != len(rows[0]):
            widths = {"first": len(rows[0]), "other": len(rows[-1])}
            raise MtnlpError(Errors.E753.format(index=len(rows) - 1, **widths))
    if not rows:
        return np.zeros((0, dim or 0), dtype=np.float32)
    made = np.stack(rows)
    return made if dim is None else truncate(made, dim)


def truncate(made: Floats, dim: int) -> Floats:
    """The first numbers of vectors, scaled to length 1; zeros stay zeros (Kusupati et al., 2022).

    made: `[n, width]`. Returns: `[n, dim]`. Raises: MtnlpError E752.
    """
    if dim > made.shape[1]:
        raise MtnlpError(Errors.E752.format(dim=dim, width=made.shape[1]))
    short = made[:, :dim]
    lengths = np.linalg.norm(short, axis=1, keepdims=True)
    return (short / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def _vector(part: Union[Doc, Span], index: int) -> Floats:
    """`[width]`. index: its place, for messages."""
    doc = part.doc
    start = part.text[:START]
    if get_sentence_vector(doc) is None and "vector" not in doc.user_hooks:
        raise MtnlpError(Errors.E750.format(index=index, start=start))
    is_whole = isinstance(part, Doc) or 0 < len(part) == len(doc)
    if not is_whole and len(part) and not has_rows(doc):
        raise MtnlpError(Errors.E751.format(index=index, start=start))
    vector = doc_vector(doc) if is_whole else span_vector(part)  # type: ignore[arg-type]
    return np.asarray(to_numpy(vector), dtype=np.float32)

"""Pairs of sentences: one Doc that holds both, with a separator between them.

The encoder reads each side of such a Doc alone, as a Doc of its own, so that a side's vector is
that of the sentence. U+001D, the "group separator" of ASCII, is white space to Python and spaCy:
it is a token by itself, and the tokens of the sides are those of the sentences alone. It does not
occur in running text.

The gold of a pair: `doc.spans["pair"]` has the two sides, and `doc.cats["similarity"]`, where it is
known, says how similar they are, from 0 to 1. A pair without it is one of texts that belong
together: a question and its answer, a title and its text.
"""

from typing import Any, List, Optional, Sequence, Tuple

import numpy as np
from spacy.attrs import ORTH
from spacy.tokens import Doc

SIDE_SEPARATOR = "\x1d"
PAIR_KEY = "pair"
SIMILARITY_KEY = "similarity"


def join_sides(first: str, second: str) -> str:
    """The text of a pair's Doc. The sides are without white space at their edges, and a separator
    within them is a blank."""
    sides = (side.replace(SIDE_SEPARATOR, " ").strip() for side in (first, second))
    return SIDE_SEPARATOR.join(sides)


def side_stops(doc: Doc) -> List[int]:
    """Where each side of a Doc ends, by token, behind its separator; the whole Doc is the only side
    where there is none."""
    if SIDE_SEPARATOR not in doc.vocab.strings:  # as a rule nobody has ever seen one
        return [len(doc)]
    separator = doc.vocab.strings[SIDE_SEPARATOR]
    stops = (np.flatnonzero(doc.to_array(ORTH) == separator) + 1).tolist()
    return stops if stops and stops[-1] == len(doc) else [*stops, len(doc)]


def has_sides(docs: Sequence[Doc]) -> bool:
    """Whether any Doc has a separator."""
    return any(len(side_stops(doc)) > 1 for doc in docs)


def side_ranges(doc: Doc) -> List[Tuple[int, int]]:
    """The tokens of each side, half-open, without separators."""
    stops = side_stops(doc)
    starts = [0, *stops[:-1]]
    return [
        (start, stop - (stop > start and doc[stop - 1].text == SIDE_SEPARATOR))
        for start, stop in zip(starts, stops, strict=True)
    ]


def is_pair(doc: Doc) -> bool:
    """Whether a reference Doc holds a pair of texts."""
    return PAIR_KEY in doc.spans and len(doc.spans[PAIR_KEY]) == 2


def may_be_entities(spans: Sequence[Any]) -> bool:
    """Whether a layer of spans may be one of entities: one whose spans have no labels is none, as
    that of the sides of a pair. spans: with a `label` each."""
    return not len(spans) or any(span.label for span in spans)


def similarity_of(doc: Doc) -> Optional[float]:
    """The gold similarity of a pair; None where nobody knows it, or where it is no pair."""
    value = doc.cats.get(SIMILARITY_KEY)
    return float(value) if value is not None and value == value and is_pair(doc) else None

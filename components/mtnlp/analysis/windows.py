"""A stretch of a document around an error, as it can be shown."""

from typing import Any, Dict, List, Optional, Sequence

import numpy as np
from numpy.typing import NDArray
from spacy.pipeline import Sentencizer
from spacy.tokens import Doc

from ..scorers.entities import SpanKey

# A longer sentence is cut to so many words on both sides of what is shown.
LONGEST, AROUND = 40, 12
# Characters of a document that are shown.
CHARACTERS = 600

_SENTENCIZER = Sentencizer()


def sentence_numbers(doc: Doc) -> NDArray[np.int64]:
    """`[tokens]`: in which sentence each token stands, from 0; by punctuation where nothing else
    says so. The document stays as it is."""
    if not len(doc):
        return np.zeros(0, dtype=np.int64)
    if doc.has_annotation("SENT_START"):
        starts = doc.to_array("SENT_START") == 1
    else:
        starts = np.array(_SENTENCIZER.predict([doc])[0], dtype=bool)
    # The first token begins a sentence whatever is written on it.
    starts[0] = True
    return starts.cumsum() - 1


def window(
    doc: Doc,
    gold: Sequence[SpanKey],
    predicted: Sequence[SpanKey],
    score: Optional[float],
    sentences: Optional[NDArray[np.int64]] = None,
) -> Dict[str, Any]:
    """The sentences around entities, and these by the window's words.

    gold, predicted: in tokens of the document. score: of the prediction, None where there is none.
    sentences: of `sentence_numbers`, where they are known.
    Returns: {"text", "words", "spaces", "gold": [[start, end, label]], "predicted": the same,
        "score"}. Entities of white space alone, which stand at no token, are left out.
    """
    shown = [entity for entity in (*gold, *predicted) if entity[0] >= 0]
    first = min((entity[0] for entity in shown), default=0)
    last = max((entity[1] for entity in shown), default=min(1, len(doc)))
    numbers = sentence_numbers(doc) if sentences is None else sentences
    start, end = first, last
    if len(doc):
        inside = np.flatnonzero((numbers >= numbers[first]) & (numbers <= numbers[last - 1]))
        start, end = int(inside[0]), int(inside[-1]) + 1
    if end - start > LONGEST:
        start, end = max(start, first - AROUND), min(end, last + AROUND)
    while start < first and doc[start].is_space:
        start += 1
    while end > last and doc[end - 1].is_space:
        end -= 1
    words = [token.text for token in doc[start:end]]
    spaces = [bool(token.whitespace_) for token in doc[start:end]]
    return {
        "text": doc[start:end].text.strip(),
        "words": words,
        "spaces": spaces,
        "gold": _moved(gold, start),
        "predicted": _moved(predicted, start),
        "score": score,
    }


def cut(text: str) -> str:
    """A text without white space at its ends, shortened where it is long."""
    text = text.strip()
    return text if len(text) <= CHARACTERS else text[:CHARACTERS].rstrip() + "…"


def _moved(entities: Sequence[SpanKey], start: int) -> List[List[Any]]:
    """Entities counted from a word on."""
    return [[a - start, b - start, label] for a, b, label in sorted(entities) if a >= 0]

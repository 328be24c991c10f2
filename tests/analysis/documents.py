"""Small documents with gold and predicted entities."""

from typing import Dict, Iterable, List, Optional, Sequence

import spacy
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from spacy.training import Example

from mtnlp.analysis.document import EntityDocument
from mtnlp.scorers.entities import SpanKey

VOCAB = spacy.blank("xx").vocab
TEXT = "The Bank of New York said that Ann Bell left Rome today ."
WORDS = TEXT.split()
LABELS = "ABC"
SPANS = st.builds(
    lambda start, width, label: (start, min(start + width, len(WORDS)), label),
    st.integers(0, len(WORDS) - 1),
    st.integers(1, 6),
    st.sampled_from(LABELS),
)
LAYERS = st.sets(SPANS, max_size=7)
PAIRS = st.lists(st.tuples(LAYERS, LAYERS), max_size=4)


def make_doc(words: Sequence[str] = WORDS, spans: Optional[Iterable[SpanKey]] = None) -> Doc:
    """A document, annotated for `doc.spans["key"]` where spans are given."""
    doc = Doc(VOCAB, words=list(words))
    if spans is not None:
        doc.spans["key"] = [Span(doc, *span) for span in spans]
    return doc


def make_document(
    gold: Iterable[SpanKey],
    predicted: Iterable[SpanKey],
    scores: Optional[Dict[SpanKey, float]] = None,
    words: Sequence[str] = WORDS,
) -> EntityDocument:
    return EntityDocument(make_doc(words), set(gold), set(predicted), scores or {})


def make_pair(
    gold: Optional[Iterable[SpanKey]],
    predicted: Dict[SpanKey, float],
    words: Sequence[str] = WORDS,
) -> Example:
    """An Example of the layer "key". predicted: with their confidences."""
    doc = make_doc(words, predicted)
    doc.spans["key"].attrs["scores"] = list(predicted.values())
    return Example(doc, make_doc(words, gold))


def flat_layers(draw: List[SpanKey]) -> List[SpanKey]:
    """Those spans that do not overlap with an earlier one."""
    kept: List[SpanKey] = []
    for span in draw:
        if all(span[1] <= other[0] or other[1] <= span[0] for other in kept):
            kept.append(span)
    return kept

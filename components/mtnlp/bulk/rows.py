"""A Doc as a row of plain Python values, which do not need its vocabulary any more."""

from typing import Any, Dict, List, Optional

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc, SpanGroup
from thinc.util import to_numpy

from ..pipes.entity_spans import span_confidence
from ..pipes.scored_spans import SCORES
from .entries import Document

# The layer of `doc.ents` in a row; that of a SpanGroup is called like the group.
ENTS = "doc.ents"
# The columns of every output; a field that is carried over cannot be called so.
OWN_COLUMNS = ("id", "text", "entities", "cats", "vector")


def makes_vectors(nlp: Language) -> bool:
    """Whether a pipeline has document vectors: by `sentence_vectors`, or those of words."""
    has_component = any(
        "doc._.sentence_vector" in nlp.get_pipe_meta(name).assigns for name in nlp.pipe_names
    )
    return has_component or nlp.vocab.vectors_length > 0


def to_row(doc: Doc, document: Document, *, text: bool, vector: bool) -> Dict[str, Any]:
    """The columns of a document: `id`, `text`, `entities`, `cats`, `vector`, and what is carried.

    text, vector: whether these columns are there.
    """
    row: Dict[str, Any] = {"id": document.id}
    if text:
        row["text"] = doc.text
    row["entities"] = entities_of(doc)
    row["cats"] = {str(label): float(score) for label, score in doc.cats.items()}
    if vector:
        row["vector"] = np.asarray(to_numpy(doc.vector), dtype="float32").tolist()
    return {**row, **document.carried}


def entities_of(doc: Doc) -> List[Dict[str, Any]]:
    """The entities of all layers: `layer`, `start` and `end` in characters, `label`, and `score`,
    None where the component gives none.

    A group that only holds the scores of `doc.ents` is no layer of its own.
    """
    rows = [
        _entity(ENTS, ent.start_char, ent.end_char, ent.label_, span_confidence(ent))
        for ent in doc.ents
    ]
    for key, group in doc.spans.items():
        if group.attrs.get("is_ents"):
            continue
        scores = _scores(group)
        for index, span in enumerate(group):
            score = scores[index] if index < len(scores) else None
            rows.append(_entity(str(key), span.start_char, span.end_char, span.label_, score))
    return rows


def _entity(layer: str, start: int, end: int, label: str, score: Optional[float]) -> Dict[str, Any]:
    return {"layer": layer, "start": start, "end": end, "label": label, "score": score}


def _scores(group: SpanGroup) -> List[float]:
    scores = group.attrs.get(SCORES)
    return [] if scores is None else [float(score) for score in to_numpy(np.asarray(scores))]

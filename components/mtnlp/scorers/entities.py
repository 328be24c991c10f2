"""Exact-match entity scores for `doc.ents` and for any layer of `doc.spans`."""

from typing import Any, Callable, Dict, Iterable, Optional, Set, Tuple

from spacy.tokens import Doc, Span
from spacy.training import Example

from ..annotation.annotated_labels import annotated_labels
from ..annotation.layers import EntityLayer, entity_layer
from .counts import count_per_label, total

SpanKey = Tuple[int, int, str]


def make_entity_scorer_v1() -> Callable[..., Dict[str, Any]]:
    """Registered as `mtnlp.EntityScorer.v1`."""
    return score_entities


def score_entities(
    examples: Iterable[Example], *, spans_key: Optional[str] = None, **kwargs: Any
) -> Dict[str, Any]:
    """Precision, recall and F1 of entities, micro-averaged over types, and per type.

    An entity is right if its first token, last token and label are. Documents whose reference
    was never annotated count for nothing; annotated documents without entities do count. Types
    that occur neither in gold nor in predictions are left out of `per_type`. In a document that
    is annotated for some labels alone, all others are left out.

    examples: pairs of predicted and reference documents; their tokens may differ.
    spans_key: None scores `doc.ents`, a name scores `doc.spans[name]`.
    kwargs: ignored (`Pipe.score` passes a pipe's whole configuration).
    Returns: `ents_p`, `ents_r`, `ents_f`, `ents_per_type`, with `spans_{spans_key}` instead of
        `ents` where a key is given. Python floats; 0.0 where nothing was annotated.
    """
    prefix = "ents" if spans_key is None else f"spans_{spans_key}"
    layer = entity_layer(spans_key)
    pairs = (
        (
            of_annotated(gold_entities(example, spans_key), example.reference, layer),
            of_annotated(predicted_entities(example, spans_key), example.reference, layer),
        )
        for example in examples
        if layer.is_annotated(example.reference)
    )
    per_type = count_per_label(pairs, label=lambda key: key[2])
    micro = total(per_type.values())
    return {
        f"{prefix}_p": micro.precision,
        f"{prefix}_r": micro.recall,
        f"{prefix}_f": micro.fscore,
        f"{prefix}_per_type": {label: counts.to_dict() for label, counts in per_type.items()},
    }


def of_annotated(keys: Set[SpanKey], reference: Doc, layer: EntityLayer) -> Set[SpanKey]:
    """Those whose label the reference is annotated for."""
    labels = annotated_labels(reference, str(layer))
    return keys if labels is None else {key for key in keys if key[2] in labels}


def gold_entities(example: Example, spans_key: Optional[str]) -> Set[SpanKey]:
    """The reference's entities as (start, end, label) in reference tokens."""
    spans = entity_layer(spans_key).spans(example.reference)
    return {(span.start, span.end, span.label_) for span in spans}


def predicted_entities(example: Example, spans_key: Optional[str]) -> Set[SpanKey]:
    """The predicted entities as (start, end, label) in *reference* tokens.

    Where tokens differ, a span is mapped to the reference tokens its own are aligned with, as
    spaCy's scorer does. In the layer `doc.ents`, predictions over a token without annotation
    are neither right nor wrong and are left out.
    """
    spans = entity_layer(spans_key).spans(example.predicted)
    found = (reference_span(example, span, spans_key) for span in spans)
    return {key for key in found if key is not None}


def reference_span(example: Example, span: Span, spans_key: Optional[str]) -> Optional[SpanKey]:
    """A predicted entity as `predicted_entities` maps it; None where it is left out."""
    indices = example.alignment.x2y[span.start : span.end]
    if len(indices) == 0:
        # Whitespace tokens align with nothing: a wrong prediction, at no gold position.
        return -1 - span.start, -1, span.label_
    start, end = int(indices[0]), int(indices[-1]) + 1
    unknown = (token.ent_iob == 0 for token in example.reference[start:end])
    if spans_key is None and any(unknown):
        return None
    return start, end, span.label_

"""Named entity metrics over BIO tags: of whole entities, and of single tags."""

from typing import Any, Dict, Iterable, List, Optional, Sequence, Set, Tuple

import numpy as np

from ..data.formats.tags import Tag, entities_of
from ..errors import Errors, MtnlpError
from ..scorers.counts import Counts, with_support
from .spans import SpanKey, span_metrics

OUTSIDE = "O"


def tagging_metrics(
    gold: Sequence[Sequence[Optional[str]]], predicted: Sequence[Sequence[str]]
) -> Dict[str, Any]:
    """Metrics of flat entities given as BIO tags, one list per document.

    gold: tags; None is a token without annotation, which counts for nothing. A predicted entity
        that touches one should be left out by the caller.
    predicted: tags, as many per document as there are gold ones.
    Returns: {"tokens", "token_accuracy", "entities": gold entities,
        "micro": {"p", "r", "f"}, "macro": {...}, "per_type": {type: {"p", "r", "f", "support"}},
        "per_tag": {tag: {...}}}. The numbers are those of seqeval for entities, of scikit-learn
        for tags.
    Raises: MtnlpError (E501) where the numbers of documents or of tags differ.
    """
    _check_lengths(gold, predicted)
    right = [[tag or OUTSIDE for tag in tags] for tags in gold]
    given = [
        [OUTSIDE if tag is None else other for tag, other in zip(tags, others, strict=True)]
        for tags, others in zip(gold, predicted, strict=True)
    ]
    pairs = [
        (tag, other)
        for tags, others in zip(gold, given, strict=True)
        for tag, other in zip(tags, others, strict=True)
        if tag is not None
    ]
    same = sum(tag == other for tag, other in pairs)
    return {
        "tokens": len(pairs),
        "token_accuracy": same / len(pairs) if pairs else 0.0,
        **span_metrics([tag_spans(tags) for tags in right], [tag_spans(tags) for tags in given]),
        "per_tag": _tag_metrics(pairs),
    }


def bio_tags(
    length: int,
    spans: Iterable[Tuple[int, int, str]],
    missing: Iterable[int] = (),
) -> List[Optional[str]]:
    """BIO tags of flat spans: (start, end, label) over `length` tokens, None where missing."""
    tags: List[Optional[str]] = [OUTSIDE] * length
    for index in missing:
        tags[index] = None
    for start, end, label in spans:
        tags[start:end] = [f"B-{label}", *[f"I-{label}"] * (end - start - 1)]
    return tags


def tag_spans(tags: Sequence[str]) -> Set[SpanKey]:
    """The entities that BIO tags spell, as conlleval and seqeval read them."""
    found = entities_of([Tag(tag[:1], tag[2:]) for tag in tags])
    return {(span.start, span.end, span.label) for span in found}


def is_flat(length: int, spans: Iterable[Tuple[int, int, str]]) -> bool:
    """Whether BIO tags can express the spans: inside the document and without overlap."""
    last = 0
    for start, end, _ in sorted(spans):
        if start < last or end > length:
            return False
        last = end
    return True


def _tag_metrics(pairs: List[Tuple[str, str]]) -> Dict[str, Dict[str, float]]:
    if not pairs:
        return {}
    tags, indices = np.unique(np.array(pairs, dtype=object).astype(str), return_inverse=True)
    gold, predicted = indices.reshape(len(pairs), 2).T
    support, given, true_positives = (
        np.bincount(chosen, minlength=len(tags)).tolist()
        for chosen in (gold, predicted, gold[gold == predicted])
    )
    rows = zip(tags.tolist(), support, given, true_positives, strict=True)
    return with_support({tag: Counts(tp, out - tp, n - tp) for tag, n, out, tp in rows})


def _check_lengths(gold: Sequence[Sequence[Any]], predicted: Sequence[Sequence[Any]]) -> None:
    sizes = [len(tags) for tags in gold], [len(tags) for tags in predicted]
    if sizes[0] != sizes[1]:
        raise MtnlpError(Errors.E501.format(gold=sum(sizes[0]), predicted=sum(sizes[1])))

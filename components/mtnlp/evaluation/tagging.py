"""Named entity metrics over BIO tags: of whole entities, and of single tags."""

from collections import Counter
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

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
    pairs: Counter[Tuple[str, str]] = Counter()
    for tags, others in zip(gold, given, strict=True):
        pairs.update(pair_tags(tags, others))
    return {
        **tag_metrics(pairs),
        **span_metrics([tag_spans(tags) for tags in right], [tag_spans(tags) for tags in given]),
    }


def pair_tags(gold: Sequence[Optional[str]], predicted: Sequence[str]) -> List[Tuple[str, str]]:
    """The gold and the predicted tag of each annotated token of a document."""
    return [pair for pair in zip(gold, predicted, strict=True) if pair[0] is not None]  # type: ignore[misc]


def tag_metrics(pairs: Mapping[Tuple[str, str], int]) -> Dict[str, Any]:
    """Metrics of single tags, and the share of tokens with the right one.

    pairs: how often a gold tag met a predicted one.
    Returns: {"tokens", "token_accuracy", "per_tag": {tag: {"p", "r", "f", "support"}}}.
    """
    counts: Dict[str, Counts] = {}
    for (gold, predicted), number in pairs.items():
        right, given = (counts.setdefault(tag, Counts()) for tag in (gold, predicted))
        if gold == predicted:
            right.tp += number
        else:
            right.fn += number
            given.fp += number
    tokens = sum(pairs.values())
    same = sum(item.tp for item in counts.values())
    return {
        "tokens": tokens,
        "token_accuracy": same / tokens if tokens else 0.0,
        "per_tag": with_support(dict(sorted(counts.items()))),
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


def _check_lengths(gold: Sequence[Sequence[Any]], predicted: Sequence[Sequence[Any]]) -> None:
    sizes = [len(tags) for tags in gold], [len(tags) for tags in predicted]
    if sizes[0] != sizes[1]:
        raise MtnlpError(Errors.E501.format(gold=sum(sizes[0]), predicted=sum(sizes[1])))

"""Named entity metrics over BIO tags: whole entities by seqeval, single tags by scikit-learn."""

from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from seqeval.metrics.sequence_labeling import precision_recall_fscore_support as entity_prf
from sklearn.metrics import precision_recall_fscore_support as tag_prf

from ..errors import Errors, MtnlpError
from .classification import prf

OUTSIDE = "O"


def tagging_metrics(
    gold: Sequence[Sequence[Optional[str]]], predicted: Sequence[Sequence[str]]
) -> Dict[str, Any]:
    """Metrics of flat entities given as BIO tags, one list a document.

    gold: tags; None is a token without annotation, which counts for nothing. A predicted entity
        that touches one should be left out by the caller.
    predicted: tags, as many a document as there are gold ones.
    RETURNS: {"tokens", "token_accuracy", "entities": gold entities,
        "micro": {"p", "r", "f"}, "macro": {...}, "per_type": {type: {"p", "r", "f", "support"}},
        "per_tag": {tag: {...}}}. Macro averages are means over the types that occur; see
        `classification` for what that means for macro F1.
    RAISES MtnlpError (E501) where the numbers of documents or of tags differ.
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
        **_entity_metrics(right, given),
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


def is_flat(length: int, spans: Iterable[Tuple[int, int, str]]) -> bool:
    """Whether BIO tags can express the spans: inside the document and without overlap."""
    last = 0
    for start, end, _ in sorted(spans):
        if start < last or end > length:
            return False
        last = end
    return True


def _entity_metrics(gold: List[List[str]], predicted: List[List[str]]) -> Dict[str, Any]:
    types = sorted({tag[2:] for tags in (*gold, *predicted) for tag in tags if tag != OUTSIDE})
    if not types:
        nothing = prf(0.0, 0.0, 0.0)
        return {"entities": 0, "micro": nothing, "macro": dict(nothing), "per_type": {}}
    averages = {
        average: prf(*entity_prf(gold, predicted, average=average, zero_division=0)[:3])
        for average in ("micro", "macro")
    }
    columns = entity_prf(gold, predicted, average=None, zero_division=0)
    return {
        "entities": int(columns[3].sum()),
        **averages,
        "per_type": {
            name: {**prf(p, r, f), "support": int(support)}
            for name, p, r, f, support in zip(types, *columns, strict=True)
        },
    }


def _tag_metrics(pairs: List[Tuple[str, str]]) -> Dict[str, Dict[str, Any]]:
    if not pairs:
        return {}
    gold, predicted = zip(*pairs, strict=True)
    tags = sorted({*gold, *predicted})
    columns = tag_prf(gold, predicted, labels=tags, average=None, zero_division=0)
    return {
        tag: {**prf(p, r, f), "support": int(support)}
        for tag, p, r, f, support in zip(tags, *columns, strict=True)
    }


def _check_lengths(gold: Sequence[Sequence[Any]], predicted: Sequence[Sequence[Any]]) -> None:
    sizes = [len(tags) for tags in gold], [len(tags) for tags in predicted]
    if sizes[0] != sizes[1]:
        raise MtnlpError(Errors.E501.format(gold=sum(sizes[0]), predicted=sum(sizes[1])))

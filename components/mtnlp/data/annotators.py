"""Several annotators of one document: how far they agree, and one Record of what they say.

A Record names them in `meta["annotator"]` and `meta["document"]`. A layer, task or label that an
annotator did not judge counts neither for nor against anything.
"""

from collections import Counter
from typing import Dict, Iterable, List, Optional, Sequence, Set, Tuple

from ..errors import DataError, Errors, MtnlpError
from ..types import Annotation, Record
from .agreement import Agreement, annotations_of, is_missing, layer_names, measure
from .formats.bad_input import BadInput
from .options import Splits

CHOICES = ("majority", "first", "error")
TIED_ENTITIES = "entities that only half of the annotators marked, not used in training"
TIED_SPANS = "spans that only half of the annotators marked, left out"
TIED_CATS = "categories on which the annotators are tied, left unknown"
TWICE = "documents that one annotator judged twice, the last time counted"
MERGED = "documents of several annotators merged"


def merge_annotators(
    splits: Splits, how: str, on_bad: BadInput
) -> Tuple[Splits, Optional[Agreement]]:
    """One Record per document, in the place of its first one.

    how: "majority", "first" or "error", as in `ConvertOptions`.
    Returns: the splits, and the agreement where a document has several annotators. Ties, and what
        was merged, are counted in `on_bad`.
    Raises: MtnlpError (E144) for another `how`, DataError (E159) through `on_bad` for each document
        of several annotators where `how` is "error".
    """
    if how not in CHOICES:
        form = "one of " + ", ".join(CHOICES)
        raise MtnlpError(Errors.E144.format(option="--annotators", value=how, form=form))
    grouped = {split: _by_document(records, on_bad) for split, records in splits.items()}
    shared = [group for groups in grouped.values() for group in groups if len(group) > 1]
    if not shared:
        return {split: [group[0] for group in groups] for split, groups in grouped.items()}, None
    exclusive = _exclusive_tasks(record for group in shared for record in group)
    merged: Splits = {}
    for split, groups in grouped.items():
        merged[split] = []
        for group in groups:
            if len(group) == 1:
                merged[split].append(group[0])
            elif how == "error":
                on_bad.report(_several(group))
            else:
                merge = _majority if how == "majority" else _first
                merged[split].append(merge(group, exclusive, on_bad))
                on_bad.note(MERGED)
    return merged, measure(shared, exclusive)


def _by_document(records: Sequence[Record], on_bad: BadInput) -> List[List[Record]]:
    """The Records of each document, one per annotator. Another text is another document."""
    groups: Dict[object, Dict[str, Record]] = {}
    for number, record in enumerate(records):
        annotator = record.meta.get("annotator")
        content = record.text if record.tokens is None else tuple(record.tokens)
        key = number if annotator is None else (record.meta.get("document"), content)
        group = groups.setdefault(key, {})
        on_bad.note(TWICE, int(str(annotator) in group))
        group[str(annotator)] = record
    return [list(group.values()) for group in groups.values()]


def _several(group: Sequence[Record]) -> DataError:
    names = ", ".join(str(record.meta["annotator"]) for record in group)
    second = group[1].meta
    return DataError(Errors.E159.format(names=names), second.get("path"), second.get("line"))


def _exclusive_tasks(records: Iterable[Record]) -> Set[str]:
    """The tasks of which every annotator gave exactly one label whenever he judged them."""
    positives: Dict[str, Set[int]] = {}
    for record in records:
        counts: Counter = Counter()
        for key, value in (record.cats or {}).items():
            counts[key.partition("/")[0]] += int(value == 1)
        for task, count in counts.items():
            positives.setdefault(task, set()).add(count)
    return {task for task, counts in positives.items() if counts == {1}}


def _merged(group: Sequence[Record]) -> Record:
    """A Record of the same text, not annotated yet."""
    first = group[0]
    meta = {key: first.meta[key] for key in first.meta if key not in ("annotator", "stratum")}
    return Record(
        text=first.text,
        tokens=first.tokens,
        sent_starts=first.sent_starts,
        tags=next((record.tags for record in group if record.tags is not None), None),
        meta=meta,
    )


def _first(group: Sequence[Record], exclusive: Set[str], on_bad: BadInput) -> Record:
    """Of each layer and task what the first annotator says who judged it."""
    result = _merged(group)
    for record in group:
        if result.entities is None and record.entities is not None:
            result.entities, result.missing = record.entities, record.missing
        if record.spans is not None:
            result.spans = {**record.spans, **(result.spans or {})}
        if record.cats is not None:
            done = {key.partition("/")[0] for key in result.cats or {}}
            new = {k: v for k, v in record.cats.items() if k.partition("/")[0] not in done}
            result.cats = {**(result.cats or {}), **new}
    return result


def _majority(group: Sequence[Record], exclusive: Set[str], on_bad: BadInput) -> Record:
    """What more than half of those say who judged it."""
    result = _merged(group)
    for layer in layer_names(group):
        judges = [record for record in group if annotations_of(record, layer) is not None]
        kept, tied = _voted(judges, layer)
        if layer is None:
            result.entities = kept
            result.missing = sorted({*_unknown(judges), *((a.start, a.end) for a in tied)}) or None
            on_bad.note(TIED_ENTITIES, len(tied))
        else:
            result.spans = {**(result.spans or {}), layer: kept}
            on_bad.note(TIED_SPANS, len(tied))
    if any(record.cats is not None for record in group):
        cats = _voted_cats([record.cats or {} for record in group], exclusive, on_bad)
        result.cats = cats or None
    return result


def _voted(
    judges: Sequence[Record], layer: Optional[str]
) -> Tuple[List[Annotation], List[Annotation]]:
    """The annotations of more than half of the judges, and those of exactly half."""
    votes = Counter(item for record in judges for item in set(annotations_of(record, layer) or ()))
    kept, tied = [], []
    for item in sorted(votes):
        of = len(judges)
        if layer is None:
            of = sum(item in (r.entities or ()) or not is_missing(r, item) for r in judges)
        if 2 * votes[item] > of:
            kept.append(item)
        elif 2 * votes[item] == of:
            tied.append(item)
    return kept, tied


def _unknown(judges: Sequence[Record]) -> List[Tuple[int, int]]:
    """The stretches of one unit each that no judge judged."""
    unknown = [
        {index for start, end in record.missing or () for index in range(start, end)}
        for record in judges
    ]
    return [(index, index + 1) for index in sorted(set.intersection(*unknown))]


def _voted_cats(
    judgements: Sequence[Dict[str, float]], exclusive: Set[str], on_bad: BadInput
) -> Dict[str, float]:
    """In an exclusive task the label with most votes, in any other each label by itself."""
    keys = sorted({key for cats in judgements for key in cats})
    votes = {key: [cats[key] for cats in judgements if key in cats] for key in keys}
    result: Dict[str, float] = {}
    for task in sorted({key.partition("/")[0] for key in keys}):
        labels = [key for key in keys if key.partition("/")[0] == task]
        if task in exclusive:
            most = max(sum(votes[key]) for key in labels)
            winners = [key for key in labels if sum(votes[key]) == most]
            decided = {key: float(key in winners) for key in labels if len(winners) == 1}
            on_bad.note(TIED_CATS, int(not decided))
        else:
            decided = {
                key: float(2 * sum(votes[key]) > len(votes[key]))
                for key in labels
                if 2 * sum(votes[key]) != len(votes[key])
            }
            on_bad.note(TIED_CATS, len(labels) - len(decided))
        result.update(decided)
    return result

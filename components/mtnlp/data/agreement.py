"""How far annotators of the same documents agree."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations
from typing import Callable, Dict, Hashable, List, Optional, Sequence, Set, Tuple

from wasabi import msg

from ..types import Annotation, Record

# Judgements of two annotators, side by side.
Pairs = Sequence[Tuple[Hashable, Hashable]]
# Those on one document; None where not both judged it.
Judge = Callable[[Record, Record], Optional[Pairs]]
Metric = Callable[[Pairs], Optional[float]]


@dataclass(frozen=True)
class Score:
    """The mean over pairs of annotators who judged the same documents.

    value: None where no pair says anything, such as when nobody ever marked an entity.
    pairs: how many pairs of annotators. documents: how many documents two or more of them judged.
    """

    value: Optional[float]
    pairs: int
    documents: int


@dataclass(frozen=True)
class Agreement:
    """annotators, documents: how many annotators, and documents that several of them judged.
    kappa: Cohen's kappa by task: over the labels of documents where one label holds, else over the
        judgements of all labels.
    f1: F1 of entities (exact span and label) by layer; None is `entities`.
    """

    annotators: int
    documents: int
    kappa: Dict[str, Score] = field(default_factory=dict)
    f1: Dict[Optional[str], Score] = field(default_factory=dict)


def measure(groups: Sequence[Sequence[Record]], exclusive: Set[str]) -> Agreement:
    """groups: the Records of one document each, one per annotator, at least two.
    exclusive: the tasks in which one label holds of each document."""
    records = [record for group in groups for record in group]
    tasks = sorted({key.partition("/")[0] for record in records for key in record.cats or {}})
    return Agreement(
        annotators=len({record.meta["annotator"] for record in records}),
        documents=len(groups),
        kappa={task: _mean(groups, _judge(task, task in exclusive), kappa) for task in tasks},
        f1={layer: _mean(groups, _spans(layer), f1) for layer in layer_names(records)},
    )


def print_agreement(agreement: Agreement) -> None:
    """Shows it on the terminal."""
    rows = [
        (what, name, "-" if score.value is None else f"{score.value:.3f}", score)
        for what, name, score in (
            *(("Cohen's kappa", task, score) for task, score in agreement.kappa.items()),
            *(("Entity F1", layer or "ents", score) for layer, score in agreement.f1.items()),
        )
    ]
    header = ("Agreement", "Of", "Mean", "Pairs", "Documents")
    cells = [(*row[:3], f"{row[3].pairs:,}", f"{row[3].documents:,}") for row in rows]
    documents = "document" if agreement.documents == 1 else "documents"
    judged = f"{agreement.documents:,} {documents} judged by several of them"
    msg.info(f"{agreement.annotators} annotators, {judged}")
    msg.table(cells, header=header, divider=True, aligns=("l", "l", "r", "r", "r"))


def kappa(pairs: Pairs) -> Optional[float]:
    """Cohen's kappa of two annotators; None without judgements, and where both gave the same one
    label throughout."""
    if not pairs:
        return None
    total = len(pairs)
    observed = sum(left == right for left, right in pairs) / total
    lefts, rights = (Counter(side) for side in zip(*pairs, strict=True))
    expected = sum(count * rights[label] for label, count in lefts.items()) / total**2
    return None if expected == 1 else (observed - expected) / (1 - expected)


def f1(pairs: Pairs) -> Optional[float]:
    """F1 of two annotators' entities, each a pair of whether the one and the other marked it; None
    where there are none."""
    both = sum(left == right for left, right in pairs)
    marked = len(pairs) + both
    return 2 * both / marked if marked else None


def annotations_of(record: Record, layer: Optional[str]) -> Optional[List[Annotation]]:
    """A layer of a Record: None is `entities`, a name is `spans[name]`."""
    return record.entities if layer is None else (record.spans or {}).get(layer)


def layer_names(records: Sequence[Record]) -> List[Optional[str]]:
    """The layers that any of the Records judges."""
    names = sorted({key for record in records for key in record.spans or {}})
    has_entities = any(record.entities is not None for record in records)
    return [*([None] if has_entities else []), *names]


def is_missing(record: Record, item: Annotation) -> bool:
    """Whether nobody says if there is an entity at a place."""
    return any(start < item.end and item.start < end for start, end in record.missing or ())


def _judge(task: str, is_exclusive: bool) -> Judge:
    def judge(left: Record, right: Record) -> Optional[Pairs]:
        lefts, rights = _of_task(left, task), _of_task(right, task)
        shared = sorted(set(lefts) & set(rights))
        if not shared:
            return None
        if is_exclusive:
            return [(max(lefts, key=lefts.__getitem__), max(rights, key=rights.__getitem__))]
        return [(lefts[key], rights[key]) for key in shared]

    return judge


def _of_task(record: Record, task: str) -> Dict[str, float]:
    cats = record.cats or {}
    return {key: cats[key] for key in sorted(cats) if key.partition("/")[0] == task}


def _spans(layer: Optional[str]) -> Judge:
    def judge(left: Record, right: Record) -> Optional[Pairs]:
        lefts, rights = annotations_of(left, layer), annotations_of(right, layer)
        if lefts is None or rights is None:
            return None
        items = {*lefts, *rights}
        if layer is None:
            items = {i for i in items if not (is_missing(left, i) or is_missing(right, i))}
        return [(item in lefts, item in rights) for item in sorted(items)]

    return judge


def _mean(groups: Sequence[Sequence[Record]], judge: Judge, score: Metric) -> Score:
    judgements: Dict[Tuple[str, str], List[Tuple[Hashable, Hashable]]] = {}
    documents = 0
    for group in groups:
        by_name = {str(record.meta["annotator"]): record for record in group}
        found = {
            pair: judge(by_name[pair[0]], by_name[pair[1]])
            for pair in combinations(sorted(by_name), 2)
        }
        for pair, pairs in found.items():
            if pairs is not None:
                judgements.setdefault(pair, []).extend(pairs)
        documents += any(pairs is not None for pairs in found.values())
    values = [value for value in map(score, judgements.values()) if value is not None]
    mean = sum(values) / len(values) if values else None
    return Score(mean, len(judgements), documents)

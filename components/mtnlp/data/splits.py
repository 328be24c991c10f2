"""Splits that can be made again: seeded, stratified, and never through a movie or a document."""

import random
from collections import Counter
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from ..errors import Errors, MtnlpError
from ..types import Record
from .options import SPLITS, Splits
from .sampling import largest_remainders

# The stratum everything belongs to: it keeps the splits' sizes right where labels are rare.
_ALL = "\0all"


def split_by_ratio(
    records: Sequence[Record], shares: Mapping[str, float], seed: int, stratify: bool = True
) -> Splits:
    """Divides records among splits; within a split their order stays.

    shares: split to share of the units, adding up to 1. Splits with share 0 are left out.
    Units with the same `meta["group"]` stay together. Groups are dealt out largest first, each
    to the split, among those with room for it, that lacks most of what the group holds; equal
    groups in shuffled order.
    Raises: MtnlpError when there are fewer groups than splits.
    """
    shares = {split: share for split, share in shares.items() if share > 0}
    strata = strata_of(records) if stratify else [""] * len(records)
    groups: Dict[object, List[int]] = {}
    for index, record in enumerate(records):
        groups.setdefault(record.meta.get("group", index), []).append(index)
    if len(groups) < len(shares):
        raise MtnlpError(Errors.E146.format(groups=len(groups), splits=len(shares)))

    order = list(groups.values())
    random.Random(seed).shuffle(order)
    order.sort(key=len, reverse=True)
    totals = Counter(strata)
    totals[_ALL] = len(records)
    missing = {
        split: {stratum: share * count for stratum, count in totals.items()}
        for split, share in shares.items()
    }
    chosen: Dict[str, List[int]] = {split: [] for split in shares}
    for done, members in enumerate(order):
        counts = Counter(strata[index] for index in members)
        counts[_ALL] = len(members)
        empty = [split for split, indices in chosen.items() if not indices]
        roomy = [name for name in shares if missing[name][_ALL] >= len(members) / 2]
        candidates = empty if len(empty) == len(order) - done else roomy or list(shares)
        split = max(candidates, key=lambda name: _need(counts, missing[name], shares[name], totals))
        chosen[split].extend(members)
        for stratum, count in counts.items():
            missing[split][stratum] -= count
    return {split: [records[index] for index in sorted(chosen[split])] for split in shares}


def _need(
    counts: Mapping[str, int], missing: Mapping[str, float], share: float, totals: Mapping[str, int]
) -> float:
    """How much a split lacks of what a group holds, relative to what it should get."""
    return sum(
        count * missing[stratum] / (share * totals[stratum]) for stratum, count in counts.items()
    )


def make_splits(
    splits: Splits,
    ratio: Optional[Tuple[float, float, float]],
    dev_share: float,
    seed: int,
    stratify: bool = True,
) -> Splits:
    """The splits as they come, with dev carved from train where there is none; or, given a
    ratio, all units divided anew.

    splits: some of "train", "dev", "test".
    Raises: MtnlpError when there are too few groups.
    """
    if ratio is not None:
        pool = [record for split in SPLITS for record in splits.get(split, [])]
        return split_by_ratio(pool, dict(zip(SPLITS, ratio, strict=True)), seed, stratify)
    if "dev" in splits:
        return dict(splits)
    shares = {"train": 1 - dev_share, "dev": dev_share}
    carved = split_by_ratio(splits.get("train", []), shares, seed, stratify)
    return {
        split: {**splits, **carved}[split] for split in SPLITS if split in splits or split in carved
    }


def sample_records(
    records: Sequence[Record], limit: int, seed: int, stratify: bool = True
) -> List[Record]:
    """At most `limit` records, in their order; 0 is no limit. Each stratum keeps its proportion
    (largest remainders), and groups may be cut: nothing moves between splits here."""
    if limit == 0 or limit >= len(records):
        return list(records)
    strata = strata_of(records) if stratify else [""] * len(records)
    members: Dict[str, List[int]] = {}
    for index, stratum in enumerate(strata):
        members.setdefault(stratum, []).append(index)
    groups = [members[stratum] for stratum in sorted(members)]
    rng = random.Random(seed)
    order = list(range(len(groups)))
    rng.shuffle(order)
    quota = largest_remainders(limit, [len(group) for group in groups], order)
    drawn = (rng.sample(group, number) for group, number in zip(groups, quota, strict=True))
    chosen = [index for indices in drawn for index in indices]
    return [records[index] for index in sorted(chosen)]


def strata_of(records: Sequence[Record]) -> List[str]:
    """What each record is stratified by: its `meta["stratum"]`, or else the one of its labels
    that is rarest among the records, so that rare labels spread over all splits."""
    labels = [_labels(record) for record in records]
    counts = Counter(label for row in labels for label in row)
    return [
        record.meta["stratum"]
        if "stratum" in record.meta
        else min(row, key=lambda label: (counts[label], label), default="")
        for record, row in zip(records, labels, strict=True)
    ]


def _labels(record: Record) -> List[str]:
    """The distinct labels of a record, of every kind of annotation."""
    labels = {entity.label for entity in record.entities or []}
    labels.update(span.label for layer in (record.spans or {}).values() for span in layer)
    labels.update(label for label, value in (record.cats or {}).items() if value)
    return sorted(labels)

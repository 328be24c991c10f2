"""k folds of a corpus, none of which tears a document apart."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Dict, List, Optional, Sequence

import numpy as np

from ...errors import Errors, MtnlpError
from ...types import Ints

# Of the documents that a fold's model is trained on, what is kept back to score it on while it
# trains: this share, and no more Docs than that.
DEV_SHARE, DEV_DOCS = 0.05, 200


@dataclass(frozen=True)
class Fold:
    """One of k parts of a corpus, as indices of its Docs, ascending.

    held: the part itself, which is judged. train: what its model is trained on. dev: the rest of
    the other parts, which scores the model while it trains.
    """

    number: int
    held: Ints
    train: Ints
    dev: Ints


def group_documents(ids: Sequence[Optional[str]]) -> List[List[int]]:
    """The Docs of each document, in the order of their first ones. ids: of the document that each
    Doc is from; a Doc without one is a document."""
    groups: Dict[object, List[int]] = {}
    for index, name in enumerate(ids):
        groups.setdefault(index if name is None else name, []).append(index)
    return list(groups.values())


def make_folds(
    ids: Sequence[Optional[str]], sizes: Sequence[int], count: int, seed: int = 0
) -> List[Fold]:
    """Folds with about as many words each, the same for the same corpus and seed.

    The largest document goes first, each to the fold that has least. Equal ones go in an order that
    the seed shuffles.

    ids: as for `group_documents`. sizes: words of each Doc. count: of the folds.
    Raises: MtnlpError E720 for fewer than two folds, or fewer documents than two a fold.
    """
    groups = group_documents(ids)
    if count < 2 or len(groups) < 2 * count:
        raise MtnlpError(Errors.E720.format(folds=count, documents=len(groups)))
    order = sorted(groups, key=lambda group: _shuffled(group[0], seed))
    filled = [0] * count
    members: List[List[List[int]]] = [[] for _ in range(count)]
    for group in sorted(order, key=lambda group: -sum(sizes[index] for index in group)):
        lightest = filled.index(min(filled))
        filled[lightest] += sum(sizes[index] for index in group)
        members[lightest].append(group)
    return [_make_fold(number, members, order) for number in range(count)]


def _make_fold(
    number: int, members: Sequence[Sequence[List[int]]], order: Sequence[List[int]]
) -> Fold:
    """order: all documents, shuffled: the first of those that are not held become dev."""
    held = {group[0] for group in members[number]}
    others = [group for group in order if group[0] not in held]
    wanted = min(DEV_DOCS, DEV_SHARE * sum(map(len, others)))
    dev: List[int] = []
    taken = 0
    while len(dev) < max(1, wanted):
        dev.extend(others[taken])
        taken += 1
    train = [index for group in others[taken:] for index in group]
    parts = [i for group in members[number] for i in group], train, dev
    return Fold(number, *(np.array(sorted(part), dtype=np.int64) for part in parts))


def _shuffled(index: int, seed: int) -> bytes:
    """A key by which things stand in an order that looks random and is always the same."""
    return blake2b(f"{seed}/{index}".encode(), digest_size=8).digest()

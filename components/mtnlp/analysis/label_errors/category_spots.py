"""What a classifier says of the annotated categories of Docs."""

from dataclasses import dataclass
from typing import Any, ClassVar, List, Sequence, Tuple

import numpy as np
from spacy.training import Example

from ...annotation.categories import split_key
from ...gold.categories import category_targets
from ...types import Doubles

# A probability counts as at least this, so that it has a logarithm.
TINY = 1e-12


@dataclass(frozen=True)
class CategorySpot:
    """One question about a Doc: which label of an exclusive task holds, or whether one does.

    task: its name. given, other: the labels that hold in the annotation, and if it is wrong: one
    each in an exclusive task; in another, the label in one of them and nothing in the other.
    log_given, log_other: log probabilities of the two. decisions: as in a `Spot`.
    """

    decisions: ClassVar[int] = 1

    task: str
    given: Tuple[str, ...]
    other: Tuple[str, ...]
    log_given: float
    log_other: float

    def to_json(self) -> List[Any]:
        """As lists, for a file with a line per Doc."""
        numbers = round(self.log_given, 6), round(self.log_other, 6)
        return [self.task, self.given, self.other, *numbers]

    @classmethod
    def from_json(cls, row: List[Any]) -> "CategorySpot":
        """The inverse of `to_json`."""
        task, given, other, *numbers = row
        return cls(task, tuple(given), tuple(other), *numbers)


def find_category_spots(pipe: Any, examples: Sequence[Example]) -> List[List[CategorySpot]]:
    """The spots of each Doc: one for each exclusive task it is annotated for, and one for each
    annotated label of the others. Docs with nothing to read have none.

    pipe: a classifier. examples: their predicted Docs have the encoder's vectors.
    """
    target = category_targets(examples, pipe.tasks)
    spots: List[List[CategorySpot]] = [[] for _ in examples]
    if not target.doc_indices:
        return spots
    probabilities = pipe.predict([examples[i].predicted for i in target.doc_indices])
    gold, known = target.target.numpy() > 0, target.mask.numpy()
    for (task, part), (_, exclusive) in zip(pipe.columns.items(), pipe.layer.columns, strict=True):
        names = [split_key(key)[1] for key in pipe.labels[part]]
        find = _exclusive if exclusive else _multilabel
        rows = zip(gold[:, part], known[:, part], probabilities[:, part], strict=True)
        for index, row in zip(target.doc_indices, rows, strict=True):
            if row[1].any():
                spots[index].extend(find(task, names, *row))
    return spots


def _exclusive(
    task: str, names: Sequence[str], gold: np.ndarray, known: np.ndarray, each: Doubles
) -> List[CategorySpot]:
    given = int(gold.argmax())
    others = np.where(np.arange(len(names)) == given, -1.0, each)
    best = int(others.argmax())
    logs = _log(each[given]), _log(each[best])
    return [CategorySpot(task, (names[given],), (names[best],), *logs)]


def _multilabel(
    task: str, names: Sequence[str], gold: np.ndarray, known: np.ndarray, each: Doubles
) -> List[CategorySpot]:
    spots = []
    for column in np.flatnonzero(known).tolist():
        name, holds, fails = (names[column],), _log(each[column]), _log(1 - each[column])
        if gold[column]:
            spots.append(CategorySpot(task, name, (), holds, fails))
        else:
            spots.append(CategorySpot(task, (), name, fails, holds))
    return spots


def _log(probability: float) -> float:
    return float(np.log(max(probability, TINY)))

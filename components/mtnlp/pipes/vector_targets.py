"""The gold of a batch for the objectives of `sentence_vectors`."""

from dataclasses import dataclass
from typing import Any, List, Mapping, NamedTuple, Optional, Sequence

import numpy as np
import torch
from spacy.attrs import IS_SPACE
from spacy.tokens import Doc
from spacy.training import Example

from ..annotation.layers import describe
from ..annotation.pairs import side_ranges, side_stops
from ..errors import Errors, MtnlpError
from ..gold.targets import Target
from .objectives.base import DocObjective, Objective, PairObjective
from .pooled_sides import doc_means


class Chosen(NamedTuple):
    """What an objective is computed on.

    rows: of each unit, a Doc or a pair: its rows among those that go through the head. gold: of
    each, as the objective reads it.
    """

    rows: List[List[int]]
    gold: List[Any]


@dataclass
class VectorTarget(Target):
    """The gold of a batch.

    doc_indices: which rows of the pooler go through the head: a row is a side of a Doc (see
    `pooled_sides`). chosen: of each objective. units: of all objectives.
    """

    chosen: List[Chosen]


def vector_target(
    examples: Sequence[Example], objectives: Mapping[str, Objective], component: str
) -> VectorTarget:
    """A Doc, or a pair with a side, that holds nothing to read has no target.

    component: the name of the pipe. Raises: MtnlpError E756 for a pair without a separator.
    """
    stops = [len(side_stops(example.predicted)) for example in examples]
    starts = np.cumsum([0, *stops])
    rows: List[List[List[int]]] = []
    gold: List[List[Any]] = []
    for objective in objectives.values():
        rows.append([])
        gold.append([])
        for i, example in enumerate(examples):
            found = objective.read(example.reference, component)
            if found is None or not is_readable(example.predicted, objective):
                continue
            rows[-1].append(list(range(starts[i], starts[i + 1])))
            gold[-1].append(found)
    used = sorted({row for own in rows for unit in own for row in unit})
    place = {row: i for i, row in enumerate(used)}
    nothing = torch.zeros(0)
    return VectorTarget(
        doc_indices=used,
        target=nothing,
        mask=nothing.bool(),
        units=float(sum(map(len, gold))),
        chosen=[
            Chosen([[place[row] for row in unit] for unit in own], values)
            for own, values in zip(rows, gold, strict=True)
        ],
    )


def is_readable(doc: Doc, objective: Objective) -> bool:
    """Whether a Doc, or both sides of a pair, hold anything but white space. Raises: MtnlpError
    E756 for a pair that is read as one text."""
    is_space = doc.to_array(IS_SPACE)
    if not isinstance(objective, PairObjective):
        return not is_space.all()
    places = side_ranges(doc)
    if len(places) != 2:
        raise MtnlpError(Errors.E756.format(where=describe(doc), sides=len(places)))
    return all(not is_space[start:stop].all() for start, stop in places)


def objective_loss(
    objective: Objective,
    chosen: Chosen,
    vectors: torch.Tensor,
    dims: Sequence[int],
) -> torch.Tensor:
    """The sum over the units of a batch, a scalar: the mean of the losses of the whole vectors and
    of their prefixes (Matryoshka representation learning: Kusupati et al., 2022). 0 where there are
    none.

    vectors: `[rows, width]`. dims: widths of prefixes. Raises: MtnlpError E757 as the anchor does.
    """
    if not chosen.gold:
        return (vectors * 0).sum()
    objective.check(vectors.shape[1], chosen.gold)
    widths: List[Optional[int]] = [None, *(dim for dim in dims if dim < vectors.shape[1])]
    total = sum(_loss(objective, chosen, vectors[:, :width]) for width in widths)
    return torch.as_tensor(total) / len(widths)


def _loss(objective: Objective, chosen: Chosen, vectors: torch.Tensor) -> torch.Tensor:
    flat = [row for unit in chosen.rows for row in unit]
    own = vectors[torch.tensor(flat, device=vectors.device)]
    if isinstance(objective, PairObjective):
        return objective.loss(own[0::2], own[1::2], chosen.gold)
    assert isinstance(objective, DocObjective)
    return objective.loss(doc_means(own, [len(unit) for unit in chosen.rows]), chosen.gold)

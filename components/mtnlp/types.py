"""Named shapes and the small data classes that pass between rooms.

Shape letters: `batch` documents, `seq` tokens (padded), `labels` classes, `width` features.
"""

from dataclasses import dataclass, field
from typing import (
    Any,
    Callable,
    Dict,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    TypedDict,
)

import numpy as np
import torch
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


class Annotation(NamedTuple):
    """A labelled stretch of a Record.

    start, end: half-open; token indices in a Record with `tokens`, character offsets in one
        with `text`.
    """

    start: int
    end: int
    label: str


class Trimmed(Annotation):
    """An Annotation that had white space at an edge, which its reader left out. Equal to the
    Annotation without it; only the data doctor asks which of the two it is."""

    __slots__ = ()


@dataclass
class Record:
    """One unit of a corpus as read from disk, before spaCy is involved.

    Exactly one of `text` and `tokens` is set. `None` means "not annotated", an empty container
    "annotated, nothing there".

    text: the raw text (offsets of annotations are characters).
    tokens: the gold tokens (offsets of annotations are token indices).
    sent_starts: per token, whether a sentence begins there; None in the list is "unknown".
    entities: flat entities, for `doc.ents`.
    missing: half-open stretches, in the units of `entities`, of which nobody says whether they are
        an entity. None (or an empty list) means that none is: where `entities` is set, everything
        outside of them is known to be no entity. Where `entities` is None, all of the unit is
        unknown anyway.
    spans: nested or parallel layers, for `doc.spans[key]`.
    cats: document labels, `task/LABEL` to 0.0 or 1.0.
    tags: one part-of-speech tag per token.
    meta: where it comes from: `path`, `line`, `group` (what may not be split: a movie, a
        document), `stratum` (what splits are stratified by), `judged` (the tasks of which `cats`
        names every label that holds: those it does not name are known not to hold), `split` (the
        one it belongs to, whatever file it stands in); where several people annotated a text, a
        Record each, with `annotator` (who) and `document` (which text, the same for all of them).
    """

    text: Optional[str] = None
    tokens: Optional[List[str]] = None
    sent_starts: Optional[Sequence[Optional[bool]]] = None
    entities: Optional[List[Annotation]] = None
    missing: Optional[List[Tuple[int, int]]] = None
    spans: Optional[Dict[str, List[Annotation]]] = None
    cats: Optional[Dict[str, float]] = None
    tags: Optional[List[str]] = None
    meta: Dict[str, Any] = field(default_factory=dict)


class Task(TypedDict):
    """A classification task: its labels, and whether exactly one of them holds (softmax) or each
    for itself (sigmoid)."""

    labels: List[str]
    exclusive: bool


@dataclass
class HeadOutput:
    """What a head says about a batch.

    scores: logits, `[batch, seq, labels]` for token heads, `[batch, labels]` for document heads.
    features: the vectors the scores were computed from, `[batch, seq, width]` or
        `[batch, width]`; losses on representations read them.

    The gradient of a head's output has the same shape; its `features` are None where the loss does
    not read them.
    """

    scores: torch.Tensor
    features: Optional[torch.Tensor]


@dataclass
class LossBatch:
    """The arguments of every loss.

    logits: `[..., labels]` float, leaf tensor.
    features: `[..., width]` float, leaf tensor.
    target: class indices `[...]` (int64) or label indicators `[..., labels]` (float or bool).
    mask: `[...]` (a unit is annotated) or `[..., labels]` (this label of the unit is annotated),
        bool. Masked places may hold anything, NaN included.
    likelihood: computes the head's own structured negative log-likelihood of the batch, summed, a
        scalar; None where the head has none.
    """

    logits: torch.Tensor
    features: Optional[torch.Tensor]
    target: torch.Tensor
    mask: torch.Tensor
    likelihood: Optional[Callable[[], torch.Tensor]] = None


@dataclass
class SoftBatch:
    """The arguments of a head's loss against its teachers.

    logits: `[..., classes]` float, leaf tensor.
    target: `[..., groups]` float, the teacher's probabilities at the temperature; of labels each
        for itself `[..., labels]`.
    mask: `[...]` or `[..., labels]`, where the teacher says something, bool.
    weight: how much each unit counts, in the shape of the mask, 0 outside of it. Where it is 0,
        logits and target may hold anything, NaN included.
    groups: int64 `[classes]`, the place of each class among the teacher's; None where they are the
        same.
    temperature: what the logits are divided by.
    """

    logits: torch.Tensor
    target: torch.Tensor
    mask: torch.Tensor
    weight: torch.Tensor
    groups: Optional[torch.Tensor] = None
    temperature: float = 1.0

"""What teachers believe of categories, `task/LABEL`."""

from typing import Dict, List, Mapping, Sequence, Tuple

import numpy as np
import torch
from spacy.attrs import IS_SPACE
from spacy.training import Example

from ..annotation.categories import category_keys, split_key, task_of
from ..annotation.layers import CategoriesLayer
from ..errors import Errors, MtnlpError
from ..types import Ints, Task
from .opinions import CategoryOpinion, opinions_of
from .soft_targets import SoftTarget, check_kind


def soft_categories(
    examples: Sequence[Example], name: str, tasks: Dict[str, Task], temperature: float = 1.0
) -> List[SoftTarget]:
    """Opinions on categories, `[rows, labels]` with a mask of that shape.

    Labels go by their keys. Tasks of the teacher that the component does not have are left out. In
    an exclusive task of which the teacher lacks a label, those that it has are compared with one
    another: probabilities sum to 1 over them, and the others are masked. A Doc without tokens or of
    white space alone has no target.

    examples, name, temperature: as for `soft_tags`. tasks: of the student.
    Returns: one, or as many as the opinions of the Doc that has most.
    Raises: MtnlpError E732 for labels that the student lacks, E733 for a task that is exclusive for
        one of the two alone, E735 for an opinion on something else.
    """
    keys = {key: place for place, key in enumerate(category_keys(tasks))}
    columns: Dict[Tuple, Tuple[Ints, Ints]] = {}
    layers: List[Tuple[np.ndarray, np.ndarray]] = []
    for row, example in enumerate(examples):
        if example.predicted.to_array(IS_SPACE).all():
            continue
        for turn, opinion in enumerate(opinions_of(example.reference, name)):
            check_kind(name, opinion, CategoryOpinion)
            teacher = opinion.keys, opinion.exclusive  # type: ignore[union-attr]
            if teacher not in columns:
                columns[teacher] = category_columns(name, *teacher, tasks, keys)
            if turn == len(layers):
                shape = len(examples), len(keys)
                layers.append((np.zeros(shape, np.float32), np.zeros(shape, bool)))
            own, theirs = columns[teacher]
            layers[turn][0][row, own] = opinion.logits[theirs]  # type: ignore[union-attr]
            layers[turn][1][row, own] = True
    tensors = [(torch.from_numpy(logits), torch.from_numpy(mask)) for logits, mask in layers]
    return [soft_category(logits, mask, tasks, temperature) for logits, mask in tensors]


def soft_category(
    logits: torch.Tensor, mask: torch.Tensor, tasks: Dict[str, Task], temperature: float
) -> SoftTarget:
    """The target of logits `[rows, labels]`, given where the mask is."""
    probabilities, confidence = torch.zeros_like(logits), torch.zeros_like(logits)
    for part, exclusive in CategoriesLayer(tasks).columns:
        own, known = logits[:, part], mask[:, part]
        if exclusive:
            # Where nothing is known there is nothing to mask, lest it be NaN.
            own = own.masked_fill(~known & known.any(1, keepdim=True), -torch.inf)
            probabilities[:, part] = (own / temperature).softmax(1)
            confidence[:, part] = own.softmax(1).amax(1, keepdim=True)
        else:
            probabilities[:, part] = (own / temperature).sigmoid()
            confidence[:, part] = own.abs().sigmoid()
    return SoftTarget(probabilities, mask, confidence)


def category_columns(
    name: str,
    theirs: Sequence[str],
    exclusive: Sequence[str],
    tasks: Dict[str, Task],
    keys: Mapping[str, int],
) -> Tuple[Ints, Ints]:
    """Where labels of a teacher stand among the student's, and among its own. Raises: MtnlpError
    E732 and E733, see `soft_categories`."""
    shared = [i for i, key in enumerate(theirs) if task_of(key) in tasks]
    lacking = [theirs[i] for i in shared if theirs[i] not in keys]
    if lacking or not shared:
        raise MtnlpError(
            Errors.E732.format(name=name, lacking=", ".join(lacking or theirs), own=", ".join(keys))
        )
    for task in dict.fromkeys(split_key(theirs[i])[0] for i in shared):
        assert task is not None
        if (task in exclusive) != tasks[task]["exclusive"]:
            raise MtnlpError(
                Errors.E733.format(name=name, task=task, own=str(tasks[task]["exclusive"]).lower())
            )
    return np.array([keys[theirs[i]] for i in shared]), np.array(shared)

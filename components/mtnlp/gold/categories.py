"""Gold categories of Examples: `doc.cats` with keys `task/LABEL`."""

from typing import Dict, Iterable, List, Sequence

import numpy as np
import torch
from spacy.attrs import IS_SPACE
from spacy.training import Example

from ..annotation.annotated_labels import annotated_labels, task_place
from ..annotation.categories import split_key
from ..annotation.layers import CategoriesLayer
from ..types import Task
from .targets import Target


def gold_task_labels(examples: Iterable[Example], tasks: Iterable[str]) -> Dict[str, List[str]]:
    """The labels of each task in the references, and those that they are said to be annotated for,
    sorted."""
    found: Dict[str, set] = {task: set() for task in tasks}
    for example in examples:
        for key in example.reference.cats:
            task, label = split_key(key)
            if task in found and label:
                found[task].add(label)
        for task, labels in found.items():
            keys = annotated_labels(example.reference, task_place(task)) or ()
            labels.update(split_key(key)[1] for key in keys)
    return {task: sorted(labels) for task, labels in found.items()}


def category_targets(examples: Sequence[Example], tasks: Dict[str, Task]) -> Target:
    """Categories as indicators, for a batch; `CategoriesLayer.read` says what is missing.

    A document without tokens or of white space alone has no target: there is nothing to read.

    Returns: `target` float `[rows, labels]`; `mask` bool `[rows, labels]`; `units`, the annotated
    pairs of document and task.
    Raises: MtnlpError E340 and E341 for gold that cannot be.
    """
    layer = CategoriesLayer(tasks)
    values, known = layer.read([example.reference for example in examples])
    is_blank = [example.predicted.to_array(IS_SPACE).all() for example in examples]
    doc_indices = np.flatnonzero(known.any(1) & ~np.array(is_blank, dtype=bool))
    values, known = values[doc_indices], known[doc_indices]
    return Target(
        doc_indices=doc_indices.tolist(),
        target=torch.from_numpy(values).float(),
        mask=torch.from_numpy(known),
        units=float(sum(known[:, part].any(1).sum() for part, _ in layer.columns)),
    )

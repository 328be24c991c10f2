"""Gold categories of Examples: `doc.cats` with keys `task/LABEL`."""

from typing import Dict, Iterable, List, Sequence

import torch
from spacy.training import Example

from ..types import Task
from .targets import Target

SEPARATOR = "/"


def category_key(task: str, label: str) -> str:
    """The key of a label in `doc.cats`."""
    return f"{task}{SEPARATOR}{label}"


def category_keys(tasks: Dict[str, Task]) -> List[str]:
    """The keys of all labels of all tasks, in the order of a head's scores."""
    return [category_key(name, label) for name, task in tasks.items() for label in task["labels"]]


def gold_task_labels(examples: Iterable[Example], tasks: Iterable[str]) -> Dict[str, List[str]]:
    """The labels of each task in the references, sorted."""
    found: Dict[str, set] = {task: set() for task in tasks}
    for example in examples:
        for key in example.reference.cats:
            task, _, label = key.partition(SEPARATOR)
            if task in found and label:
                found[task].add(label)
    return {task: sorted(labels) for task, labels in found.items()}


def category_targets(examples: Sequence[Example], tasks: Dict[str, Task]) -> Target:
    """Categories as indicators, for a batch.

    A label without a key is missing. In an exclusive task one positive label says that the others
    are negative, so there a task is annotated as a whole or not at all.

    RETURNS: `target` float `[rows, labels]`; `mask` bool `[rows, labels]`; `units`, the annotated
    pairs of document and task.
    """
    keys = category_keys(tasks)
    rows, values, known, units = [], [], [], 0
    for i, example in enumerate(examples):
        cats = example.reference.cats
        mask = [key in cats for key in keys]
        if not len(example.predicted) or not any(mask):
            continue
        begin = 0
        for task in tasks.values():
            part = slice(begin, begin + len(task["labels"]))
            units += any(mask[part])
            if task["exclusive"] and any(mask[part]):
                mask[part] = [True] * len(task["labels"])
            begin = part.stop
        rows.append(i)
        known.append(mask)
        values.append([float(cats.get(key, 0.0)) for key in keys])
    shape = (len(rows), len(keys))
    return Target(
        rows=rows,
        target=torch.tensor(values, dtype=torch.float).reshape(shape),
        mask=torch.tensor(known, dtype=torch.bool).reshape(shape),
        units=float(units),
    )

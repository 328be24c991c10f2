"""Gold categories of Examples: `doc.cats` with keys `task/LABEL`."""

from typing import Dict, Iterable, List, Sequence

import torch
from spacy.attrs import IS_SPACE
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
    are negative, so there a task is annotated as a whole or not at all: not where no label is
    positive, and not where only a label that the task does not know is. A document without tokens
    or of white space alone has no target: there is nothing to read.

    RETURNS: `target` float `[rows, labels]`; `mask` bool `[rows, labels]`; `units`, the annotated
    pairs of document and task.
    """
    keys = category_keys(tasks)
    rows, values, known, units = [], [], [], 0
    for i, example in enumerate(examples):
        cats = example.reference.cats
        parts = [annotated_labels(cats, name, task) for name, task in tasks.items()]
        is_blank = example.predicted.to_array(IS_SPACE).all()
        if is_blank or not any(any(part) for part in parts):
            continue
        units += sum(any(part) for part in parts)
        rows.append(i)
        known.append([label for part in parts for label in part])
        values.append([float(cats.get(key, 0.0)) for key in keys])
    shape = (len(rows), len(keys))
    return Target(
        rows=rows,
        target=torch.tensor(values, dtype=torch.float).reshape(shape),
        mask=torch.tensor(known, dtype=torch.bool).reshape(shape),
        units=float(units),
    )


def annotated_labels(cats: Dict[str, float], name: str, task: Task) -> List[bool]:
    """Which of a task's labels are annotated. cats: a Doc's. name: the task's."""
    keys = [category_key(name, label) for label in task["labels"]]
    if task["exclusive"]:
        return [any(cats.get(key, 0.0) > 0 for key in keys)] * len(keys)
    return [key in cats for key in keys]

"""The keys of `doc.cats`, `task/LABEL`, and what their values say."""

from typing import Any, List, Mapping, Optional, Set, Tuple

SEPARATOR = "/"
# A category holds from here on. Training takes 0.0 and 1.0 alone; what was merely predicted, or
# annotated by vote, is read as spaCy's scorer reads it.
POSITIVE = 0.5

Cats = Mapping[str, float]

# The task of keys without a slash: those of spaCy's own `textcat`, whose labels are one task.
UNNAMED = ""


def category_key(task: str, label: str) -> str:
    """The key of a label in `doc.cats`; the label itself where the task is `UNNAMED`."""
    return f"{task}{SEPARATOR}{label}" if task else label


def task_keys(name: str, spec: Mapping[str, Any]) -> Tuple[str, ...]:
    """The full keys of a task: its labels with its name in front."""
    return tuple(category_key(name, label) for label in spec.get("labels") or ())


def category_keys(tasks: Mapping[str, Mapping[str, Any]]) -> List[str]:
    """The keys of all labels of all tasks, in the order of a head's scores."""
    return [key for name, task in tasks.items() for key in task_keys(name, task)]


def split_key(key: str) -> Tuple[Optional[str], str]:
    """Task and label of a key of `doc.cats`; the task is None for a key without a slash."""
    task, slash, label = key.partition(SEPARATOR)
    return (task, label) if slash else (None, key)


def task_of(key: str) -> Optional[str]:
    """The task a key of `doc.cats` belongs to, None for a key without a slash."""
    return split_key(key)[0]


def is_positive(value: float) -> bool:
    """Whether a category with this value holds."""
    return value >= POSITIVE


def annotated_keys(cats: Cats, task: str) -> List[str]:
    """The keys of a task that a document is annotated with: those that have a value. NaN is
    none."""
    name = task or None
    return [key for key, value in cats.items() if task_of(key) == name and value == value]


def annotated_tasks(cats: Cats) -> Set[str]:
    """The tasks that a document has a key of."""
    return {task for key in cats if (task := task_of(key)) is not None}


def positive_keys(cats: Cats, task: str) -> List[str]:
    """The keys of a task that hold."""
    return [key for key in annotated_keys(cats, task) if is_positive(cats[key])]


def is_task_annotated(cats: Cats, task: str, exclusive: bool) -> bool:
    """Whether a document is annotated for a task, with labels that a pipe knows or with others.

    In an exclusive task the positive label alone says something: of a document whose labels are
    all negative nobody knows which one holds.
    """
    return bool(positive_keys(cats, task) if exclusive else annotated_keys(cats, task))

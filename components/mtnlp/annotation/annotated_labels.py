"""Which labels a Doc is annotated for, where that is not all of them.

A corpus that was annotated for new labels alone says nothing of the others: a token outside of its
entities is none of the new ones, and may be in one of the others. A reader says so of its reference
Docs; targets and scores ask here. It is said of a place: `str(layer)` of entities, `task_place` of
categories.
"""

from typing import Dict, FrozenSet, Iterable, List, Optional

from spacy.tokens import Doc

from .categories import Cats, is_positive, task_of

KEY = "mtnlp_annotated_labels"


def task_place(task: str) -> str:
    """The place of the categories of a task."""
    return f"doc.cats, {task}"


def set_annotated_labels(doc: Doc, place: str, labels: Iterable[str]) -> None:
    """Say that a reference Doc is annotated for some labels and for no others of this place.

    labels: as the pipe's `labels` write them, so those of categories with their task.
    """
    said: Dict[str, List[str]] = doc.user_data.get(KEY, {})
    doc.user_data[KEY] = {**said, place: list(labels)}


def annotated_labels(doc: Doc, place: str) -> Optional[FrozenSet[str]]:
    """The labels of a place that a reference Doc is annotated for; None where nobody said, so that
    it is all."""
    said: Optional[Dict[str, List[str]]] = doc.user_data.get(KEY)
    labels = None if said is None else said.get(place)
    return None if labels is None else frozenset(labels)


def annotated_cats(doc: Doc) -> Cats:
    """The categories of a reference Doc without those that say nothing: 0.0 beside the labels that
    it is annotated for."""
    if KEY not in doc.user_data:
        return doc.cats
    return {key: value for key, value in doc.cats.items() if is_positive(value) or _says(doc, key)}


def _says(doc: Doc, key: str) -> bool:
    labels = annotated_labels(doc, task_place(task_of(key) or ""))
    return labels is None or key in labels

"""What a pipeline says in place of the gold: which labels it takes for which others, which it
misses, and which it sees where nothing is."""

from collections import Counter
from dataclasses import dataclass
from typing import AbstractSet, Any, Callable, Dict, List, Optional, Tuple, Union

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..annotation.categories import positive_keys, split_key
from ..annotation.layers import (
    CategoriesLayer,
    EntityLayer,
    EntsLayer,
    SpansLayer,
    find_layer,
)
from ..scorers.categories import CategoryTask
from ..scorers.counts import Counts, add_counts, count_per_label
from ..scorers.entities import SpanKey, gold_entities, predicted_entities
from .alignment import MISSED, OTHER_LABEL, OVERLAP, RIGHT, SPURIOUS, align_entities
from .categories import category_tasks, task_path

# What is wrong, the gold label, the predicted one; None where there is none.
Error = Tuple[str, Optional[str], Optional[str]]
# Gold and predicted entities, or labels, of one document; None where it is not annotated.
Decision = Optional[Tuple[AbstractSet[Any], AbstractSet[Any]]]


@dataclass(frozen=True)
class LabelTask:
    """What a pipeline decides: entities of one layer, or a task of a classifier.

    source: the layer, or the task. decide: gold and predictions of a document. label: of one of
        them. find_errors: of a document, from its gold and its predictions. gold_labels: all that
        a reference has.
    """

    source: Union[EntityLayer, CategoryTask]
    decide: Callable[[Example], Decision]
    label: Callable[[Any], str]
    find_errors: Callable[[AbstractSet[Any], AbstractSet[Any]], List[Error]]
    gold_labels: Callable[[Doc], List[str]]


class ErrorCounts:
    """Adds up the errors of a task over documents; keeps no document.

    documents: the annotated ones. errors: how often each is made. per_label: right and wrong ones.
    """

    def __init__(self, task: LabelTask) -> None:
        self.documents = 0
        self.errors: Counter[Error] = Counter()
        self.per_label: Dict[str, Counts] = {}
        self._task = task

    def add(self, example: Example) -> None:
        """Take up a document."""
        decision = self._task.decide(example)
        if decision is None:
            return
        self.documents += 1
        self.errors.update(self._task.find_errors(*decision))
        add_counts(self.per_label, count_per_label([decision], self._task.label))

    def confusions(self) -> List[Dict[str, Any]]:
        """All kinds of errors, the most frequent first.

        Returns: [{"error": "other label", "boundaries", "missed" or "spurious", "gold",
            "predicted": labels or None, "count"}].
        """
        ranked = sorted(
            self.errors.items(), key=lambda item: (-item[1], item[0][0], str(item[0][1:]))
        )
        return [
            {"error": error, "gold": gold, "predicted": predicted, "count": count}
            for (error, gold, predicted), count in ranked
        ]


def find_tasks(nlp: Language) -> Dict[str, LabelTask]:
    """All that a pipeline decides, by name: a component that finds entities by its own, a task of a
    classifier as `component: task`. Of classifiers that share a task, the last one decides: it
    writes over what the others have written."""
    tasks: Dict[str, LabelTask] = {}
    deciding: Dict[Any, str] = {}
    for name, pipe in nlp.pipeline:
        layer = find_layer(pipe)
        if isinstance(layer, (EntsLayer, SpansLayer)):
            tasks[name] = entity_task(layer)
        elif isinstance(layer, CategoriesLayer):
            for task in category_tasks(pipe, layer):
                place = task.name or task.keys
                tasks.pop(deciding.get(place, ""), None)
                deciding[place] = task_path(name, task)
                tasks[deciding[place]] = category_task(task)
    return tasks


def entity_task(layer: EntityLayer) -> LabelTask:
    """The entities of a layer."""

    def decide(example: Example) -> Decision:
        if not layer.is_annotated(example.reference):
            return None
        key = layer.spans_key
        return gold_entities(example, key), predicted_entities(example, key)

    return LabelTask(
        layer,
        decide,
        label=lambda entity: str(entity[2]),
        find_errors=entity_errors,
        gold_labels=lambda doc: [span.label_ for span in layer.spans(doc)],
    )


def category_task(task: CategoryTask) -> LabelTask:
    """A task of a classifier."""
    return LabelTask(
        task,
        lambda example: task.decide(example.reference.cats, example.predicted.cats),
        label=label_of,
        find_errors=exclusive_errors if task.exclusive else multilabel_errors,
        gold_labels=lambda doc: [
            label_of(key) for key in positive_keys(task.own(doc.cats), task.name)
        ],
    )


def label_of(key: str) -> str:
    """The label of a key of `doc.cats`."""
    return split_key(key)[1]


def entity_errors(gold: AbstractSet[SpanKey], predicted: AbstractSet[SpanKey]) -> List[Error]:
    """The errors of one document. Each wrong prediction and each gold entity that is not found is
    in one of them.

    A wrong prediction stands for a gold entity of the same words ("other label"), else for one of
    its label that it overlaps, the nearest ("boundaries"). What is left is missed or spurious.
    """
    errors: List[Error] = []
    for match in align_entities(gold, predicted):
        right = match.gold and match.gold[2]
        given = match.predicted and match.predicted[2]
        if match.kind == OVERLAP:
            errors += [(MISSED, right, None), (SPURIOUS, None, given)]
        elif match.kind != RIGHT:
            errors.append((match.kind, right, given))
    return errors


def exclusive_errors(gold: AbstractSet[str], predicted: AbstractSet[str]) -> List[Error]:
    """The error of a document of which one label holds: another one, or none."""
    if gold == predicted:
        return []
    right, given = (sorted(map(label_of, keys)) for keys in (gold, predicted))
    if not given:
        return [(MISSED, label, None) for label in right]
    return [(OTHER_LABEL, label, given[0]) for label in right]


def multilabel_errors(gold: AbstractSet[str], predicted: AbstractSet[str]) -> List[Error]:
    """The errors of a document of which several labels may hold: which takes the place of which
    nobody can tell."""
    missed: List[Error] = [(MISSED, label_of(key), None) for key in gold - predicted]
    return missed + [(SPURIOUS, None, label_of(key)) for key in predicted - gold]

"""What a trained pipeline can learn from data that has labels which one of its components lacks."""

from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence

from spacy.language import Language
from spacy.tokens import Doc

from ..annotation.categories import is_positive, positive_keys, split_key
from ..annotation.layers import CategoriesLayer, EntityLayer, EntsLayer, SpansLayer
from ..errors import Errors, MtnlpError
from ..types import Task


@dataclass(frozen=True)
class NewLabels:
    """The labels that a component is to learn.

    labels: as the component writes them. exclusive: of tasks that are new, too, whether exactly one
    label holds. known: labels of the component that the data has as well. settings: of the corpus,
    where its entities are to move to where the component looks for them.
    """

    component: str
    labels: List[str]
    exclusive: Dict[str, bool] = field(default_factory=dict)
    known: List[str] = field(default_factory=list)
    settings: Dict[str, Any] = field(default_factory=dict)


def find_new_labels(
    nlp: Language, docs: Sequence[Doc], component: Optional[str] = None
) -> NewLabels:
    """The component that lacks labels of the data, and these labels.

    docs: of the training data. component: the one that is meant. Without it, it is the one that
    looks where the data is annotated and lacks labels. With it, entities are taken from another
    layer where the data has but one, and tasks may be new.
    Raises: MtnlpError E777 where the data has no label that a component lacks, E778 where several
        lack some, E779 for a component that cannot learn labels, E781 where new labels of an
        exclusive task hold in all texts.
    """
    able = [name for name, pipe in nlp.pipeline if can_grow(pipe)]
    if component is not None and component not in able:
        raise MtnlpError(
            Errors.E779.format(
                name=component, able=", ".join(able) or "none", pipes=", ".join(nlp.pipe_names)
            )
        )
    names = able if component is None else [component]
    every = [look(name, nlp.get_pipe(name), docs, component is not None) for name in names]
    found = [each for each in every if each.labels]
    if not found:
        raise MtnlpError(Errors.E777.format(found=describe(docs), known=known_labels(nlp, names)))
    if len(found) > 1:
        listed = "; ".join(f"{each.component} ({', '.join(each.labels)})" for each in found)
        raise MtnlpError(Errors.E778.format(found=listed))
    return found[0]


def can_grow(pipe: Any) -> bool:
    """Whether a component can get further labels."""
    return (
        hasattr(pipe, "grow")
        and getattr(pipe, "layer", None) is not None
        and pipe.is_built
        and hasattr(pipe.module, "grow_from")
    )


def look(name: str, pipe: Any, docs: Sequence[Doc], is_meant: bool) -> NewLabels:
    """What data has for a component. is_meant: whether somebody said that it is this one."""
    if isinstance(pipe.layer, CategoriesLayer):
        return look_for_categories(name, pipe, docs, is_meant)
    settings: Dict[str, Any] = {}
    layer: EntityLayer = pipe.layer
    if is_meant and not any(layer.is_annotated(doc) for doc in docs):
        others = [other for other in entity_layers(docs) if other != layer]
        if len(others) == 1:
            settings = move(others[0], layer)
            layer = others[0]
    found = sorted({label for doc in docs for label in layer.label_counts(doc)})
    return divide(name, pipe, found, settings=settings)


def look_for_categories(name: str, pipe: Any, docs: Sequence[Doc], is_meant: bool) -> NewLabels:
    """As `look`, for a classifier."""
    tasks: Dict[str, Task] = pipe.tasks
    keys = list(dict.fromkeys(key for doc in docs for key in doc.cats if split_key(key)[0]))
    strange = dict.fromkeys(str(split_key(key)[0]) for key in keys)
    exclusive = {
        task: all(len(positive_keys(doc.cats, task)) == 1 for doc in docs if has_task(doc, task))
        for task in strange
        if is_meant and task not in tasks
    }
    found = [key for key in keys if split_key(key)[0] in (*tasks, *exclusive)]
    made = divide(name, pipe, sorted(found), exclusive=exclusive)
    for task in strange:
        new = [label for label in made.labels if split_key(label)[0] == task]
        if task in tasks and tasks[task]["exclusive"]:
            require_others(docs, task, new)
        elif not exclusive.get(task, False):
            require_negatives(docs, task, new)
    return made


def require_others(docs: Sequence[Doc], task: str, new: Sequence[str]) -> None:
    """Raises: MtnlpError E781 where new labels of an exclusive task hold in all texts."""
    positive = [positive_keys(doc.cats, task) for doc in docs if has_task(doc, task)]
    if new and all(set(keys) & set(new) for keys in positive):
        raise MtnlpError(Errors.E781.format(task=task, labels=", ".join(new)))


def require_negatives(docs: Sequence[Doc], task: str, new: Sequence[str]) -> None:
    """Raises: MtnlpError E783 where a new label of a task whose labels hold each for itself holds
    in all texts that say anything of it."""
    always = [
        key for key in new if all(is_positive(doc.cats[key]) for doc in docs if key in doc.cats)
    ]
    if always:
        raise MtnlpError(Errors.E783.format(task=task, labels=", ".join(always)))


def divide(name: str, pipe: Any, found: Sequence[str], **more: Any) -> NewLabels:
    """Labels of data that a component lacks, and those that it knows."""
    new = [label for label in found if label not in pipe.labels]
    return NewLabels(name, new, known=[label for label in found if label in pipe.labels], **more)


def has_task(doc: Doc, task: str) -> bool:
    """Whether a Doc has a category of a task."""
    return any(split_key(key)[0] == task for key in doc.cats)


def entity_layers(docs: Sequence[Doc]) -> List[EntityLayer]:
    """The layers of entities that some Docs are annotated in."""
    keys = dict.fromkeys(key for doc in docs for key in doc.spans)
    layers: List[EntityLayer] = [EntsLayer(), *(SpansLayer(key) for key in keys)]
    return [layer for layer in layers if any(layer.is_annotated(doc) for doc in docs)]


def move(source: EntityLayer, target: EntityLayer) -> Dict[str, Any]:
    """The settings of a corpus that move one layer to another."""
    if source.spans_key is None:
        return {"ents_to": target.spans_key}
    if target.spans_key is None:
        return {"spans_to_ents": source.spans_key}
    return {"spans": {source.spans_key: target.spans_key}}


def describe(docs: Sequence[Doc]) -> str:
    """All labels of some Docs, for a message."""
    parts = []
    for layer in entity_layers(docs):
        labels = sorted({label for doc in docs for label in layer.label_counts(doc)})
        parts.append(f"{layer}: {', '.join(labels) or 'no entities'}")
    keys = sorted({key for doc in docs for key in doc.cats})
    parts += [f"doc.cats: {', '.join(keys)}"] if keys else []
    return "; ".join(parts) or "no annotation"


def known_labels(nlp: Language, names: Sequence[str]) -> str:
    """The labels of components, for a message."""
    pipes: List[Any] = [nlp.get_pipe(name) for name in names]
    return "; ".join(
        f"{name} ({pipe.layer}): {', '.join(pipe.labels)}"
        for name, pipe in zip(names, pipes, strict=True)
    )


def sole_task(nlp: Language, component: Optional[str] = None) -> Optional[str]:
    """The task that categories of data without a name for theirs belong to, where there is but one:
    that of the component, or of all classifiers of a pipeline."""
    layers = [
        getattr(pipe, "layer", None) for name, pipe in nlp.pipeline if component in (None, name)
    ]
    tasks = [task for layer in layers if isinstance(layer, CategoriesLayer) for task in layer.tasks]
    return tasks[0] if len(tasks) == 1 else None

"""Which points a map of a pipeline and a corpus can have."""

from dataclasses import replace
from functools import partial
from typing import Any, Dict, List, Optional, Sequence, Tuple

from spacy.language import Language
from spacy.tokens import Doc

from ..annotation.layers import CategoriesLayer, EntsLayer, SpansLayer, entity_layer, find_layer
from ..errors import Errors, MtnlpError
from ..evaluation.categories import category_tasks, task_path
from ..scorers.categories import infer_tasks
from .points import Documents, Entities, PointSource

DOCUMENTS, SENTENCES, ENTITIES = "documents", "sentences", "entities"
KINDS = (DOCUMENTS, SENTENCES, ENTITIES)


def predicted_sources(nlp: Language) -> Dict[str, PointSource]:
    """What the pipeline decides, by name: entities of each component that finds some, documents by
    each task of each classifier, as `component: task`. Of classifiers that share a task, the last
    one decides."""
    found: Dict[str, PointSource] = {}
    deciding: Dict[Any, str] = {}
    for name, pipe in nlp.pipeline:
        layer = find_layer(pipe)
        if isinstance(layer, (EntsLayer, SpansLayer)):
            found[name] = Entities(layer, layer.spans_key or name, name)
        elif isinstance(layer, CategoriesLayer):
            for task in category_tasks(pipe, layer):
                place = task.name or task.keys
                found.pop(deciding.get(place, ""), None)
                deciding[place] = task_path(name, task)
                found[deciding[place]] = Documents(task, deciding[place])
        elif "doc.ents" in nlp.get_pipe_meta(name).assigns:
            found[name] = Entities(EntsLayer(), name, name)
    return found


def choose_source(
    nlp: Language, kind: str, name: Optional[str], references: Sequence[Doc]
) -> PointSource:
    """What a map shows.

    By default it is what most of the documents are annotated for, of all that the pipeline
    decides; where none is annotated for that, of all that is annotated.

    kind: one of KINDS. name: the component that finds entities, or the task; "component: task" is
        understood, too. references: some documents of the corpus.
    Raises: MtnlpError E719 where there is no such component or task.
    """
    predicted = list(predicted_sources(nlp).values())
    places = {_place(source) for source in predicted}
    gold = [source for source in _gold_sources(references) if _place(source) not in places]
    candidates = [
        source
        for source in [*predicted, *gold]
        if isinstance(source, Entities) == (kind == ENTITIES)
    ]
    named = [source for source in candidates if name in _names(source)]
    if name is not None and not named:
        names = ", ".join(f"'{source.name}'" for source in candidates) or "none"
        raise MtnlpError(Errors.E719.format(name=name, kind=kind, names=names))
    fallback = Entities(EntsLayer(), "") if kind == ENTITIES else Documents()
    source = max(named or candidates, key=partial(_fitness, references), default=fallback)
    if isinstance(source, Documents):
        return replace(source, sentences=kind == SENTENCES)
    return source


def _fitness(references: Sequence[Doc], source: PointSource) -> Tuple[bool, int]:
    count = sum(map(source.is_annotated, references))
    return source.is_predicted and count > 0, count


def _place(source: PointSource) -> Any:
    """Where its annotation is: the layer, or the name of the task."""
    return source.layer if isinstance(source, Entities) else source.task and source.task.name


def _gold_sources(references: Sequence[Doc]) -> List[PointSource]:
    """What somebody annotated, whether the pipeline decides it or not."""
    keys: Dict[Optional[str], None] = {}
    for doc in references:
        if doc.ents:
            keys[None] = None
        keys.update(
            dict.fromkeys(
                key for key, group in doc.spans.items() if any(span.label_ for span in group)
            )
        )
    found: List[PointSource] = [
        Entities(entity_layer(key), "", key or "doc.ents", is_predicted=False) for key in keys
    ]
    tasks = infer_tasks((doc.cats, {}) for doc in references)
    return found + [Documents(task, name, is_predicted=False) for name, task in tasks.items()]


def _names(source: PointSource) -> List[Optional[str]]:
    """How a user may call it."""
    name = source.name or ""
    return [name, name.partition(": ")[2]] if ": " in name else [name]

"""How far two pipelines say the same, in the labels that the first one knows."""

from typing import Any, Dict, List, Sequence

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..annotation.annotated_labels import set_annotated_labels, task_place
from ..annotation.categories import category_key
from ..annotation.layers import CategoriesLayer
from ..data.reading import same_words
from ..types import Task


def predict(nlp: Language, references: Sequence[Doc]) -> List[Doc]:
    """What a pipeline says of the words and spaces of some Docs."""
    return list(nlp.pipe([same_words(nlp.vocab, doc) for doc in references]))


def agreement(
    old: Language, new: Language, docs: Sequence[Doc], names: Sequence[str]
) -> Dict[str, float]:
    """By component, the score that the new pipeline has where the old one's answers are the gold,
    in the old one's labels alone: F1 of entities and of labels, accuracy of exclusive tasks. Empty
    without Docs.

    docs: what the new pipeline says. names: components that both have.
    """
    if not docs:
        return {}
    gold = predict(old, docs)
    found: Dict[str, float] = {}
    for name in names:
        pipe: Any = old.get_pipe(name)
        for doc in gold:
            as_gold(doc, pipe)
        examples = [Example(said, doc) for said, doc in zip(docs, gold, strict=True)]
        grown: Any = new.get_pipe(name)
        scores = grown.score(examples)
        if isinstance(pipe.layer, CategoriesLayer):
            parts = [
                scores[f"cats_{task}_{'acc' if spec['exclusive'] else 'micro_f'}"]
                for task, spec in pipe.tasks.items()
            ]
            found[name] = sum(parts) / len(parts)
        else:
            key = pipe.layer.spans_key
            found[name] = scores["ents_f" if key is None else f"spans_{key}_f"]
    return found


def as_gold(doc: Doc, pipe: Any) -> None:
    """Make a component's answers on a Doc gold, for its labels alone."""
    if not isinstance(pipe.layer, CategoriesLayer):
        set_annotated_labels(doc, str(pipe.layer), pipe.labels)
        return
    thresholds = dict(zip(pipe.labels, pipe.label_thresholds.tolist(), strict=True))
    for task, spec in pipe.tasks.items():
        keys = [category_key(task, label) for label in spec["labels"]]
        set_annotated_labels(doc, task_place(task), keys)
        doc.cats.update(decide(doc, keys, spec, thresholds))


def decide(
    doc: Doc, keys: Sequence[str], task: Task, thresholds: Dict[str, float]
) -> Dict[str, float]:
    """Probabilities of a task's labels as 0.0 and 1.0."""
    if task["exclusive"]:
        best = max(keys, key=lambda key: doc.cats[key])
        return {key: float(key == best and doc.cats[key] > 0) for key in keys}
    return {key: float(doc.cats[key] >= thresholds[key]) for key in keys}

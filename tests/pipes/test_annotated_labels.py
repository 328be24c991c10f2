"""Documents that are annotated for new labels alone, beside a teacher of the old ones."""

from pathlib import Path
from typing import Any, Dict, List

import pytest
from spacy.training import Example

from mtnlp.annotation.annotated_labels import set_annotated_labels, task_place
from mtnlp.gold.opinions import set_opinions
from tests.pipes.cases import adam, get_case_pipe, initialized, listed, make_case, only, train
from tests.tiny import make_example

FOX, WOLF = "I saw a red fox near Rome .", "The grey wolf slept in New York ."
# What the new data says, and which of its labels are annotated.
NEW: Dict[str, List[Dict[str, Any]]] = {
    "softmax": [{"ents": [(3, 5, "ANIM")]}, {"ents": [(1, 3, "ANIM")]}],
    "span": [
        {"spans": [(3, 5, "ANIM")], "key": "nerel"},
        {"spans": [(1, 3, "ANIM")], "key": "nerel"},
    ],
    "marker": [
        {"spans": [(3, 5, "ANIM")], "key": "nerel"},
        {"spans": [(1, 3, "ANIM")], "key": "nerel"},
    ],
    "multitask": [
        {"cats": {"sentiment/mixed": 1.0, "topic/FOOD": 0.0}},
        {"cats": {"sentiment/mixed": 0.0, "topic/FOOD": 1.0}},
    ],
}
LAYERS = {"softmax": "ner", "span": "nested_ner", "marker": "nested_ner", "multitask": "textcat"}


def new_examples(nlp: Any, name: str) -> List[Example]:
    pipe = get_case_pipe(nlp, name)
    made = []
    for text, layer in zip((FOX, WOLF), NEW[name], strict=True):
        example = make_example(nlp, text, **layer)
        reference = example.reference
        if name == "multitask":
            for key in reference.cats:
                set_annotated_labels(reference, task_place(key.partition("/")[0]), [key])
        else:
            set_annotated_labels(reference, str(pipe.layer), ["ANIM"])
        made.append(example)
    return made


def answers(nlp: Any, name: str) -> List[Any]:
    """What a pipeline says, in labels that are not new."""
    if name == "multitask":
        return [nlp(text).cats for text in (FOX, WOLF)]
    key = get_case_pipe(nlp, name).cfg["spans_key"]
    docs = [nlp(text) for text in (FOX, WOLF)]
    return [listed(doc.ents if key is None else doc.spans[key]) for doc in docs]


@pytest.mark.parametrize("name", NEW)
def test_new_labels_are_learnt_and_old_ones_kept(name: str, backbone: Path) -> None:
    nlp = initialized(make_case(backbone, name))
    train(nlp, only(nlp, LAYERS[name]), steps=10)
    pipe = get_case_pipe(nlp, name)
    before = answers(nlp, name)
    examples = new_examples(nlp, name)
    docs = [nlp.get_pipe("transformer")(example.predicted.copy()) for example in examples]
    for example, opinion in zip(examples, pipe.opinions(docs), strict=True):
        set_opinions(example.reference, {pipe.name: [opinion]})
    pipe.grow(["ANIM"] if name != "multitask" else ["sentiment/mixed", "topic/FOOD"])
    pipe.cfg["teacher_weight"] = 0.0
    lesson = pipe.get_lesson(examples)
    words = sum(len(example.predicted) for example in examples)
    assert sum(lesson.units) == (words if name != "multitask" else 4)
    train(nlp, examples, steps=20 if name != "multitask" else 50, sgd=adam(0.01))
    after = answers(nlp, name)
    if name != "multitask":
        for old, new, layer in zip(before, after, NEW[name], strict=True):
            (fox,) = layer.get("ents") or layer["spans"]
            assert fox in new
            kept = [one for one in old if one[:2] != fox[:2]]
            if name != "softmax":  # there it takes the place of what it overlaps
                assert [one for one in new if one != fox] == kept
        return
    fox_cats, wolf_cats = after
    assert fox_cats["sentiment/mixed"] > 0.8 and fox_cats["topic/FOOD"] < 0.2
    assert wolf_cats["sentiment/mixed"] < 0.2 and wolf_cats["topic/FOOD"] > 0.8
    assert fox_cats["topic/SPORT"] == pytest.approx(before[0]["topic/SPORT"], abs=0.2)
    # Of those sentiments that the teacher knows, as it said.
    share = before[1]["sentiment/positive"]
    assert wolf_cats["sentiment/positive"] == pytest.approx(share, abs=0.2)

"""Which labels of some data a pipeline lacks, and which component is to learn them."""

from pathlib import Path
from typing import Any, Dict, List

import pytest
from spacy.tokens import Doc

from mtnlp.errors import MtnlpError
from mtnlp.recipes.new_labels import NewLabels, find_new_labels, sole_task
from tests.pipes.cases import TASKS, initialized
from tests.tiny import make_example, make_nlp

TEXT = "I saw a red fox near Rome ."


@pytest.fixture(scope="module")
def nlp(backbone: Path) -> Any:
    made = make_nlp(
        backbone,
        ["ner", "fine_ner", "textcat", "events", "sentence_vectors"],
        {"textcat": {"tasks": TASKS}},
    )
    return initialized(made)


def docs(nlp: Any, *layers: Dict[str, Any]) -> List[Doc]:
    return [make_example(nlp, TEXT, **layer).reference for layer in layers]


def test_entities(nlp: Any) -> None:
    found = docs(nlp, {"ents": [(3, 5, "FOX"), (6, 7, "LOC")]}, {"ents": [(3, 5, "BAT")]})
    assert find_new_labels(nlp, found) == NewLabels("ner", ["BAT", "FOX"], known=["LOC"])
    found = docs(nlp, {"spans": [(3, 5, "FOX")]})
    assert find_new_labels(nlp, found) == NewLabels("fine_ner", ["FOX"])


def test_entities_of_another_layer(nlp: Any) -> None:
    found = docs(nlp, {"ents": [(3, 5, "FOX")]})
    made = find_new_labels(nlp, found, "fine_ner")
    assert made == NewLabels("fine_ner", ["FOX"], settings={"ents_to": "multinerd"})
    found = docs(nlp, {"spans": [(3, 5, "FOX")], "key": "sc"})
    made = find_new_labels(nlp, found, "ner")
    assert made == NewLabels("ner", ["FOX"], settings={"spans_to_ents": "sc"})
    made = find_new_labels(nlp, found, "fine_ner")
    assert made.settings == {"spans": {"sc": "multinerd"}}


def test_categories(nlp: Any) -> None:
    cats = {"topic/SPORT": 0.0, "topic/FOOD": 1.0, "sentiment/mixed": 1.0}
    with pytest.raises(MtnlpError, match=r"E781.*'sentiment'.*\(sentiment/mixed\)"):
        find_new_labels(nlp, docs(nlp, {"cats": {"sentiment/mixed": 1.0}}))
    others = {"sentiment/mixed": 0.0}
    with pytest.raises(MtnlpError, match=r"E783.*\(topic/FOOD\) of the task 'topic'"):
        find_new_labels(nlp, docs(nlp, {"cats": cats}, {"cats": others}))
    others["topic/FOOD"] = 0.0
    found = find_new_labels(nlp, docs(nlp, {"cats": cats}, {"cats": others}))
    assert found == NewLabels("textcat", ["sentiment/mixed", "topic/FOOD"], known=["topic/SPORT"])


@pytest.mark.parametrize("exclusive", [True, False])
def test_a_new_task(nlp: Any, exclusive: bool) -> None:
    cats = {"mood/glad": 1.0, "mood/sad": 0.0 if exclusive else 1.0}
    others = {"mood/glad": 0.0, "mood/sad": 0.0}
    found = docs(nlp, {"cats": cats}, *([] if exclusive else [{"cats": others}]))
    with pytest.raises(MtnlpError, match=r"E777.*doc\.cats: mood/glad, mood/sad"):
        find_new_labels(nlp, found)
    made = find_new_labels(nlp, found, "textcat")
    assert made == NewLabels("textcat", ["mood/glad", "mood/sad"], {"mood": exclusive})
    if not exclusive:
        with pytest.raises(MtnlpError, match=r"E783.*\(mood/glad, mood/sad\) of the task 'mood'"):
            find_new_labels(nlp, found[:1], "textcat")


def test_nothing_new(nlp: Any) -> None:
    with pytest.raises(MtnlpError, match=r"E777.*doc\.ents: LOC.*ner \(doc\.ents\): LOC, PER"):
        find_new_labels(nlp, docs(nlp, {"ents": [(6, 7, "LOC")]}))
    with pytest.raises(MtnlpError, match=r"E777.*no annotation"):
        find_new_labels(nlp, docs(nlp, {}))


def test_several_components(nlp: Any) -> None:
    rain = {"ents": [(3, 5, "FOX")], "cats": {"event/RAIN": 1.0}}
    found = docs(nlp, rain, {"cats": {"event/RAIN": 0.0}})
    with pytest.raises(MtnlpError, match=r"E778.*ner \(FOX\); events \(event/RAIN\)"):
        find_new_labels(nlp, found)
    assert find_new_labels(nlp, found, "events") == NewLabels("events", ["event/RAIN"])


@pytest.mark.parametrize("name", ["transformer", "sentence_vectors", "tagger"])
def test_components_without_labels(nlp: Any, name: str) -> None:
    with pytest.raises(MtnlpError, match=rf"E779.*'{name}'.*can: ner, fine_ner, textcat, events;"):
        find_new_labels(nlp, docs(nlp, {}), name)


def test_the_only_task(nlp: Any) -> None:
    assert sole_task(nlp, "events") == "event"
    assert sole_task(nlp) is None and sole_task(nlp, "textcat") is None

"""Training, scoring, counting and planning agree on which Docs are annotated for a pipe."""

from pathlib import Path
from typing import Any, Dict, List

import pytest
from spacy.language import Language
from spacy.training import Example

from mtnlp.annotation.layers import CategoriesLayer, EntsLayer, SpansLayer
from mtnlp.calibration.collected_scores import start_collection
from mtnlp.evaluation.document_counts import find_counters
from mtnlp.experiments.joint_plan import annotated_heads, find_heads
from mtnlp.pipes.base import TorchPipe
from tests.pipes.cases import TASKS, initialized
from tests.tiny import make_example, make_nlp

HEADS = ["ner", "fine_ner", "nested_ner", "textcat", "events"]
ANNOTATIONS: List[Dict[str, Any]] = [
    {},
    {"ents": []},
    {"ents": [(0, 1, "PER")]},
    {"ents": [], "missing": [0, 1, 2]},
    {"spans": []},
    {"spans": [(0, 1, "LOC")], "key": "nerel"},
    {"spans": [(0, 1, "LOC")], "key": "other"},
    {"cats": {"sentiment/positive": 1.0}},
    {"cats": {"sentiment/positive": 0.0}},
    {"cats": {"sentiment/positive": 0.0, "sentiment/negative": 0.0}},
    {"cats": {"topic/MONEY": 0.0}},
    {"cats": {"event/BIRTH": 1.0, "sentiment/negative": 0.0}},
    {"cats": {"plain": 1.0, "other/x": 1.0}},
]


@pytest.fixture(scope="module")
def nlp(backbone: Path) -> Language:
    return initialized(make_nlp(backbone, HEADS, {"textcat": {"tasks": TASKS}}))


def trained_on(pipe: Any, example: Example) -> bool:
    return pipe.get_target([example]).doc_indices == [0]


def counted(nlp: Language, name: str, example: Example) -> bool:
    """Whether a score counts the Doc."""
    tasks = {key: count for key, (_, count) in find_counters(nlp).items()}
    own = [count for key, count in tasks.items() if key.split("/")[0] == name]
    assert own
    return any(count(example) is not None for count in own)


@pytest.mark.parametrize("annotation", ANNOTATIONS, ids=str)
def test_all_rooms_agree(annotation: Dict[str, Any], nlp: Language) -> None:
    example = make_example(nlp, "Anna saw Rome", **annotation)
    heads = find_heads(nlp)
    assert list(heads) == HEADS
    for name, pipe in heads.items():
        expected = pipe.is_annotated(example.reference)
        assert trained_on(pipe, example) == expected
        assert counted(nlp, name, example) == expected
        assert start_collection(pipe).wants(example.reference) == expected
        assert (name in annotated_heads(heads, [example])) == expected


def test_a_label_that_no_pipe_knows_is_annotated_and_trains_nothing(nlp: Language) -> None:
    """A score counts it as not found."""
    pipe: Any = nlp.get_pipe("textcat")
    example = make_example(nlp, "Anna saw Rome", cats={"sentiment/mixed": 1.0})
    assert pipe.is_annotated(example.reference) and counted(nlp, "textcat", example)
    assert not trained_on(pipe, example) and not start_collection(pipe).wants(example.reference)


def test_pipes_are_told_apart_by_their_layer(nlp: Language) -> None:
    heads = find_heads(nlp)
    assert [heads[name].layer for name in HEADS[:3]] == [
        EntsLayer(),
        SpansLayer("multinerd"),
        SpansLayer("nerel"),
    ]
    assert all(isinstance(heads[name].layer, CategoriesLayer) for name in HEADS[3:])


def test_vectors_have_no_gold(backbone: Path) -> None:
    nlp = initialized(make_nlp(backbone, ["sentence_vectors"]))
    pipe = nlp.get_pipe("sentence_vectors")
    assert isinstance(pipe, TorchPipe) and pipe.layer is None and not find_heads(nlp)
    assert not pipe.is_annotated(make_example(nlp, "a b", ents=[]).reference)

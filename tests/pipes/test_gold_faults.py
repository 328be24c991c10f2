"""Gold that cannot be is found at `initialize`, and in the batches that come later."""

from math import nan
from pathlib import Path
from typing import Any, Dict

import pytest
from spacy.language import Language
from spacy.training import Example

from mtnlp.errors import MtnlpError
from tests.pipes.cases import get_case_pipe, initialized, make_case, mixed_examples
from tests.tiny import make_example

BAD_CATS = [
    ("multitask", {"sentiment/positive": 0.3}, r"E340.*'sentiment/positive'\] is 0.3"),
    ("multitask", {"topic/MONEY": nan}, r"E340.*'topic/MONEY'\] is nan"),
    (
        "multitask",
        {"sentiment/positive": 1.0, "sentiment/negative": 1.0},
        "E341.*'sentiment/positive', 'sentiment/negative'",
    ),
    ("events", {"event/BIRTH": 0.7}, r"E340.*'event/BIRTH'\] is 0.7"),
]


def with_cats(nlp: Language, cats: Dict[str, Any]) -> Example:
    return make_example(nlp, "Where it went wrong .", cats=cats)


@pytest.mark.parametrize(
    ("name", "cats", "message"),
    [
        *BAD_CATS,
        (
            "multitask",
            {"sentiment/positive": 0.0, "sentiment/negative": 0.0},
            "E342.*'sentiment/negative', 'sentiment/positive' are all 0.0",
        ),
    ],
)
def test_categories_at_initialize(
    name: str, cats: Dict[str, Any], message: str, backbone: Path
) -> None:
    nlp = make_case(backbone, name)
    examples = [*mixed_examples(nlp), with_cats(nlp, cats)]
    with pytest.raises(MtnlpError, match=message) as caught:
        nlp.initialize(lambda: examples)
    place = f"document {len(examples) - 1} of the training corpus"
    assert place in str(caught.value) and "'Where it went wrong .'" in str(caught.value)
    # Given labels take a pass away, but not the check.
    labels = get_case_pipe(nlp, name).label_data
    again = make_case(backbone, name)
    again.config["initialize"]["components"][get_case_pipe(again, name).name] = {"labels": labels}
    with pytest.raises(MtnlpError, match=message):
        again.initialize(lambda: examples)


@pytest.mark.parametrize(("name", "cats", "message"), BAD_CATS)
def test_categories_in_a_later_batch(
    name: str, cats: Dict[str, Any], message: str, backbone: Path
) -> None:
    """A streamed corpus was not read to its end."""
    nlp = initialized(make_case(backbone, name))
    with pytest.raises(MtnlpError, match=message) as caught:
        nlp.update([*mixed_examples(nlp), with_cats(nlp, cats)])
    assert "the document 'Where it went wrong .'" in str(caught.value)


@pytest.mark.parametrize("name", ["multitask", "events"])
def test_values_beside_those_of_the_tasks(name: str, backbone: Path) -> None:
    nlp = make_case(backbone, name)
    examples = [*mixed_examples(nlp), with_cats(nlp, {"similarity": 0.4, "other/x": nan})]
    nlp.initialize(lambda: examples)
    nlp.update(examples)


def test_an_exclusive_task_with_one_label(backbone: Path) -> None:
    nlp = make_case(backbone, "multitask", tasks={"sentiment": {"exclusive": True}})
    only = make_example(nlp, "Fine .", cats={"sentiment/positive": 1.0})
    with pytest.raises(MtnlpError, match=r"E343.*'sentiment'.*'sentiment/positive'"):
        nlp.initialize(lambda: [only])
    tasks = {"sentiment": {"exclusive": False}}
    make_case(backbone, "multitask", tasks=tasks).initialize(lambda: [only])


@pytest.mark.parametrize(("name", "key"), [("crf_spans", "multinerd"), ("span", "nerel")])
def test_spans_without_a_label(name: str, key: str, backbone: Path) -> None:
    nlp = make_case(backbone, name)
    bare = make_example(nlp, "I saw Rome .", spans=[(2, 3, "")], key=key)
    message = rf"E344.*'Rome' of doc.spans\['{key}'\].*document 14 .*'I saw Rome .'"
    with pytest.raises(MtnlpError, match=message):
        nlp.initialize(lambda: [*mixed_examples(nlp), bare])


def test_a_failed_start_leaves_a_trained_pipe_as_it_was(backbone: Path) -> None:
    nlp = initialized(make_case(backbone, "multitask"))
    pipe = get_case_pipe(nlp, "multitask")
    labels, before = pipe.labels, nlp("What a great film .").cats
    only = make_example(nlp, "Fine .", cats={"sentiment/positive": 1.0})
    with pytest.raises(MtnlpError, match="E343"):
        pipe.initialize(lambda: [only], nlp=nlp)
    assert pipe.labels == labels
    assert nlp("What a great film .").cats == pytest.approx(before)

"""Opinions of teachers as a head's targets and masks."""

from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc
from spacy.training import Example

from mtnlp.errors import MtnlpError
from mtnlp.gold.opinions import CategoryOpinion, SpanOpinion, TagOpinion, set_opinions
from mtnlp.gold.soft_categories import soft_categories
from mtnlp.gold.soft_entities import soft_spans, soft_tags
from mtnlp.gold.soft_targets import labels_in
from mtnlp.structured.schemes import get_scheme
from mtnlp.types import Task

NLP = spacy.blank("en")
BIO = get_scheme("bio")
TAGS = ("O", "B-PER", "I-PER")
TASKS: Dict[str, Task] = {
    "tone": {"labels": ["bad", "good", "mixed"], "exclusive": True},
    "topic": {"labels": ["ART", "LAW"], "exclusive": False},
}


def example(text: str, *opinions: Any, name: str = "x", predicted: Optional[str] = None) -> Example:
    reference = Doc(NLP.vocab, words=text.split(" ") if text else [])
    words = text if predicted is None else predicted
    if opinions:
        set_opinions(reference, {name: list(opinions)})
    return Example(Doc(NLP.vocab, words=words.split(" ") if words else []), reference)


def tag_opinion(rows: Sequence[Dict[str, float]], tags: Tuple[str, ...] = TAGS) -> TagOpinion:
    """rows: the probabilities of a token by tag."""
    index = np.array([tags.index(tag) for row in rows for tag in row], dtype=np.int64)
    starts = np.cumsum([0, *map(len, rows)])
    each = np.array([p for row in rows for p in row.values()], dtype=np.float32)
    return TagOpinion(tags, starts, index, each)


def span_opinion(
    *spans: Tuple[int, int, int, float], labels: str = "AB", max_width: int = 3
) -> Any:
    table = np.array([span[:3] for span in spans], dtype=np.int64).reshape(-1, 3)
    each = np.array([span[3] for span in spans], dtype=np.float32)
    return SpanOpinion(tuple(labels), table, each, max_width)


def category_opinion(logits: Dict[str, float], *exclusive: str) -> CategoryOpinion:
    values = np.array(list(logits.values()), dtype=np.float32)
    return CategoryOpinion(tuple(logits), values, exclusive)


def close(found: torch.Tensor, expected: Any) -> None:
    torch.testing.assert_close(found, torch.tensor(expected, dtype=found.dtype))


# Tags


def test_tags_by_name_in_another_order() -> None:
    order = ("I-PER", "O", "B-PER")
    said = tag_opinion([{"O": 0.75, "B-PER": 0.25}, {"I-PER": 1.0}], order)
    (found,) = soft_tags([example("a b c"), example("a b", said)], "x", ["PER"], BIO)
    assert found.probabilities.shape == (2, 3, 3)
    assert found.groups is not None and found.groups.tolist() == [1, 2, 0]
    by_student = found.probabilities[:, :, found.groups]
    close(by_student[1], [[0.75, 0.25, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    assert found.mask.tolist() == [[False] * 3, [True, True, False]]
    close(found.confidence[1, :2], [0.75, 1.0])


def test_more_labels_than_the_teacher_has() -> None:
    """Their tags belong to the teacher's O."""
    said = tag_opinion([{"O": 1.0}])
    (found,) = soft_tags([example("a", said)], "x", ["LOC", "PER"], BIO)
    assert found.groups is not None and found.groups.tolist() == [0, 0, 0, 1, 2]


def test_a_teacher_whose_tags_say_more() -> None:
    """Of the entities A to C and B alone, in BILUO: what the student says in BIO."""
    biluo = ("O", *(f"{prefix}-{label}" for label in ("LOC", "PER") for prefix in "BILU"))
    rows = [
        {"B-PER": 0.5, "U-PER": 0.125, "B-LOC": 0.25, "O": 0.125},
        {"I-PER": 0.25, "L-PER": 0.25, "L-LOC": 0.25, "O": 0.25},
        {"L-PER": 0.25, "U-LOC": 0.25, "O": 0.5},
    ]
    said = example("a b c", tag_opinion(rows, biluo))
    (found,) = soft_tags([said], "x", ["PER", "LOC"], BIO)
    assert found.groups is not None
    by_student = found.probabilities[0][:, found.groups]  # O, B-PER, I-PER, B-LOC, I-LOC
    close(by_student[0], [0.125, 0.625, 0.0, 0.25, 0.0])
    close(by_student[1], [0.25, 0.0, 0.5, 0.0, 0.25])
    close(by_student[2], [0.5, 0.0, 0.25, 0.25, 0.0])
    close(found.confidence[0], [0.625, 0.5, 0.5])
    (same,) = soft_tags([said], "x", ["PER", "LOC"], get_scheme("biluo"))
    assert same.probabilities.shape == (1, 3, 9)


def test_temperature_of_tags() -> None:
    said = tag_opinion([{"O": 0.8, "B-PER": 0.2}])
    (found,) = soft_tags([example("a", said)], "x", ["PER"], BIO, temperature=2.0)
    roots = 0.8**0.5, 0.2**0.5
    close(found.probabilities[0, 0], [roots[0] / sum(roots), roots[1] / sum(roots), 0.0])
    close(found.confidence[0, 0], 0.8)


def test_several_teachers() -> None:
    """Each set of tags by itself, and each of two opinions on one Doc."""
    one, other = tag_opinion([{"O": 1.0}]), tag_opinion([{"B-LOC": 1.0}], ("O", "B-LOC", "I-LOC"))
    batch = [example("a", one), example("a", other), example("a", one, other)]
    found = soft_tags(batch, "x", ["LOC", "PER"], BIO)
    assert [part.mask[:, 0].tolist() for part in found] == [
        [True, False, True],
        [False, True, False],
        [False, False, True],
    ]
    assert found[1].groups is not None and found[1].groups.tolist() == [0, 1, 2, 0, 0]


def test_opinions_for_another_component() -> None:
    said = tag_opinion([{"O": 1.0}])
    assert soft_tags([example("a", said, name="other"), example("a")], "x", ["PER"], BIO) == []


@pytest.mark.parametrize(
    "code, labels, scheme, opinion, predicted",
    [
        ("E730", ["LOC"], "bio", tag_opinion([{"O": 1.0}] * 2), None),
        ("E731", ["PER"], "biluo", tag_opinion([{"O": 1.0}] * 2), None),
        ("E731", ["PER"], "bio", tag_opinion([{"B-PER": 1.0}] * 2, ("B-PER", "I-PER")), None),
        ("E734", ["PER"], "bio", tag_opinion([{"O": 1.0}] * 3), None),
        ("E734", ["PER"], "bio", tag_opinion([{"O": 1.0}] * 2), "ab"),
        ("E734", ["PER"], "bio", tag_opinion([{"O": 1.0}] * 2), "b a"),
        ("E735", ["PER"], "bio", span_opinion(), None),
    ],
)
def test_tags_that_cannot_be_learnt(
    code: str, labels: List[str], scheme: str, opinion: Any, predicted: Optional[str]
) -> None:
    batch = [example("a b", opinion, predicted=predicted)]
    with pytest.raises(MtnlpError, match=rf"\[{code}\].*'x'"):
        soft_tags(batch, "x", labels, get_scheme(scheme))


def test_messages_name_both_sides() -> None:
    said = example("a", tag_opinion([{"O": 1.0}]))
    with pytest.raises(MtnlpError, match=r"teacher: PER\. It has: LOC, ORG"):
        soft_tags([said], "x", ["LOC", "ORG"], BIO)
    with pytest.raises(MtnlpError, match="which has O B-PER I-PER; its own scheme, 'biluo'"):
        soft_tags([said], "x", ["PER"], get_scheme("biluo"))


# Spans


def test_exclusive_spans() -> None:
    said = span_opinion((0, 1, 1, 0.5), (0, 1, 0, 0.2), (1, 4, 0, 0.9), (0, 2, 0, 1.0))
    batch = [example("a b c d", said), example("a")]
    (found,) = soft_spans(batch, "x", ["B", "C", "A"], 2, exclusive=True)
    assert found.probabilities.shape == (2, 4, 2, 3)
    # No entity, A and B of the teacher; C is no entity to it.
    close(found.probabilities[0, 0], [[0.3, 0.2, 0.5], [0.0, 1.0, 0.0]])
    close(found.probabilities[0, 1, 0], [1.0, 0.0, 0.0])
    assert found.groups is not None and found.groups.tolist() == [0, 2, 0, 1]
    # The span of three words is wider than the student looks at.
    assert found.mask[0].tolist() == [[True, True]] * 3 + [[True, False]]
    assert not found.mask[1].any()
    close(found.confidence[0, 0], [0.5, 1.0])


def test_spans_wider_than_the_teacher_looks_at() -> None:
    said = span_opinion((0, 1, 0, 0.5), max_width=1)
    for exclusive in (True, False):
        (found,) = soft_spans([example("a b c", said)], "x", ["A", "B"], 2, exclusive)
        mask = found.mask if exclusive else found.mask.all(-1)
        assert mask[0].tolist() == [[True, False]] * 3


def test_spans_whose_labels_hold_each_for_itself() -> None:
    said = span_opinion((0, 1, 0, 0.8), (0, 1, 1, 0.6))
    (found,) = soft_spans([example("a b", said)], "x", ["B", "C", "A"], 1, exclusive=False)
    assert found.groups is None
    close(found.probabilities[0, :, 0], [[0.6, 0.0, 0.8], [0.0, 0.0, 0.0]])
    assert found.mask[0, :, 0].tolist() == [[True, False, True]] * 2
    close(found.confidence[0, 0, 0], [0.6, 1.0, 0.8])
    (exclusive,) = soft_spans([example("a b", said)], "x", ["A", "B"], 1, exclusive=True)
    close(exclusive.probabilities[0, 0, 0], [0.0, 0.8 / 1.4, 0.6 / 1.4])


def test_temperature_of_spans() -> None:
    said = span_opinion((0, 1, 0, 0.8))
    (found,) = soft_spans([example("a", said)], "x", ["A", "B"], 1, False, temperature=3.0)
    odds = (0.8 / 0.2) ** (1 / 3)
    close(found.probabilities[0, 0, 0], [odds / (1 + odds), 0.0])
    (found,) = soft_spans([example("a", said)], "x", ["A", "B"], 1, True, temperature=3.0)
    close(found.probabilities[0, 0, 0], [1 / (1 + odds), odds / (1 + odds), 0.0])


@pytest.mark.parametrize(
    "code, opinion, predicted",
    [
        ("E730", span_opinion(labels="AZ"), None),
        ("E734", span_opinion((1, 3, 0, 0.5)), None),
        ("E734", span_opinion((0, 1, 0, 0.5)), "a bc"),
        ("E735", tag_opinion([{"O": 1.0}]), None),
    ],
)
def test_spans_that_cannot_be_learnt(code: str, opinion: Any, predicted: Optional[str]) -> None:
    with pytest.raises(MtnlpError, match=code):
        soft_spans([example("a b", opinion, predicted=predicted)], "x", ["A", "B"], 2, True)


# Categories


def test_categories_by_key() -> None:
    logits = {"topic/LAW": 1.5, "tone/good": 2.0, "tone/mixed": 0.0, "tone/bad": 1.0}
    said = category_opinion(logits, "tone")
    (found,) = soft_categories([example("a"), example("a", said)], "x", TASKS)
    assert found.mask.tolist() == [[False] * 5, [True] * 3 + [False, True]]
    tone = torch.tensor([1.0, 2.0, 0.0]).softmax(0)
    close(found.probabilities[1, :3], tone.tolist())
    close(found.probabilities[1, 4], torch.tensor(1.5).sigmoid().item())
    close(found.confidence[1, :3], [tone.max().item()] * 3)
    close(found.confidence[1, 4], torch.tensor(1.5).sigmoid().item())
    (soft,) = soft_categories([example("a", said)], "x", TASKS, temperature=4.0)
    close(soft.probabilities[0, :3], (torch.tensor([1.0, 2.0, 0.0]) / 4).softmax(0).tolist())
    close(soft.probabilities[0, 4], torch.tensor(1.5 / 4).sigmoid().item())
    close(soft.confidence[0], found.confidence[1].tolist())


def test_an_exclusive_task_that_the_teacher_knows_in_part() -> None:
    said = category_opinion({"tone/good": 1.0, "tone/bad": 0.0, "other/x": 9.0}, "tone")
    (found,) = soft_categories([example("a", said)], "x", TASKS)
    assert found.mask.tolist() == [[True, True, False, False, False]]
    close(found.probabilities[0, :3], [*torch.tensor([0.0, 1.0]).softmax(0).tolist(), 0.0])


def test_several_teachers_of_categories() -> None:
    tone = category_opinion({"tone/good": 1.0, "tone/bad": 0.0, "tone/mixed": 0.0}, "tone")
    topic = category_opinion({"topic/ART": 1.0, "topic/LAW": 2.0})
    found = soft_categories([example("a", tone, topic), example("a", topic)], "x", TASKS)
    assert [part.mask.long().tolist() for part in found] == [
        [[1, 1, 1, 0, 0], [0, 0, 0, 1, 1]],
        [[0, 0, 0, 1, 1], [0, 0, 0, 0, 0]],
    ]
    assert all(part.probabilities.isfinite().all() for part in found)


def test_nothing_to_read() -> None:
    said = category_opinion({"topic/ART": 1.0})
    assert soft_categories([example("", said), example("\n", said)], "x", TASKS) == []


@pytest.mark.parametrize(
    "code, opinion",
    [
        ("E732", category_opinion({"topic/ART": 0.0, "topic/WAR": 0.0})),
        ("E732", category_opinion({"genre/PROSE": 0.0})),
        ("E733", category_opinion({"tone/good": 0.0, "tone/bad": 0.0})),
        ("E733", category_opinion({"topic/ART": 0.0}, "topic")),
        ("E735", tag_opinion([{"O": 1.0}])),
    ],
)
def test_categories_that_cannot_be_learnt(code: str, opinion: Any) -> None:
    with pytest.raises(MtnlpError, match=rf"\[{code}\].*'x'"):
        soft_categories([example("a", opinion)], "x", TASKS)


def test_the_labels_of_an_opinion() -> None:
    hyphen = ("O", "B-A-1", "I-A-1")
    assert labels_in(tag_opinion([{"O": 1.0}], hyphen)) == ["A-1", "A-1"]
    assert labels_in(span_opinion()) == ["A", "B"]
    assert labels_in(category_opinion({"topic/ART": 1.0})) == ["topic/ART"]

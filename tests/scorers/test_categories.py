from typing import Any, Dict, List, Tuple

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example

from mtnlp.scorers.categories import CategoryTask, infer_tasks, make_category_scorer_v1

Cats = Dict[str, float]
VOCAB = spacy.blank("en").vocab
TASKS = {"mood": {"labels": ["good", "bad"], "exclusive": True}}
EVENTS = {"event": {"labels": ["A", "B", "C"], "exclusive": False}}
score = make_category_scorer_v1()


def examples(pairs: List[Tuple[Cats, Cats]]) -> List[Example]:
    result = []
    for gold, predicted in pairs:
        x, y = Doc(VOCAB, words=["a"]), Doc(VOCAB, words=["a"])
        x.cats, y.cats = predicted, gold
        result.append(Example(x, y))
    return result


def mood(good: float) -> Cats:
    return {"mood/good": good, "mood/bad": 1.0 - good}


def event(a: float, b: float, c: float) -> Cats:
    return {"event/A": a, "event/B": b, "event/C": c}


def test_an_exclusive_task() -> None:
    data = examples([(mood(1), mood(0.6)), (mood(1), mood(0.3)), (mood(0), mood(0.2))])
    scores = score(data, tasks=TASKS, labels=("x",), threshold=0.9)
    assert scores["cats_mood_acc"] == pytest.approx(2 / 3)
    assert scores["cats_mood_micro_f"] == pytest.approx(2 / 3)
    assert scores["cats_mood_f_per_type"] == {
        "mood/bad": {"p": 0.5, "r": 1.0, "f": pytest.approx(2 / 3)},
        "mood/good": {"p": 1.0, "r": 0.5, "f": pytest.approx(2 / 3)},
    }
    assert scores["cats_mood_macro_f"] == pytest.approx(2 / 3)
    assert scores["cats_score"] == scores["cats_mood_acc"]


def test_a_multilabel_task() -> None:
    data = examples(
        [(event(1, 1, 0), event(0.9, 0.4, 0.6)), (event(0, 1, 0), event(0.1, 0.5, 0.0))]
    )
    scores = score(data, tasks=EVENTS)
    assert scores["cats_event_acc"] == 0.5
    assert scores["cats_event_micro_p"] == pytest.approx(2 / 3)
    assert scores["cats_event_micro_r"] == pytest.approx(2 / 3)
    assert scores["cats_event_macro_f"] == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert scores["cats_score"] == scores["cats_event_micro_f"]


def test_thresholds_by_key_go_before_the_threshold() -> None:
    data = examples([(event(1, 1, 0), event(0.9, 0.4, 0.6))])
    scores = score(data, tasks=EVENTS, threshold=0.7, thresholds={"event/B": 0.4})
    assert scores["cats_event_acc"] == 1.0


def test_documents_without_a_key_of_the_task_count_for_nothing() -> None:
    wrong = ({"other/x": 1.0, "other/y": 0.0}, {**mood(0.1), "other/x": 0.9, "other/y": 0.1})
    scores = score(examples([(mood(1), mood(0.9)), wrong, ({}, mood(0.9))]), tasks=TASKS)
    assert scores["cats_mood_acc"] == scores["cats_mood_micro_f"] == 1.0


def test_no_gold_at_all_scores_zero() -> None:
    scores = score(examples([({}, mood(0.9))]), tasks=TASKS)
    assert scores["cats_mood_acc"] == scores["cats_score"] == scores["cats_mood_macro_f"] == 0.0
    assert scores["cats_f_per_type"] == scores["cats_mood_f_per_type"] == {}


def test_a_label_absent_in_gold_is_not_annotated() -> None:
    data = examples([({"event/A": 1.0}, event(0.9, 0.9, 0.9))])
    assert score(data, tasks=EVENTS)["cats_event_micro_p"] == 1.0


def test_an_exclusive_document_without_a_set_label_counts_for_nothing() -> None:
    data = examples([({"mood/good": 0.0}, mood(0.9)), (mood(0), mood(0.2))])
    assert score(data, tasks=TASKS)["cats_mood_acc"] == 1.0


def test_no_prediction_is_an_error() -> None:
    data = examples([(mood(1), {}), (event(1, 0, 0), {})])
    assert score(data, tasks=TASKS)["cats_mood_acc"] == 0.0
    assert score(data, tasks=EVENTS)["cats_event_micro_r"] == 0.0


def test_a_label_unknown_to_the_pipe_is_missed() -> None:
    data = examples([({"event/NEW": 1.0, "event/A": 1.0}, event(0.9, 0, 0))])
    assert score(data, tasks=EVENTS)["cats_event_micro_r"] == 0.5


def test_every_classifier_gives_the_same_sums_over_tasks() -> None:
    data = examples(
        [
            ({**mood(1), **event(1, 1, 0)}, {**mood(0.6), **event(0.9, 0.1, 0.9)}),
            (mood(0), {**mood(0.7), **event(0.9, 0.9, 0.9)}),
            (event(0, 0, 1), {**mood(0.7), **event(0.1, 0.2, 0.9)}),
        ]
    )
    first, second = score(data, tasks=TASKS), score(data, tasks=EVENTS)
    assert first["cats_score"] == second["cats_score"]
    assert first["cats_f_per_type"] == second["cats_f_per_type"]
    expected = (first["cats_mood_acc"] + second["cats_event_micro_f"]) / 2
    assert first["cats_score"] == pytest.approx(expected)
    assert 0 < first["cats_score"] < 1
    assert {"mood/good", "event/A"} <= first["cats_f_per_type"].keys()
    assert not {key for key in first if key.startswith("cats_event")}


def test_keys_without_a_slash_are_no_task() -> None:
    data = examples([({"similarity": 0.7, **mood(1)}, mood(0.9))])
    assert score(data, tasks=TASKS)["cats_f_per_type"].keys() == {"mood/good"}


@pytest.mark.parametrize(
    ("gold", "exclusive"),
    [
        ([mood(1), mood(0)], True),
        ([event(1, 0, 0), event(1, 1, 0)], False),
        ([event(1, 0, 0), event(0, 0, 0)], False),
    ],
)
def test_exclusive_is_inferred_from_gold(gold: List[Cats], exclusive: bool) -> None:
    (task,) = infer_tasks([(cats, {}) for cats in gold]).values()
    assert task.exclusive is exclusive


def test_numbers_are_plain() -> None:
    scores: Dict[str, Any] = score(examples([(mood(1), mood(0.9))]), tasks=TASKS)
    plain = [value for name, value in scores.items() if not name.endswith(("per_type", "desc"))]
    assert len(plain) == 6 and all(type(value) is float for value in plain)


@pytest.mark.parametrize("threshold", [0.0, 0.5])
@pytest.mark.parametrize("exclusive", [True, False])
def test_zeros_predict_nothing(exclusive: bool, threshold: float) -> None:
    """A document that holds nothing to read has 0.0 for all labels."""
    task = CategoryTask("t", ("t/a", "t/b"), exclusive, threshold)
    decision = task.decide({"t/a": 1.0, "t/b": 0.0}, {"t/a": 0.0, "t/b": 0.0})
    assert decision == (frozenset({"t/a"}), frozenset())

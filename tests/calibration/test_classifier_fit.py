"""Fitting classifiers: the best there is, stored in the pipe, used wherever it decides."""

from functools import partial
from itertools import product
from math import exp
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, log_loss
from spacy.language import Language
from spacy.training import Example

from mtnlp.calibration.category_report import threshold_scores
from mtnlp.calibration.classifier_fit import FitOptions, TaskFit, fit_classifier, task_loss
from mtnlp.calibration.collected_scores import (
    CategoryScores,
    TaskScores,
    collect,
    start_collection,
)
from mtnlp.calibration.temperature import fit_collected, penalised_loss
from mtnlp.errors import MtnlpError
from tests.pipes.cases import get_case_pipe, initialized, make_case, mixed_examples, train
from tests.tiny import make_example, make_nlp

ALL = FitOptions(min_positives=1, smoothing=0.0)


def held_out(nlp: Language) -> List[Example]:
    """Some gold is against what was trained, so that certainty does not pay; half a document is
    annotated, one is empty."""
    wrong = {"sentiment/positive": 0.0, "sentiment/negative": 1.0}
    return [
        *mixed_examples(nlp),
        make_example(nlp, "What a great film .", cats=wrong),
        make_example(nlp, "He died in Rome .", cats={"event/DEATH": 0.0, "event/BIRTH": 1.0}),
        make_example(nlp, "Paris .", cats={"event/DEATH": 0.0, "event/BIRTH": 0.0}),
        make_example(nlp, "The bank won .", cats={"topic/SPORT": 0.0, "topic/MONEY": 1.0}),
        make_example(nlp, "The match .", cats={"topic/SPORT": 0.0}),
    ]


def collected_of(nlp: Language, name: str) -> CategoryScores:
    collected = CategoryScores(nlp.get_pipe(name))
    collect(nlp, [collected], held_out(nlp))
    return collected


@pytest.fixture(scope="module")
def multitask(backbone: Path) -> Language:
    nlp = initialized(make_case(backbone, "multitask"))
    train(nlp, mixed_examples(nlp), 10)
    return nlp


@pytest.fixture
def pipe(multitask: Language) -> Any:
    pipe = get_case_pipe(multitask, "multitask")
    pipe.cfg.update(temperatures={}, thresholds={})
    return pipe


def test_scores_are_kept_by_task(multitask: Language, pipe: Any) -> None:
    tasks = collected_of(multitask, pipe.name).tasks()
    assert {name: scores.logits.shape for name, scores in tasks.items()} == {
        "sentiment": (3, 2),
        "topic": (5, 2),
    }
    topic = tasks["topic"]
    assert list(topic.keys) == ["topic/MONEY", "topic/SPORT"]
    assert topic.gold.sum(0).tolist() == [3, 2] and topic.mask.sum(0).tolist() == [4, 5]
    doc = multitask("The bank won .")
    found = collected_of(multitask, pipe.name).probabilities()["topic"][3]
    assert found == pytest.approx([doc.cats[key] for key in topic.keys], abs=1e-5)


@pytest.mark.parametrize("objective", ["macro", "micro"])
def test_fit(multitask: Language, pipe: Any, objective: str) -> None:
    collected = collected_of(multitask, pipe.name)
    fits = fit_classifier(
        collected, FitOptions(objective=objective, min_positives=1, smoothing=0.0)
    )
    assert list(fits) == ["sentiment", "topic"]
    for name, scores in collected.tasks().items():
        fit = fits[name]
        assert pipe.cfg["temperatures"][name] == fit.temperature != 1.0
        assert fit.documents == len(scores.gold)
        assert fit.loss_before == pytest.approx(task_loss(scores, 1.0))
        assert fit.loss_after < fit.loss_before
        units = len(scores.gold) if scores.exclusive else float(scores.mask.sum())
        loss = partial(task_loss, scores)
        least = min(penalised_loss(loss, units, exp(x / 20)) for x in range(-59, 60))
        assert penalised_loss(loss, units, fit.temperature) <= least + 1e-4
    assert set(pipe.cfg["thresholds"]) == {"topic/MONEY", "topic/SPORT"}
    assert fits["topic"].thresholds == pipe.cfg["thresholds"] and fits["topic"].own == 2
    assert fits["sentiment"].thresholds == {} and fits["sentiment"].shared_threshold is None
    # They are of the probabilities that the pipe gives now: no thresholds at all are better.
    topic, probabilities = collected.tasks()["topic"], collected.probabilities()["topic"]
    every = (probabilities, topic.gold, topic.mask)
    scores_of = [
        threshold_scores(*every, np.array(pair), topic.keys)[objective]["f"]
        # A document's own probability is the highest threshold that it passes.
        for pair in product(*([*column, 2.0] for column in probabilities.T))
    ]
    own = np.array(list(fits["topic"].thresholds.values()))
    assert threshold_scores(*every, own, topic.keys)[objective]["f"] >= max(scores_of) - 1e-9


def test_the_scorer_takes_them(multitask: Language, pipe: Any) -> None:
    """`nlp.evaluate` is what `spacy evaluate` calls."""
    examples = [eg for eg in held_out(multitask) if "topic/SPORT" in eg.reference.cats]
    collected = collected_of(multitask, pipe.name)
    fit_classifier(collected, ALL)
    topic, probabilities = collected.tasks()["topic"], collected.probabilities()["topic"]
    given = (probabilities >= pipe.label_thresholds[pipe.columns["topic"]]) & topic.mask
    after = multitask.evaluate(examples)
    right = topic.gold.astype(int)
    for average in ("micro", "macro"):
        expected = f1_score(right, given.astype(int), average=average, zero_division=0)
        assert after[f"cats_topic_{average}_f"] == pytest.approx(expected)
    pipe.cfg["thresholds"] = dict.fromkeys(pipe.cfg["thresholds"], 2.0)
    assert multitask.evaluate(examples)["cats_topic_micro_f"] == 0.0
    assert after["cats_topic_micro_f"] > 0.0


def test_loss_is_that_of_scikit_learn() -> None:
    logits = torch.tensor([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]])
    gold = np.array([[True, False, False], [False, False, True]])
    mask = np.array([[True, True, True], [True, False, True]])
    for temperature in (0.5, 3.0):
        exclusive = TaskScores("abc", True, logits, gold, np.ones_like(mask))
        softmax = (logits / temperature).softmax(1).numpy()
        assert task_loss(exclusive, temperature) == pytest.approx(
            log_loss([0, 2], softmax, labels=[0, 1, 2]), rel=1e-5
        )
        several = TaskScores("abc", False, logits, gold, mask)
        sigmoid = (logits / temperature).sigmoid().numpy()
        assert task_loss(several, temperature) == pytest.approx(
            log_loss(gold[mask], sigmoid[mask]), rel=1e-5
        )


def test_what_is_not_asked_for_stays(multitask: Language, pipe: Any) -> None:
    collected = collected_of(multitask, pipe.name)
    pipe.cfg["temperatures"] = {"topic": 2.0}
    fits = fit_classifier(collected, FitOptions(temperature=False, min_positives=1, smoothing=0.0))
    assert pipe.cfg["temperatures"] == {"topic": 2.0} and pipe.cfg["thresholds"]
    assert fits["topic"].temperature == 2.0 and fits["sentiment"].temperature == 1.0
    assert fits["topic"].loss_before == fits["topic"].loss_after
    # Another temperature: the thresholds were of other probabilities.
    fit_classifier(collected, FitOptions(thresholds=False))
    assert set(pipe.cfg["temperatures"]) == {"topic", "sentiment"}
    assert pipe.cfg["thresholds"] == {}


def test_labels_with_few_gold_documents_share(multitask: Language, pipe: Any) -> None:
    fit = fit_classifier(collected_of(multitask, pipe.name), FitOptions(min_positives=3))["topic"]
    assert fit.own == 1 and fit.positives == {"topic/MONEY": 3, "topic/SPORT": 2}
    assert fit.thresholds["topic/SPORT"] == fit.shared_threshold


def test_one_label_has_no_temperature(backbone: Path) -> None:
    nlp = make_nlp(backbone, ["textcat"], {"textcat": {"tasks": {"a": {"exclusive": True}}}})
    examples = [make_example(nlp, "Fine .", cats={"a/ONE": 1.0})]
    pipe: Any = nlp.get_pipe("textcat")
    nlp.config["initialize"]["components"]["textcat"] = {"labels": ["a/ONE", "a/TWO"]}
    nlp.initialize(lambda: examples)
    # Trained so long ago that nobody minded.
    only = {"a": {"labels": ["ONE"], "exclusive": True}}
    pipe.restore({**pipe.cfg, "labels": ["a/ONE"], "tasks": only})
    collected = CategoryScores(pipe)
    collect(nlp, [collected], examples)
    assert fit_classifier(collected, ALL)["a"].temperature == 1.0


def test_all_kinds_of_pipes_read_one_encoding(
    backbone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["ner", "nested_ner", "textcat", "events"]
    nlp = initialized(make_nlp(backbone, names))
    encoder: Any = nlp.get_pipe("transformer")
    seen: List[int] = []
    predict = encoder.predict
    monkeypatch.setattr(encoder, "predict", lambda docs: seen.append(len(docs)) or predict(docs))
    collected: Dict[str, Any] = {name: start_collection(nlp.get_pipe(name)) for name in names}
    examples = held_out(nlp)
    collect(nlp, list(collected.values()), examples)
    wanted = [eg for eg in examples if any(item.wants(eg.reference) for item in collected.values())]
    assert sum(seen) == len(wanted) < len(examples)
    monkeypatch.undo()
    alone = collected_of(nlp, "events")
    one, other = fit_classifier(alone, ALL), fit_classifier(collected["events"], ALL)
    assert isinstance(one["event"], TaskFit)
    assert one["event"].temperature == pytest.approx(other["event"].temperature, rel=1e-2)
    assert fit_collected(collected["ner"]).documents == collected["ner"].documents == 3


def test_errors(multitask: Language, pipe: Any) -> None:
    with pytest.raises(MtnlpError, match=f"E415.*{pipe.name}.*sentiment/LABEL and topic/LABEL"):
        collect(
            multitask,
            [CategoryScores(pipe)],
            [make_example(multitask, "Paris .", ents=[])],
        )
    with pytest.raises(MtnlpError, match=r"E432.*samples"):
        FitOptions(objective="samples")
    with pytest.raises(MtnlpError, match=r"E434.*-1"):
        FitOptions(min_positives=-1)

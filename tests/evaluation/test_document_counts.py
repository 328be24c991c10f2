"""Counts a document, against the evaluator; the paired bootstrap, against a plain transcription."""

import random
from pathlib import Path
from typing import List, Tuple

import numpy as np
import pytest

from mtnlp.errors import MtnlpError
from mtnlp.evaluation.document_counts import (
    ACCURACY,
    F1,
    DocumentCounts,
    add_up,
    compare,
    count_documents,
)
from mtnlp.evaluation.evaluator import Settings, evaluate
from tests.pipes.cases import TASKS, initialized, mixed_examples, train
from tests.tiny import make_nlp


def test_counts_are_those_of_the_evaluator(backbone: Path) -> None:
    pipes = ["ner", "nested_ner", "textcat", "events", "sentence_vectors"]
    nlp = initialized(make_nlp(backbone, pipes, {"textcat": {"tasks": TASKS}}))
    examples = mixed_examples(nlp)
    train(nlp, examples, 12)
    docs = [example.reference for example in examples]
    found = count_documents(nlp, docs, chunk_size=4)
    expected = evaluate(nlp, docs, settings=Settings(samples=10, raw_text=False))["pipes"]
    assert list(found) == [
        "ner",
        "nested_ner",
        "textcat/sentiment",
        "textcat/topic",
        "events/event",
    ]
    for name in ("ner", "nested_ner"):
        assert (found[name].metric, len(found[name].counts)) == (F1, expected[name]["documents"])
        assert found[name].score == pytest.approx(expected[name]["micro"]["f"])
    tasks = {**expected["textcat"]["tasks"], **expected["events"]["tasks"]}
    sentiment = found["textcat/sentiment"]
    assert (sentiment.metric, len(sentiment.counts)) == (ACCURACY, 2)
    assert sentiment.score == pytest.approx(tasks["sentiment"]["accuracy"])
    for name, task in (("textcat/topic", "topic"), ("events/event", "event")):
        assert (found[name].metric, len(found[name].counts)) == (F1, tasks[task]["documents"])
        assert found[name].score == pytest.approx(tasks[task]["micro"]["f"])
    for item in found.values():
        again = DocumentCounts.from_dict(item.to_dict())
        assert again.metric == item.metric and np.array_equal(again.counts, item.counts)


def test_nothing_annotated(backbone: Path) -> None:
    nlp = initialized(make_nlp(backbone, ["ner", "textcat"]))
    found = count_documents(nlp, [])
    assert [item.counts.shape for item in found.values()] == [(0, 3), (0, 2)]


def plain_f(rows: List[List[int]]) -> float:
    tp, fp, fn = (sum(row[i] for row in rows) for i in range(3))
    precision = tp / (tp + fp) if tp + fp else 0.0
    recall = tp / (tp + fn) if tp + fn else 0.0
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def plain_accuracy(rows: List[List[int]]) -> float:
    return sum(row[0] for row in rows) / len(rows)


def plain_interval(
    first: List[List[int]], second: List[List[int]], metric: str, samples: int
) -> Tuple[float, float]:
    """Draw documents, both systems' rows of each; sort the differences; cut 2.5% off each end."""
    statistic = plain_f if metric == F1 else plain_accuracy
    chance, differences = random.Random(1), []
    for _ in range(samples):
        drawn = [chance.randrange(len(first)) for _ in first]
        a, b = [first[i] for i in drawn], [second[i] for i in drawn]
        differences.append(statistic(b) - statistic(a))
    differences.sort()
    return differences[round(0.025 * samples)], differences[round(0.975 * samples) - 1]


@pytest.mark.parametrize("metric", [F1, ACCURACY])
def test_the_interval_is_that_of_a_plain_transcription(metric: str) -> None:
    rng = np.random.default_rng(3)
    if metric == F1:
        first = rng.integers(0, 5, size=(80, 3))
        second = np.clip(first + rng.integers(-1, 2, size=(80, 3)) + [1, 0, 0], 0, None)
    else:
        first = np.stack([rng.integers(0, 2, size=80), np.ones(80, dtype=int)], axis=1)
        second = first.copy()
        second[:20, 0] = rng.integers(0, 2, size=20)
    a, b = DocumentCounts(metric, first), DocumentCounts(metric, second)
    found = compare(a, b, samples=4000)
    statistic = plain_f if metric == F1 else plain_accuracy
    assert a.score == pytest.approx(statistic(first.tolist()))
    assert found.value == pytest.approx(statistic(second.tolist()) - statistic(first.tolist()))
    expected = plain_interval(first.tolist(), second.tolist(), metric, 4000)
    # An accuracy moves by one document at least.
    near = 0.006 if metric == F1 else 1 / 80 + 1e-9
    assert found.interval == pytest.approx(expected, abs=near)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Two systems equally good, right on documents that are hard for both: 300 experiments."""
    rng = np.random.default_rng(0)
    held = 0
    for number in range(300):
        ease = rng.uniform(0.5, 1.0, size=150)
        first, second = (rng.random(150) < ease for _ in range(2))
        rows = [np.stack([right, np.ones(150)], axis=1).astype(int) for right in (first, second)]
        pair = [DocumentCounts(ACCURACY, counts) for counts in rows]
        low, high = compare(*pair, samples=400, seed=number).interval
        held += low <= 0.0 <= high
    assert 0.91 <= held / 300 <= 0.99


def test_seeds_are_added_up() -> None:
    one = DocumentCounts(F1, np.array([[1, 0, 1], [2, 1, 0]]))
    two = DocumentCounts(F1, np.array([[2, 0, 0], [0, 1, 2]]))
    both = add_up([one, two])
    assert both.counts.tolist() == [[3, 0, 1], [2, 2, 2]]
    # As if a seed's predictions were those of further documents.
    joined = plain_f([*one.counts.tolist(), *two.counts.tolist()])
    assert both.score == pytest.approx(joined)
    with pytest.raises(MtnlpError, match="E501"):
        add_up([one, DocumentCounts(F1, np.zeros((3, 3), dtype=int))])
    with pytest.raises(MtnlpError, match="E501"):
        compare(one, DocumentCounts(F1, np.zeros((3, 3), dtype=int)))

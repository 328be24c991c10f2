"""Batches of one task, and batches that cost alike."""

import random
from collections import Counter
from pathlib import Path
from typing import Any, List

import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.training.loop import subdivide_batch
from spacy.util import registry

from mtnlp.data.batchers import (
    estimate_wordpieces,
    minibatch_by_wordpieces,
    task_layers,
    wordpiece_counter,
)

NLP = spacy.blank("en")
SENTENCE = "The talks in Rome ended on Friday ."


def example(words: str, layer: str) -> Example:
    reference = Doc(NLP.vocab, words=words.split())
    if layer == "ents":
        reference.ents = []
    elif layer == "review":
        reference.cats = {"sentiment/positive": 1.0, "sentiment/negative": 0.0}
    elif layer == "nerel":
        reference.spans["nerel"] = [Span(reference, 0, 1, "X")]
        reference.cats = {"event/MEETING": 0.0}
    return Example(Doc(NLP.vocab, words=words.split()), reference)


def mix(seed: int = 0) -> List[Example]:
    """40 sentences with entities, 4 long reviews, 10 with two tasks, in any order."""
    examples = [
        *[example(SENTENCE, "ents") for _ in range(40)],
        *[example(" ".join([SENTENCE] * 20), "review") for _ in range(4)],
        *[example(SENTENCE, "nerel") for _ in range(10)],
    ]
    random.Random(seed).shuffle(examples)
    return examples


def make_batcher(**settings: Any) -> Any:
    block = {"@batchers": "mtnlp.WordpieceBatcher.v1", "size": 100, **settings}
    return registry.resolve({"batcher": block})["batcher"]


def test_layers_tell_the_tasks():
    assert task_layers(example("a b", "ents")) == ("ents",)
    assert task_layers(example("a b", "review")) == ("cats sentiment",)
    assert task_layers(example("a b", "nerel")) == ("spans nerel", "cats event")
    assert task_layers(example("a b", "")) == ()
    empty = example("a b", "")
    empty.reference.spans["fine"] = []
    assert task_layers(empty) == task_layers(empty.reference) == ("spans fine",)


@pytest.mark.parametrize("seed", range(5))
def test_a_batch_has_one_task_in_any_order_of_the_documents(seed: int):
    examples = mix(seed)
    batches = list(make_batcher(single_task=True)(examples))
    assert all(len({task_layers(eg) for eg in batch}) == 1 for batch in batches)
    assert Counter(id(eg) for batch in batches for eg in batch) == Counter(map(id, examples))
    mixed = list(make_batcher()(examples))
    assert any(len({task_layers(eg) for eg in batch}) > 1 for batch in mixed)
    # Every task keeps the order of its documents.
    for layers in {task_layers(eg) for eg in examples}:
        own = [eg for batch in batches for eg in batch if task_layers(eg) == layers]
        assert own == [eg for eg in examples if task_layers(eg) == layers]


def test_a_group_is_given_out_when_it_is_full_and_the_rest_at_the_end():
    items = [Doc(NLP.vocab, words=[word]) for word in "ababbaabac"]
    batches = minibatch_by_wordpieces(
        items, 2, 0.0, count=lambda doc: 1.0, group=lambda doc: doc[0].text
    )
    words = ["".join(doc[0].text for doc in batch) for batch in batches]
    assert words == ["bb", "aa", "aa", "a", "bb", "c"]


def test_each_batch_takes_the_next_size():
    items = [Doc(NLP.vocab, words=[word]) for word in "abababab"]
    batches = minibatch_by_wordpieces(
        items, [1, 2, 3], 0.0, count=lambda doc: 1.0, group=lambda doc: doc[0].text
    )
    assert [len(batch) for batch in batches] == [1, 2, 3, 2]


def test_sub_batches_of_accumulate_gradient_stay_with_one_task():
    for batch in make_batcher(single_task=True)(mix()):
        (layers,) = {task_layers(eg) for eg in batch}
        for part in subdivide_batch(batch, 3):
            assert {task_layers(eg) for eg in part} == {layers}


@pytest.mark.parametrize("single_task", [False, True])
def test_all_batches_cost_alike(single_task: bool, backbone: Path):
    """A long review and forty short sentences: by the tokenizer's own count, no batch is above the
    budget's tolerance, and where like stands with like all are near it."""
    count = wordpiece_counter(str(backbone))
    sentence = count(example(SENTENCE, ""))
    review = " ".join([SENTENCE] * 40)
    examples = [example(SENTENCE, "ents") for _ in range(200)]
    examples += [example(review, "review") for _ in range(5)]
    budget = round(40 * sentence)
    settings = {"size": budget, "tokenizer": str(backbone), "single_task": single_task}
    random.Random(0).shuffle(examples)
    batches = list(make_batcher(**settings)(examples))
    costs = [sum(map(count, batch)) for batch in batches]
    lengths = {len(batch) for batch in batches}
    assert all(cost <= 1.2 * budget for cost in costs)
    if single_task:
        # Reviews alone, sentences by 40.
        assert lengths == {1, 40}
        assert min(costs) > 0.75 * budget
    # The estimate sees the same costs.
    estimates = [sum(map(estimate_wordpieces, batch)) for batch in batches]
    ratios = [cost / estimate for cost, estimate in zip(costs, estimates, strict=True)]
    assert max(ratios) < 1.5 * min(ratios)

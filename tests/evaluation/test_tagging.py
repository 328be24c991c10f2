import random
from itertools import chain
from typing import Any, Callable, Dict, List, Set

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support as entity_prf
from sklearn.metrics import precision_recall_fscore_support as tag_prf

from mtnlp.errors import MtnlpError
from mtnlp.evaluation.spans import SpanKey, span_metrics
from mtnlp.evaluation.tagging import bio_tags, is_flat, tag_spans, tagging_metrics

TAGS = st.sampled_from(["O", "B-A", "I-A", "B-B", "I-B"])
DOCUMENT = st.lists(st.tuples(TAGS, TAGS), max_size=12)


@settings(max_examples=50, deadline=None)
@given(st.lists(DOCUMENT, max_size=5))
def test_metrics_stay_in_bounds_and_are_seqevals(
    check_metrics: Callable, documents: List[List[tuple]]
) -> None:
    gold = [[right for right, _ in pairs] for pairs in documents]
    predicted = [[given for _, given in pairs] for pairs in documents]
    metrics = tagging_metrics(gold, predicted)
    check_metrics(metrics)
    check_seqeval(metrics, gold, predicted)
    for tags in gold:
        assert tag_spans(tags) == {(s, e + 1, label) for label, s, e in get_entities(tags)}


def check_seqeval(
    metrics: Dict[str, Any], gold: List[List[str]], predicted: List[List[str]]
) -> None:
    """Holds the metrics of entities to seqeval's, of tags to scikit-learn's."""
    if metrics["per_type"]:
        for average in ("micro", "macro"):
            row = entity_prf(gold, predicted, average=average, zero_division=0)[:3]
            assert metrics[average] == pytest.approx(dict(zip("prf", row, strict=True)))
        columns = entity_prf(gold, predicted, average=None, zero_division=0)
        for found, p, r, f, n in zip(metrics["per_type"].values(), *columns, strict=True):
            assert found == pytest.approx({"p": p, "r": r, "f": f, "support": n})
    right, given = [*chain(*gold)], [*chain(*predicted)]
    tags = sorted({*right, *given})
    assert list(metrics["per_tag"]) == tags
    if tags:
        columns = tag_prf(right, given, labels=tags, average=None, zero_division=0)
        for found, p, r, f, n in zip(metrics["per_tag"].values(), *columns, strict=True):
            assert found == pytest.approx({"p": p, "r": r, "f": f, "support": n})


def test_a_small_case() -> None:
    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-PER"]]
    predicted = [["B-PER", "O", "O", "B-LOC"], ["O", "B-PER"]]
    metrics = tagging_metrics(gold, predicted)
    assert (metrics["tokens"], metrics["entities"]) == (6, 3)
    assert metrics["token_accuracy"] == pytest.approx(5 / 6)
    assert metrics["micro"] == pytest.approx({"p": 2 / 3, "r": 2 / 3, "f": 2 / 3})
    assert metrics["macro"]["f"] == pytest.approx(0.75)
    assert metrics["per_type"]["PER"] == {"p": 0.5, "r": 0.5, "f": 0.5, "support": 2}
    assert metrics["per_tag"]["B-PER"]["f"] == 1.0
    assert metrics["per_tag"]["I-PER"] == {"p": 0.0, "r": 0.0, "f": 0.0, "support": 1}


def test_missing_tokens_count_for_nothing() -> None:
    metrics = tagging_metrics([["B-A", None, None]], [["B-A", "B-B", "I-B"]])
    assert metrics["tokens"] == 1
    assert metrics["token_accuracy"] == metrics["micro"]["f"] == 1.0


def test_no_entities() -> None:
    metrics = tagging_metrics([["O", "O"], []], [["O", "O"], []])
    assert metrics["token_accuracy"] == 1.0 and metrics["entities"] == 0
    assert metrics["micro"] == {"p": 0.0, "r": 0.0, "f": 0.0}
    assert tagging_metrics([], [])["per_tag"] == {}


def test_lengths_must_agree() -> None:
    with pytest.raises(MtnlpError, match="E501"):
        tagging_metrics([["O"]], [["O", "O"]])


def test_tags_of_spans() -> None:
    spans = [(0, 2, "A"), (2, 3, "A")]
    assert bio_tags(5, spans, missing=[4]) == ["B-A", "I-A", "B-A", "O", None]
    assert is_flat(5, spans) and is_flat(0, [])
    assert not is_flat(5, [(0, 2, "A"), (1, 3, "B")])
    assert not is_flat(2, [(0, 3, "A")]) and not is_flat(2, [(-1, 0, "A")])


def test_tags_and_span_sets_agree_on_flat_entities() -> None:
    rng = random.Random(0)

    def draw() -> Set[SpanKey]:
        cuts = sorted(rng.sample(range(12), 6))
        pairs = zip(cuts[::2], cuts[1::2], strict=True)
        return {(start, end, rng.choice("AB")) for start, end in pairs if rng.random() < 0.7}

    gold, predicted = [draw() for _ in range(100)], [draw() for _ in range(100)]
    tags = [
        [[str(tag) for tag in bio_tags(12, spans)] for spans in side] for side in (gold, predicted)
    ]
    by_tags, by_spans = tagging_metrics(*tags), span_metrics(gold, predicted)
    assert 0 < by_spans["micro"]["f"] < 1
    for name in ("micro", "macro"):
        assert by_tags[name] == pytest.approx(by_spans[name])
    assert by_tags["entities"] == by_spans["entities"]
    for label in "AB":
        assert by_tags["per_type"][label] == pytest.approx(by_spans["per_type"][label])

"""The numbers of a layer beside those of seqeval, spaCy and `nlp.evaluate`."""

from typing import Any, Dict, List, Optional, Tuple

import numpy as np
import pytest
from hypothesis import given as given_by
from hypothesis import settings
from hypothesis import strategies as st
from seqeval.metrics import classification_report
from spacy.scorer import Scorer, get_ner_prf
from spacy.tokens import Doc, Span
from spacy.training import Example

from mtnlp.analysis.entity_report import MINIMA, EntityReport
from mtnlp.analysis.options import Settings
from mtnlp.annotation.layers import EntsLayer, SpansLayer
from mtnlp.evaluation.dictionary import Dictionary
from mtnlp.evaluation.tagging import bio_tags
from tests.analysis.documents import PAIRS, VOCAB, WORDS, flat_layers, make_doc, make_pair

SETTINGS = Settings(samples=20)
LAYER = SpansLayer("key")


def report_of(
    examples: List[Example], dictionary: Optional[Dictionary] = None
) -> Tuple[EntityReport, Dict[str, Any]]:
    support = None if dictionary is None else {"A": 7}
    report = EntityReport("pipe", LAYER, SETTINGS, dictionary, support)
    report.add(examples)
    found = report.result()
    assert found is not None
    return report, found


@settings(max_examples=30)
@given_by(PAIRS.filter(bool))
def test_flat_entities_are_seqevals_and_spacys(pairs: Any) -> None:
    flat = [tuple(flat_layers(sorted(side)) for side in pair) for pair in pairs]
    tags = [[bio_tags(len(WORDS), pair[side]) for pair in flat] for side in (0, 1)]
    examples = [make_pair(gold, dict.fromkeys(given, 0.5)) for gold, given in flat]
    _, found = report_of(examples)
    expected: Dict[str, Any] = {}
    if found["per_type"]:
        expected = classification_report(*tags, output_dict=True, zero_division=0)
    for row in found["per_type"]:
        theirs = expected[row["label"]]
        assert [row[key] for key in ("precision", "recall", "f", "support")] == pytest.approx(
            [theirs[key] for key in ("precision", "recall", "f1-score", "support")]
        )
    for average in ("micro", "macro") if found["per_type"] else ():
        theirs = expected[f"{average} avg"]
        names = ("precision", "recall", "f1-score")
        assert list(found[average].values()) == pytest.approx([theirs[name] for name in names])
    same = np.array(tags[0]) == np.array(tags[1])
    assert found["token_accuracy"] == pytest.approx(same.mean())
    assert sum(row["support"] for row in found["per_tag"]) == same.size
    # spaCy's scorer of spans, and that of entities on the same in doc.ents.
    spans = Scorer.score_spans(examples, "key", getter=lambda doc, key: doc.spans[key])
    assert_spacys(found, {key: spans[f"key_{key}"] for key in ("p", "r", "f", "per_type")})
    as_ents = []
    for gold, given in flat:
        sides = [Doc(VOCAB, words=WORDS) for _ in range(2)]
        for doc, layer in zip(sides, (given, gold), strict=True):
            doc.set_ents([Span(doc, *span) for span in layer], default="outside")
        as_ents.append(Example(*sides))
    prf = get_ner_prf(as_ents)
    assert_spacys(found, {key: prf[f"ents_{key}"] for key in ("p", "r", "f", "per_type")})
    report = EntityReport("pipe", EntsLayer(), SETTINGS)
    report.add(as_ents)
    ents = report.result()
    # Nothing has written scores for them.
    rows = [{**row, "confidence": None} for row in found["per_type"]]
    assert ents is not None and ents["per_type"] == rows
    assert ents["reliability"] is None and ents["coverage"] == []


def assert_spacys(found: Dict[str, Any], theirs: Dict[str, Any]) -> None:
    if found["entities"] or found["predicted"]:
        assert found["micro"] == pytest.approx({key: theirs[key] or 0.0 for key in "prf"})
        own = {
            row["label"]: [row["precision"], row["recall"], row["f"]] for row in found["per_type"]
        }
        per_type = {label: list(prf.values()) for label, prf in theirs["per_type"].items()}
        assert own == {label: pytest.approx(values) for label, values in per_type.items()}


@given_by(PAIRS.filter(bool), st.randoms())
def test_whatever_overlaps_adds_up(pairs: Any, chance: Any) -> None:
    examples = [make_pair(gold, {s: chance.random() for s in given}) for gold, given in pairs]
    _, found = report_of(examples)
    assert found["documents"] == len(pairs)
    rows = found["per_type"]
    assert found["types"] == [row["label"] for row in rows] == found["confusion"]["labels"]
    assert sum(row["support"] for row in rows) == found["entities"] == sum(len(g) for g, _ in pairs)
    assert sum(row["predicted"] for row in rows) == found["predicted"]
    counts = np.array(found["confusion"]["counts"])
    assert counts[:-1].sum(1).tolist() == [row["support"] for row in rows]
    assert counts[:, :-1].sum(0).tolist() == [row["predicted"] for row in rows]
    assert sum(row[key] for row in found["boundaries"] for key in row if key != "length") == sum(
        row["support"] for row in rows
    )
    for pair in found["confused_pairs"]:
        gold, predicted = (found["types"].index(pair[side]) for side in ("gold", "predicted"))
        assert counts[gold, predicted] == pair["count"] and 0 < pair["share"] <= 1
        assert 0 < len(pair["examples"]) <= min(3, pair["count"])
    spans = Scorer.score_spans(
        examples, "key", getter=lambda doc, key: doc.spans[key], allow_overlap=True
    )
    assert_spacys(found, {key: spans[f"key_{key}"] for key in ("p", "r", "f", "per_type")})


def test_confidences_against_brute_force() -> None:
    gold = {(0, 1, "A"), (2, 4, "B"), (5, 6, "A")}
    predicted = {(0, 1, "A"): 0.95, (2, 4, "A"): 0.62, (7, 8, "B"): 0.3}
    _, found = report_of([make_pair(gold, predicted), make_pair(set(), {(1, 2, "B"): 0.61})])
    assert found["reliability"]["predicted"] == 4
    confidences = {row["label"]: row["confidence"] for row in found["per_type"]}
    assert confidences == {"A": pytest.approx((0.95 + 0.62) / 2), "B": pytest.approx(0.455)}
    bins = [(row["low"], row["count"], row["accuracy"]) for row in found["reliability"]["bins"]]
    assert bins == [(0.3, 1, 0.0), (0.6, 2, 0.0), (0.9, 1, 1.0)]
    assert [row["minimum"] for row in found["coverage"]] == list(MINIMA)
    scores = [0.95, 0.62, 0.3, 0.61]
    for row in found["coverage"]:
        kept = sum(score >= row["minimum"] for score in scores)
        right = int(row["minimum"] <= 0.95)
        expected = (right / kept if kept else 0.0, right / 3, kept / 4, kept)
        assert (
            tuple(row[key] for key in ("precision", "recall", "coverage", "entities")) == expected
        )


def test_unannotated_documents_count_for_nothing() -> None:
    annotated = make_pair({(0, 1, "A")}, {(0, 1, "A"): 0.9})
    missing = make_pair(None, {(2, 3, "B"): 0.9})
    assert report_of([annotated, missing])[1] == report_of([annotated])[1]
    report = EntityReport("pipe", LAYER, SETTINGS)
    report.add([missing])
    assert report.result() is None and report.baseline is None
    # In doc.ents single tokens may be missing: neither the pipe nor the baseline is wrong there.
    reference, predicted = Doc(VOCAB, words=WORDS), make_doc()
    reference.set_ents([Span(reference, 0, 1, "A")], missing=[reference[10:11]], default="outside")
    predicted.ents = [Span(predicted, 0, 1, "A"), Span(predicted, 10, 11, "A")]
    dictionary = Dictionary()
    dictionary.learn(["The", "Rome"], [(0, 1, "A"), (1, 2, "A")])
    ents = EntityReport("pipe", EntsLayer(), SETTINGS, dictionary, {"A": 2})
    ents.add([Example(predicted, reference)])
    found = ents.result()
    assert found is not None and found["micro"]["f"] == 1.0 and found["predicted"] == 1
    assert ents.baseline == 1.0 and found["per_type"][0]["train"] == 2


def test_the_baseline_by_hand() -> None:
    dictionary = Dictionary()
    dictionary.learn(["Rome", "Ann", "Bell", "said"], [(0, 1, "LOC"), (1, 3, "PER")])
    dictionary.learn(["New", "said"], [(0, 1, "LOC"), (1, 2, "PER")])
    # Found are New, Ann Bell and Rome, not said, which is as often no entity; two are right.
    gold = {(3, 5, "LOC"), (7, 9, "PER"), (10, 11, "LOC")}
    report, found = report_of([make_pair(gold, {})], dictionary)
    assert report.baseline == pytest.approx(2 / 3)
    assert found["micro"]["f"] == 0.0
    assert {row["label"]: row["train"] for row in found["per_type"]} == {"LOC": 0, "PER": 0}

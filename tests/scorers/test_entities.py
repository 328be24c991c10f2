import random
from typing import List, Optional, Tuple

import pytest
import spacy
from spacy.scorer import Scorer
from spacy.tokens import Doc, Span
from spacy.training import Example

from mtnlp.scorers.entities import make_entity_scorer_v1

Spans = Optional[List[Tuple[int, int, str]]]
score = make_entity_scorer_v1()


@pytest.fixture(scope="module")
def vocab() -> spacy.vocab.Vocab:
    return spacy.blank("en").vocab


def make_doc(vocab: spacy.vocab.Vocab, words: List[str], spans: Spans, key: Optional[str]) -> Doc:
    doc = Doc(vocab, words=words)
    if spans is not None:
        found = [Span(doc, start, end, label) for start, end, label in spans]
        if key is None:
            doc.set_ents(found, default="outside")
        else:
            doc.spans[key] = found
    return doc


def example(
    vocab: spacy.vocab.Vocab, gold: Spans, predicted: Spans, key: Optional[str], length: int = 6
) -> Example:
    words = [f"w{i}" for i in range(length)]
    return Example(make_doc(vocab, words, predicted, key), make_doc(vocab, words, gold, key))


@pytest.mark.parametrize("key", [None, "layer"])
def test_counts_each_type(vocab: spacy.vocab.Vocab, key: Optional[str]) -> None:
    examples = [
        example(vocab, [(0, 1, "PER"), (2, 4, "ORG")], [(0, 1, "PER"), (2, 3, "ORG")], key),
        example(vocab, [(1, 2, "PER")], [(1, 2, "LOC")], key),
    ]
    prefix = "ents" if key is None else f"spans_{key}"
    assert score(examples, spans_key=key, labels=("PER",), threshold=0.5) == {
        f"{prefix}_p": 1 / 3,
        f"{prefix}_r": 1 / 3,
        f"{prefix}_f": 1 / 3,
        f"{prefix}_per_type": {
            "LOC": {"p": 0.0, "r": 0.0, "f": 0.0},
            "ORG": {"p": 0.0, "r": 0.0, "f": 0.0},
            "PER": {"p": 1.0, "r": 0.5, "f": 2 / 3},
        },
    }


@pytest.mark.parametrize("key", [None, "layer"])
def test_never_annotated_counts_for_nothing_but_annotated_empty_does(
    vocab: spacy.vocab.Vocab, key: Optional[str]
) -> None:
    prefix = "ents" if key is None else f"spans_{key}"
    right = example(vocab, [(0, 1, "PER")], [(0, 1, "PER")], key)
    unannotated = example(vocab, None, [(0, 1, "PER")], key)
    empty = example(vocab, [], [(0, 1, "PER")], key)
    assert score([right, unannotated], spans_key=key)[f"{prefix}_p"] == 1.0
    assert score([right, empty], spans_key=key)[f"{prefix}_p"] == 0.5
    nothing = score([unannotated], spans_key=key)
    assert nothing == {
        f"{prefix}_p": 0.0,
        f"{prefix}_r": 0.0,
        f"{prefix}_f": 0.0,
        f"{prefix}_per_type": {},
    }


def test_a_layer_missing_in_the_prediction_predicts_nothing(vocab: spacy.vocab.Vocab) -> None:
    scores = score([example(vocab, [(0, 1, "PER")], None, "layer")], spans_key="layer")
    assert scores["spans_layer_r"] == 0.0 and scores["spans_layer_per_type"].keys() == {"PER"}


def test_predictions_over_missing_tokens_do_not_count(vocab: spacy.vocab.Vocab) -> None:
    words = [f"w{i}" for i in range(6)]
    gold = Doc(vocab, words=words, ents=["B-PER", "O", "O", "O", "O", "O"])
    gold.set_ents([gold.ents[0]], missing=[gold[3:5]], default="outside")
    predicted = make_doc(vocab, words, [(0, 1, "PER"), (2, 4, "ORG"), (5, 6, "ORG")], None)
    scores = score([Example(predicted, gold)])
    assert (scores["ents_p"], scores["ents_r"]) == (0.5, 1.0)


def test_nested_and_crossing_spans_all_count(vocab: spacy.vocab.Vocab) -> None:
    gold: Spans = [(0, 4, "A"), (1, 2, "A"), (1, 2, "B"), (3, 6, "A")]
    scores = score([example(vocab, gold, [*gold[:3], (0, 5, "A")], "layer")], spans_key="layer")
    assert scores["spans_layer_f"] == 0.75
    assert scores["spans_layer_per_type"]["B"]["f"] == 1.0


def test_tokens_may_differ(vocab: spacy.vocab.Vocab) -> None:
    gold = Doc(
        vocab,
        words=["Anna", "Smith-Jones", "left", "Rome"],
        ents=["B-PER", "I-PER", "O", "B-LOC"],
    )
    predicted = Doc(
        vocab,
        words=["Anna", "Smith", "-", "Jones", "left", "Rome"],
        spaces=[True, False, False, True, True, True],
        ents=["B-PER", "I-PER", "I-PER", "I-PER", "B-LOC", "O"],
    )
    scores = score([Example(predicted, gold)])
    assert scores["ents_per_type"]["PER"]["f"] == 1.0
    assert scores["ents_per_type"]["LOC"] == {"p": 0.0, "r": 0.0, "f": 0.0}


def test_an_entity_of_whitespace_is_wrong(vocab: spacy.vocab.Vocab) -> None:
    gold = Doc(vocab, words=["a", "b"], ents=["O", "O"])
    predicted = Doc(vocab, words=["a", "\n\n", "b"], spaces=[True, False, True])
    predicted.spans["layer"] = [Span(predicted, 1, 2, "PER")]
    gold.spans["layer"] = [Span(gold, 0, 1, "PER")]
    scores = score([Example(predicted, gold)], spans_key="layer")
    assert scores["spans_layer_per_type"]["PER"] == {"p": 0.0, "r": 0.0, "f": 0.0}


def test_equals_spacys_scorer_on_random_entities(vocab: spacy.vocab.Vocab) -> None:
    rng = random.Random(0)

    def draw() -> Spans:
        cuts = sorted(rng.sample(range(12), 6))
        pairs = zip(cuts[::2], cuts[1::2], strict=True)
        return [(start, end, rng.choice("AB")) for start, end in pairs if rng.random() < 0.7]

    examples = [example(vocab, draw(), draw(), None, length=12) for _ in range(200)]
    ours, theirs = score(examples), Scorer.score_spans(examples, "ents", allow_overlap=False)
    for name in ("ents_p", "ents_r", "ents_f"):
        assert 0 < ours[name] < 1
        assert ours[name] == pytest.approx(theirs[name])
    assert ours["ents_per_type"]["A"] == pytest.approx(theirs["ents_per_type"]["A"])


def test_numbers_are_plain(vocab: spacy.vocab.Vocab) -> None:
    scores = score([example(vocab, [(0, 1, "PER")], [(0, 1, "PER")], None)])
    assert all(type(scores[name]) is float for name in ("ents_p", "ents_r", "ents_f"))

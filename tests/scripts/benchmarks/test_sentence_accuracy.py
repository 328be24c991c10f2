import pytest
import spacy
from spacy.tokens import Doc

from scripts.benchmarks.sentence_accuracy import count

VOCAB = spacy.blank("en").vocab


def doc(intent: str, *ents: tuple) -> Doc:
    made = Doc(VOCAB, words=["fly", "to", "New", "York", "now"])
    made.set_ents([made.char_span(*span, label=label) for *span, label in ents])
    if intent:
        made.cats = {f"intent/{name}": float(name == intent) for name in ("fly", "stay")}
    return made


def test_shares() -> None:
    """One utterance all right, one with a slot too short, one with the other intent, one with no
    intent and a slot too many."""
    york, short = (7, 15, "CITY"), (11, 15, "CITY")
    gold = [doc("fly", york), doc("fly", york), doc("fly"), doc("stay")]
    found = [doc("fly", york), doc("fly", short), doc("stay"), doc("", short)]
    assert count(zip(gold, found, strict=True)) == {
        "utterances": 4,
        "all right": 0.25,
        "intent": 0.5,
        "all slots": 0.5,
        "slot F1": pytest.approx(2 / 5),
    }

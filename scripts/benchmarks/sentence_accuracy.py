"""Of how many utterances are the intent and all slots right?

    python scripts/benchmarks/sentence_accuracy.py training/model-last corpus/test/atis.spacy

Prints a row of a table: utterances, and the shares with everything, the intent, all slots right,
and the F1 of the slots. The pipeline reads the gold tokens. A task that it does not have counts as
wrong.
"""

import argparse
from pathlib import Path
from typing import Dict, Iterable, Set, Tuple

import spacy
from spacy.tokens import Doc, DocBin

Slots = Set[Tuple[int, int, str]]


def slots_of(doc: Doc) -> Slots:
    """The entities of a Doc."""
    return {(ent.start, ent.end, ent.label_) for ent in doc.ents}


def intent_of(doc: Doc) -> str:
    """The category with the highest score; empty without any."""
    return max(doc.cats, key=lambda key: doc.cats[key]) if doc.cats else ""


def count(pairs: Iterable[Tuple[Doc, Doc]]) -> Dict[str, float]:
    """Shares of utterances, 0 to 1, and the F1 of slots. pairs: gold and predicted."""
    total = whole = intents = slots = right = predicted = gold = 0
    for reference, answer in pairs:
        wanted, found = slots_of(reference), slots_of(answer)
        has_intent, has_slots = intent_of(reference) == intent_of(answer), wanted == found
        total += 1
        intents, slots = intents + has_intent, slots + has_slots
        whole += has_intent and has_slots
        right, predicted, gold = (
            right + len(wanted & found),
            predicted + len(found),
            gold + len(wanted),
        )
    f = 2 * right / (predicted + gold) if predicted + gold else 1.0
    return {
        "utterances": total,
        "all right": whole / total,
        "intent": intents / total,
        "all slots": slots / total,
        "slot F1": f,
    }


def main() -> None:
    """Score a pipeline on a corpus."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("corpus", type=Path, help="a .spacy file")
    arguments = parser.parse_args()
    nlp = spacy.load(arguments.model)
    gold = list(DocBin().from_disk(arguments.corpus).get_docs(nlp.vocab))
    bare = (
        Doc(nlp.vocab, [t.text for t in doc], [bool(t.whitespace_) for t in doc]) for doc in gold
    )
    found = count(zip(gold, nlp.pipe(bare, batch_size=64), strict=True))
    print(" | ".join(found))
    print(" | ".join(f"{value:g}" if value > 1 else f"{value:.4f}" for value in found.values()))


if __name__ == "__main__":
    main()

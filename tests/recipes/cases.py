"""Small corpora, one for each kind of data that a recipe tells apart, and made-up profiles."""

from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import spacy
from spacy.tokens import Doc, DocBin, Span

from mtnlp.recipes.profile import CorpusProfile, EncoderProfile, LayerProfile, TaskProfile

VOCAB = spacy.blank("en").vocab
Spans = List[Tuple[int, int, str]]


def make_doc(
    text: str,
    ents: Optional[Spans] = None,
    spans: Optional[Dict[str, Spans]] = None,
    cats: Optional[Dict[str, float]] = None,
) -> Doc:
    """A document of words between blanks; ents, spans: (start, end, label) in words."""
    doc = Doc(VOCAB, words=text.split())
    if ents is not None:
        doc.set_ents([Span(doc, *span) for span in ents], default="outside")
    for key, rows in (spans or {}).items():
        doc.spans[key] = [Span(doc, *row) for row in rows]
    doc.cats = cats or {}
    return doc


def one_of(task: str, label: str, *labels: str) -> Dict[str, float]:
    """Categories of which one holds."""
    return {f"{task}/{name}": float(name == label) for name in (label, *labels)}


def flat() -> List[Doc]:
    return [
        make_doc("Anna Keller flew to Paris", ents=[(0, 2, "PER"), (4, 5, "LOC")]),
        make_doc("nothing happened there at all", ents=[]),
    ] * 5


def overlapping() -> List[Doc]:
    rows = [(1, 5, "ORG"), (3, 5, "CITY")]
    return [
        make_doc("The Bank of New York fell", spans={"nerel": rows}),
        make_doc("It stood in New York", spans={"nerel": [(3, 5, "CITY")]}),
    ] * 5


def exclusive() -> List[Doc]:
    return [
        make_doc("What a great film", cats=one_of("sentiment", "pos", "neg")),
        make_doc("A terrible film", cats=one_of("sentiment", "neg", "pos")),
    ] * 5


def multilabel() -> List[Doc]:
    return [
        make_doc("He died in Rome", cats={"event/DEATH": 1.0, "event/BIRTH": 1.0}),
        make_doc("nobody was there", cats={"event/DEATH": 0.0, "event/BIRTH": 0.0}),
    ] * 5


def slots_and_intent() -> List[Doc]:
    """Lower-cased, as ATIS is."""
    return [
        make_doc(
            "flights to paris", ents=[(2, 3, "city")], cats=one_of("intent", "flight", "fare")
        ),
        make_doc("what does it cost", ents=[], cats=one_of("intent", "fare", "flight")),
    ] * 5


def long_documents() -> List[Doc]:
    text = "It was a very long film . " * 12
    return [
        make_doc(text + "great", cats=one_of("sentiment", "pos", "neg")),
        make_doc(text + "terrible", cats=one_of("sentiment", "neg", "pos")),
    ] * 5


CORPORA: Dict[str, Callable[[], List[Doc]]] = {
    made.__name__: made
    for made in (flat, overlapping, exclusive, multilabel, slots_and_intent, long_documents)
}


def write_corpus(folder: Path, name: str, docs: List[Doc]) -> None:
    """`folder/{train,dev,test}/{name}.spacy`, the same documents in each."""
    for split in ("train", "dev", "test"):
        (folder / split).mkdir(parents=True, exist_ok=True)
        DocBin(docs=docs).to_disk(folder / split / f"{name}.spacy")


ENCODER = EncoderProfile("encoder", layers=6, width=384, limit=512, parameters=1000, is_cased=False)


def layer(key: Optional[str] = None, **changes: Any) -> LayerProfile:
    """A layer of 5,000 flat entities."""
    settings: Dict[str, Any] = {
        "labels": {"PER": 3000, "LOC": 2000},
        "documents": 1000,
        "widths": {1: 4000, 2: 999, 9: 1},
    }
    return LayerProfile(key, **{**settings, **changes})


def task(name: str = "topic", is_exclusive: bool = True) -> TaskProfile:
    """A task of two labels."""
    return TaskProfile(name, {"a": 500, "b": 500}, 1000, is_exclusive, "we looked")


def profile(
    name: str = "news", documents: int = 1000, words: int = 20, **changes: Any
) -> CorpusProfile:
    """A corpus whose documents have all the same number of words, a wordpiece each.

    layers, tasks and whatever else is not given: nothing is annotated.
    """
    lengths = dict.fromkeys((0.5, 0.9, 0.95, 1.0), words)
    settings: Dict[str, Any] = {
        "documents": {"train": documents, "dev": 100},
        "language": "en",
        "words": documents * words,
        "words_per_document": lengths,
        "pieces": documents * words,
        "pieces_per_document": lengths,
        "pieces_per_word": 1.0,
    }
    return CorpusProfile(name, **{**settings, **changes})

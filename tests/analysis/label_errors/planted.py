"""A corpus that a tiny encoder learns at once, with some wrong annotations in it."""

from pathlib import Path
from typing import Any, Dict, List, Tuple

from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab
from thinc.api import Config

from mtnlp.data.document_ids import DOCUMENT
from tests.tiny import make_nlp
from tests.training.loop_cases import TRAINING

NAMES = ("Anna", "Tom", "Maria", "Peter")
CITIES = ("Paris", "Rome", "Berlin", "Oslo")
TEMPLATES = (
    "{name} took a great trip to {city} .",
    "In {city} {name} saw an awful film .",
    "A great day , {name} said : the Bank of {city} fell .",
    "{name} left {city} in awful weather .",
)
COUNT = 64
PIPES: Dict[str, Any] = {
    "ner": {},
    "nested_ner": {},
    "textcat": {"tasks": {"sentiment": {"exclusive": True}}},
}
# What is wrong in the corpus: number, layer, what should be there.
PLANTED: Dict[str, Tuple[int, str]] = {
    "ents wrong type": (10, "ents"),
    "ents missing": (33, "ents"),
    "spans wrong type": (18, "spans/nerel"),
    "sentiment": (41, "cats/sentiment"),
}


def make_docs(vocab: Vocab, planted: bool = True) -> List[Doc]:
    """Two Docs are one document. Banks are nested, around their city."""
    docs = []
    for number in range(COUNT):
        template = TEMPLATES[number % 4]
        name, city = NAMES[number // 4 % 4], CITIES[number // 16 % 4]
        words = template.format(name=name, city=city).split()
        doc = Doc(vocab, words=words)
        at = {word: words.index(word) for word in (name, city)}
        ents = [(at[name], at[name] + 1, "PER"), (at[city], at[city] + 1, "LOC")]
        spans = list(ents)
        if "Bank" in words:
            spans.append((words.index("Bank"), at[city] + 1, "ORG"))
        mood = "positive" if "great" in words else "negative"
        if planted and number == PLANTED["ents wrong type"][0]:
            ents[1] = (*ents[1][:2], "PER")
        if planted and number == PLANTED["ents missing"][0]:
            del ents[0]
        if planted and number == PLANTED["spans wrong type"][0]:
            spans[2] = (*spans[2][:2], "LOC")
        if planted and number == PLANTED["sentiment"][0]:
            mood = "positive" if mood == "negative" else "negative"
        doc.set_ents([Span(doc, *ent) for ent in ents], default="outside")
        doc.spans["nerel"] = [Span(doc, *span) for span in spans]
        doc.cats = {f"sentiment/{m}": float(m == mood) for m in ("positive", "negative")}
        doc.user_data[DOCUMENT] = f"text {number // 2}"
        docs.append(doc)
    return docs


def write_planted(path: Path) -> Path:
    DocBin(docs=make_docs(Vocab()), store_user_data=True).to_disk(path)
    return path


def write_config(path: Path, backbone: Path, corpus: Path, epochs: int = 8) -> Path:
    """A config of all three components over a tiny encoder."""
    config = Config().from_str(TRAINING)
    own = Config().from_str(make_nlp(backbone, list(PIPES), PIPES).config.to_str())
    config["nlp"] = {"lang": "xx", "pipeline": ["transformer", *PIPES]}
    config["components"] = own["components"]
    config["corpora"]["train"]["corpora"] = {"own": {"path": str(corpus)}}
    config["corpora"]["dev"]["corpora"] = {"own": {"path": str(corpus)}}
    config["training"].update(max_epochs=epochs, accumulate_gradient=1, eval_frequency=50)
    config["training"]["optimizer"]["learn_rate"]["total_steps"] = 100
    config.to_disk(path)
    return path

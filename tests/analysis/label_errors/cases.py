"""A small annotated corpus, and suggestions for it."""

from pathlib import Path
from typing import Any, Dict, List, Sequence

from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from mtnlp.analysis.label_errors.suggestions import Suggestion

TEXTS = (
    "Anna Keller flew to Rome .",
    "The Bank of New York fell .",
    "\u201cAda\u201d sang 🎵 in Rome .",
    "Nothing happened .",
)
ENTS = ([(0, 1, "PER"), (4, 5, "ORG")], [(3, 5, "LOC")], [(1, 2, "PER"), (6, 7, "LOC")], [])
SPANS = ([], [(1, 5, "ORG"), (3, 5, "CITY")], [], [])
TOPICS = ("TRAVEL", "MONEY", "TRAVEL", "MUSIC")


def make_docs(vocab: Vocab) -> List[Doc]:
    """Docs with known spaces, as a tokenizer makes them; the last but one with signs that count as
    two in a browser."""
    docs = []
    for text, ents, spans, topic in zip(TEXTS, ENTS, SPANS, TOPICS, strict=True):
        words = text.replace("\u201c", "\u201c ").replace("\u201d", " \u201d").split()
        spaces = [not word.endswith(("\u201c", "Ada")) for word in words[:-1]] + [False]
        doc = Doc(vocab, words=words, spaces=spaces)
        doc.set_ents([Span(doc, *span) for span in ents], default="outside")
        doc.spans["sc"] = [Span(doc, *span) for span in spans]
        doc.cats = {f"topic/{label}": float(label == topic) for label in set(TOPICS)}
        docs.append(doc)
    return docs


def write_corpus(path: Path) -> Path:
    DocBin(docs=make_docs(Vocab())).to_disk(path)
    return path


def read_corpus(path: Path) -> List[Doc]:
    return list(DocBin().from_disk(path).get_docs(Vocab()))


def suggest(
    number: int,
    given: Sequence[Any],
    suggested: Sequence[Any],
    layer: str = "ents",
    **others: Any,
) -> Suggestion:
    """A suggestion for a Doc of the corpus, `errors.spacy`."""
    words = make_docs(Vocab())[number]
    texts = [
        [words[s[0] : s[1]].text for s in part if not isinstance(s, str)]
        for part in (given, suggested)
    ]
    fields: Dict[str, Any] = {
        "rank": 1,
        "score": 0.9,
        "kind": "wrong type",
        "component": "ner",
        "layer": layer,
        "file": "errors.spacy",
        "number": number,
        "document": None,
        "given": [list(s) if not isinstance(s, str) else s for s in given],
        "suggested": [list(s) if not isinstance(s, str) else s for s in suggested],
        "given_texts": texts[0],
        "suggested_texts": texts[1],
        "p_given": 0.1,
        "p_suggested": 0.8,
        "before": "",
        "words": "",
        "behind": "",
    }
    return Suggestion(**{**fields, **others})


SUGGESTIONS = (
    suggest(0, [(4, 5, "ORG")], [(4, 5, "LOC")]),
    suggest(0, [(0, 1, "PER")], [(0, 2, "PER")]),
    suggest(2, [(1, 2, "PER")], []),
    suggest(3, [], [(0, 1, "MISC")]),
    suggest(1, [(3, 5, "CITY")], [(3, 5, "LOC")], "spans/sc"),
    suggest(1, [], [(0, 5, "GROUP")], "spans/sc"),
    suggest(3, ["MUSIC"], ["MONEY"], "cats/topic"),
)
# The layers when all of them are accepted.
CORRECTED_ENTS = (
    [(0, 2, "PER"), (4, 5, "LOC")],
    [(3, 5, "LOC")],
    [(6, 7, "LOC")],
    [(0, 1, "MISC")],
)
CORRECTED_SPANS = ([], [(0, 5, "GROUP"), (1, 5, "ORG"), (3, 5, "LOC")], [], [])
CORRECTED_TOPICS = ("TRAVEL", "MONEY", "TRAVEL", "MONEY")


def ents_of(doc: Doc) -> List[Any]:
    return [(span.start, span.end, span.label_) for span in doc.ents]


def spans_of(doc: Doc) -> List[Any]:
    return sorted((span.start, span.end, span.label_) for span in doc.spans["sc"])


def topics_of(doc: Doc) -> List[str]:
    return [key.partition("/")[2] for key, value in doc.cats.items() if value]

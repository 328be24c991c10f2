"""Pipelines that cost little, and one of mtnlp's own components."""

from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup

from mtnlp.data.docbin import to_doc
from mtnlp.types import Record
from tests.pipes.cases import initialized
from tests.tiny import make_nlp

# A component cannot take a text with this in it.
BOOM = "BOOM"
TEXTS = [
    "Anna Keller flew to Paris.",
    "",
    "Анна живёт в Москве 🐕 и любит Paris 🎉.",
    "A great film; naïve, café, 👩‍👩‍👧 in Paris.",
    " \t ",
    "Nobody was named here at all, however long the text may be.",
]


@Language.component("tests_bulk_scorer")
def score(doc: Doc) -> Doc:
    """Spans with scores, one less than there are spans, and categories."""
    if BOOM in doc.text:
        raise RuntimeError(f"cannot take\n{BOOM}")
    spans = [Span(doc, token.i, token.i + 1, "WORD") for token in doc if token.is_title]
    scores = [0.1 * (index + 1) for index in range(max(0, len(spans) - 1))]
    doc.spans["words"] = SpanGroup(doc, name="words", spans=spans, attrs={"scores": scores})
    doc.cats = {"length/long": len(doc) / 100, "length/short": 1 - len(doc) / 100}
    return doc


def make_rules(*pipes: str) -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    ruler: Any = nlp.add_pipe("entity_ruler")
    patterns = [("LOC", "Paris"), ("PER", "Anna"), ("LOC", "Москве")]
    ruler.add_patterns([{"label": label, "pattern": text} for label, text in patterns])
    for pipe in pipes:
        nlp.add_pipe(pipe)
    return nlp


@pytest.fixture(scope="session")
def rules(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a pipeline that every process can load: entities by rules."""
    folder = tmp_path_factory.mktemp("rules") / "model"
    make_rules().to_disk(folder)
    return str(folder)


@pytest.fixture(scope="session")
def scored(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Entities by rules, spans with scores and categories; it fails at BOOM."""
    folder = tmp_path_factory.mktemp("scored") / "model"
    make_rules("tests_bulk_scorer").to_disk(folder)
    return str(folder)


@pytest.fixture(scope="session")
def tiny(backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """mtnlp's own components over a tiny encoder, with random weights."""
    pipes = ("ner", "nested_ner", "textcat", "sentence_vectors", "trf_data_cleaner")
    folder = tmp_path_factory.mktemp("tiny") / "model"
    nlp = initialized(make_nlp(backbone, pipes))
    # Random scores are low: below it nothing would be written.
    nlp.get_pipe("nested_ner").cfg["threshold"] = 0.0  # type: ignore[attr-defined]
    nlp.to_disk(folder)
    return str(folder)


def rows(count: int) -> List[Dict[str, Any]]:
    """Records with an id and two more fields."""
    return [
        {
            "id": f"doc-{number}",
            "text": TEXTS[number % len(TEXTS)],
            "stars": str(number),
            "name": f"n{number}",
        }
        for number in range(count)
    ]


def to_docs(records: List[Dict[str, Any]]) -> List[Doc]:
    """The same as Docs with user data."""
    nlp = spacy.blank("en")
    docs = []
    for record in records:
        doc = to_doc(Record(text=record["text"]), nlp)
        doc.user_data.update({key: value for key, value in record.items() if key != "text"})
        docs.append(doc)
    return docs

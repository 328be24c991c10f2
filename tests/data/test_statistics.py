from pathlib import Path
from typing import Dict, List

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from transformers import AutoTokenizer

from mtnlp.data.span_statistics import SpanCounts, describe
from mtnlp.data.statistics import SplitCounts, WordpieceCounter, corpus_statistics
from mtnlp.errors import DataError, MtnlpError
from mtnlp.reports.statistics import statistics_tables
from mtnlp.reports.tables import to_markdown

VOCAB = spacy.blank("xx").vocab


class FakeWordpieces:
    """A wordpiece a character, and two special tokens."""

    window = 10

    def count(self, texts: List[str]) -> List[int]:
        return [len(text) + 2 for text in texts]


def tagged(words: str, ents: str, tags: str = "") -> Doc:
    split = words.split()
    doc = Doc(VOCAB, words=split, ents=ents.split(), tags=tags.split() or None)
    for token in doc:
        token.is_sent_start = token.i in (0, 3)
    return doc


def plain(text: str, cats: Dict[str, float]) -> Doc:
    doc = spacy.blank("en")(text)
    doc.cats = cats
    return doc


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    train = [
        tagged("Anna Bell left Rome .", "B-PER I-PER O B-LOC O", "N N V N ."),
        tagged("Rome is old .", "B-LOC O O O"),
        tagged("Rome is old .", "B-LOC O O O"),
        plain("It was good. I liked it.", {"mood/good": 1.0, "mood/bad": 0.0, "score": 0.5}),
    ]
    test = [
        plain("Rome is old .", {"mood/good": 0.0, "mood/bad": 1.0}),
        plain("Never.", {}),
    ]
    for split, docs in (("train", train), ("test", test)):
        (tmp_path / split).mkdir()
        DocBin(docs=docs).to_disk(tmp_path / split / "mixed.spacy")
    return tmp_path


def test_a_corpus(corpus: Path) -> None:
    numbers = corpus_statistics(corpus)["mixed"]
    train = numbers["splits"]["train"]
    assert (train["documents"], train["sentences"], train["tokens"]) == (4, 8, 21)
    assert train["documents_without_sentences"] == 1
    assert train["tokens_per_document"] == {"mean": 5.25, "median": 4.5, "max": 8}
    assert train["duplicates"] == 1
    assert numbers["duplicates_across"] == {"train/test": 1}
    assert numbers["language"] == "en"
    ents = train["entities"]["ents"]
    assert (ents["documents"], ents["missing"], ents["total"]) == (3, 1, 4)
    assert ents["labels"] == {
        "LOC": {"count": 3, "share": 0.75},
        "PER": {"count": 1, "share": 0.25},
    }
    counts = {tag: row["count"] for tag, row in ents["tags"].items()}
    assert counts == {"O": 8, "B-LOC": 3, "I-LOC": 0, "B-PER": 1, "I-PER": 1}
    assert sum(row["share"] for row in ents["tags"].values()) == pytest.approx(1.0)
    assert ents["length"]["histogram"] == {"1": 3, "2": 1}
    mood = train["categories"]["mood"]
    assert (mood["documents"], mood["missing"]) == (1, 3)
    assert mood["labels"]["good"] == {"count": 1, "share": 1.0}
    assert mood["labels"]["bad"]["count"] == 0
    assert train["part_of_speech"]["documents"] == 1
    assert train["part_of_speech"]["labels"]["N"] == {"count": 3, "share": 0.6}
    assert "wordpieces" not in train


def test_wordpieces_against_the_window() -> None:
    counts = SplitCounts(FakeWordpieces())  # type: ignore[arg-type]
    counts.add([plain("abcdefgh", {}), plain("abcdefghi", {}), plain("ab", {})])
    numbers = counts.to_dict()["wordpieces"]
    assert numbers["longer_than_window"] == 1 and numbers["share_longer"] == pytest.approx(1 / 3)
    assert (numbers["total"], numbers["median"], numbers["max"]) == (25, 10.0, 11)
    assert numbers["per_token"] == pytest.approx(25 / 3)


def test_nesting_and_crossing() -> None:
    counts = SpanCounts()
    # A holds B and C, C holds D and its twin E; F crosses A alone.
    spans = [(0, 8, "A"), (0, 2, "B"), (3, 6, "C"), (4, 5, "D"), (4, 5, "E"), (6, 10, "F")]
    counts.add(spans, tokens=12)
    numbers = counts.to_dict(documents=3)
    assert numbers["missing"] == 2
    assert numbers["overlap"] == {
        "nested": 4,
        "nested_share": pytest.approx(4 / 6),
        "same_boundaries": 1,
        "crossing_pairs": 1,
        "depth": 3,
        "depths": {"1": 2, "2": 2, "3": 2},
    }
    assert numbers["tags"] is None
    assert numbers["length"]["max"] == 8


def test_tokens_without_annotation_are_no_outside_tokens() -> None:
    doc = Doc(VOCAB, words=["a", "b", "c", "d"])
    doc.set_ents([Span(doc, 0, 1, "X")], missing=[doc[2:4]], default="outside")
    counts = SplitCounts()
    counts.add([doc])
    ents = counts.to_dict()["entities"]["ents"]
    assert ents["missing_tokens"] == 2
    assert ents["tags"]["O"] == {"count": 1, "share": 0.5}


def test_annotated_but_empty_layers_are_not_missing() -> None:
    doc = Doc(VOCAB, words=["a"])
    doc.spans["deep"] = []
    counts = SplitCounts()
    counts.add([doc, Doc(VOCAB, words=["b"]), Doc(VOCAB)])
    numbers = counts.to_dict()
    assert numbers["entities"]["spans/deep"]["documents"] == 1
    assert numbers["entities"]["spans/deep"]["missing"] == 2
    assert numbers["documents"] == 3 and numbers["sentences"] == 2


def test_describe() -> None:
    assert describe({}) == {"mean": 0.0, "median": 0.0, "max": 0, "histogram": {}}
    assert describe({1: 2, 4: 1, 10: 1})["median"] == 2.5
    assert describe({3: 1})["median"] == 3.0
    assert describe({1: 1, 2: 1, 9: 1})["mean"] == 4.0


def test_missing_and_broken_corpora(corpus: Path) -> None:
    with pytest.raises(MtnlpError, match=r"E150.*nothere\.spacy"):
        corpus_statistics(corpus, ["mixed", "nothere"])
    with pytest.raises(MtnlpError, match="E150"):
        corpus_statistics(corpus / "nowhere")
    path = corpus / "train" / "mixed.spacy"
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(DataError, match=r"mixed\.spacy.*E140"):
        corpus_statistics(corpus)


def test_tables_show_every_layer(corpus: Path) -> None:
    text = to_markdown(statistics_tables(corpus_statistics(corpus)))
    assert "| mixed | train | 4 | 8 | 21 | 5.2500 | 8 |" in text
    assert "| mixed | test, also in train | 1 |" in text
    assert "| ents | 3 | 1 | 0 | 2 |" in text
    assert "| B-LOC | 3 | 0.2308 | 0 | 0.0000 |" in text
    assert "### mixed: mood" in text


def test_the_tokenizers_wordpieces_and_the_encoders_window(backbones: Dict[str, Path]) -> None:
    counter = WordpieceCounter(str(backbones["bert"]))
    tokenizer = AutoTokenizer.from_pretrained(backbones["bert"])
    long = "Anna Keller flew to Paris . " * 40
    assert counter.window == 64
    assert counter.count(["Paris", long]) == [
        len(tokenizer(text).input_ids) for text in ("Paris", long)
    ]
    assert counter.count([long])[0] > 240
    assert WordpieceCounter(str(backbones["bert"]), window=32).window == 32
    assert WordpieceCounter(str(backbones["bert"]), window=1000).window == 64
    with pytest.raises(MtnlpError, match="E151"):
        WordpieceCounter(str(backbones["bert"] / "nothing"))


def test_an_encoder_that_cuts_words_up(corpus: Path, backbones: Dict[str, Path]) -> None:
    """The tiny one knows some words only; its window of 60 is smaller than a text."""
    doc = spacy.blank("en")("Unfathomable incomprehensibilities notwithstanding. " * 5)
    DocBin(docs=[plain("Never.", {}), doc]).to_disk(corpus / "test" / "mixed.spacy")
    counter = WordpieceCounter(str(backbones["bert"]), window=60)
    assert counter.special == 2
    numbers = corpus_statistics(corpus, wordpieces=counter)["mixed"]
    findings = {finding["kind"]: finding for finding in numbers["findings"]}
    pieces = sum(
        split["wordpieces"]["total"] - 2 * split["documents"]
        for split in numbers["splits"].values()
    )
    tokens = sum(split["tokens"] for split in numbers["splits"].values())
    assert f"into {pieces / tokens:.1f} wordpieces" in findings["wordpieces_per_word"]["message"]
    long = findings["long_texts"]
    assert (long["count"], long["is_fault"]) == (1, False)
    assert long["places"] == ["test 1 'Unfathomable incomprehensibili…'"]

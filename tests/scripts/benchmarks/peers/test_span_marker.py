"""SpanMarker as a baseline: its data from ours, its entities as ours."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from mtnlp.errors import MtnlpError
from scripts.benchmarks.peers.span_marker import Recipe, read, run_span_marker, to_dataset

NLP = spacy.blank("en")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three documents, one of them empty, with entities in `doc.spans["fine"]`."""
    words = ["Anna", "Smith", "met", "Tom", "Ruth", "in", "Paris"]
    doc = Doc(NLP.vocab, words=words)
    spans = [(0, 2, "PER"), (3, 4, "PER"), (4, 5, "PER"), (6, 7, "LOC")]
    doc.spans["fine"] = [Span(doc, *span) for span in spans]
    plain = Doc(NLP.vocab, words=["Nobody", "came"])
    plain.spans["fine"] = []
    path = tmp_path / "fine.spacy"
    DocBin(docs=[doc, Doc(NLP.vocab), plain]).to_disk(path)
    return path


def test_documents_are_read_and_limited(corpus: Path) -> None:
    sentences = read(corpus, "fine")
    assert [len(tokens) for tokens in sentences.tokens] == [7, 2] and sentences.words == 9
    assert sentences.gold[0] == {(0, 2, "PER"), (3, 4, "PER"), (4, 5, "PER"), (6, 7, "LOC")}
    assert sentences.gold[1] == set()
    assert len(read(corpus, "fine", limit=1).tokens) == 1
    assert read(corpus, None).gold == []  # nobody annotated doc.ents


def test_touching_entities_stay_two(corpus: Path) -> None:
    pytest.importorskip("datasets", reason="needs the extra 'hub'")
    labels = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
    dataset = to_dataset(read(corpus, "fine"), labels)
    assert dataset[0]["ner_tags"] == [3, 4, 0, 3, 3, 0, 1]
    assert dataset[1]["ner_tags"] == [0, 0]


@pytest.mark.skipif(find_spec("span_marker") is not None, reason="span_marker is installed")
def test_the_missing_library_is_named(corpus: Path, backbone: Path) -> None:
    with pytest.raises(MtnlpError, match=r"E512.*span_marker==1\.8\.0"):
        run_span_marker(corpus, corpus, "fine", str(backbone), Recipe())


def test_a_run_trains_and_scores(corpus: Path, backbone: Path) -> None:
    pytest.importorskip("span_marker", reason="the baseline needs span_marker")
    recipe = Recipe(batch_size=2, max_length=64, marker_length=16)
    results = run_span_marker(corpus, corpus, "fine", str(backbone), recipe)
    assert results["train_words"] == 9 and results["test"]["entities"] == 4
    assert results["train_words_per_second"] > 0 and results["predict_words_per_second"] > 0
    assert 0.0 <= results["test"]["micro"]["f"] <= 1.0

"""What a run is made on: documents, and what teachers believe of them."""

from pathlib import Path

from thinc.api import Config

from mtnlp.experiments.corpus_files import content_hash, corpus_files


def test_opinions_belong_to_a_corpus(tmp_path: Path) -> None:
    (tmp_path / "taught" / "x").mkdir(parents=True)
    documents = tmp_path / "a.spacy"
    opinions = tmp_path / "taught" / "x" / "a.opinions.safetensors"
    other = tmp_path / "taught" / "taught.json"
    for path in (documents, opinions, other):
        path.write_text("1", encoding="utf8")
    corpus = {"path": str(documents), "taught": str(tmp_path / "taught")}
    config = Config({"corpora": {"train": {"corpora": {"a": corpus}}}})
    assert corpus_files(config) == [documents, opinions]
    before = content_hash(config)
    other.write_text("22", encoding="utf8")
    assert content_hash(config) == before
    opinions.write_text("22", encoding="utf8")
    assert content_hash(config) != before

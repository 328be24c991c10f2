"""Facts of pipelines and corpora."""

from pathlib import Path

import spacy

from mtnlp.analysis.about import corpus_licences, describe_pipeline, packages, pipeline_licences
from mtnlp.analysis.corpus import Files


def test_a_pipeline_without_an_encoder(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path / "blank")
    found = describe_pipeline(nlp, tmp_path / "blank")
    assert found["encoder"] is None and found["engine"] is None and found["licences"] == []
    assert found["components"] == ["sentencizer"] and found["size_mb"] > 0
    assert describe_pipeline(nlp, Path("en_installed"))["size_mb"] is None


def test_licences_of_pipeline_and_corpora() -> None:
    nlp = spacy.blank("en")
    nlp.meta["license"] = "MIT"
    nlp.meta["sources"] = [{"name": "CoNLL", "url": "x", "license": "Reuters"}, "own texts"]
    assert pipeline_licences(nlp) == ["pipeline: MIT", "CoNLL: Reuters", "own texts"]
    files = Files(Path("c"), "test", [Path("conll.spacy"), Path("mine.spacy")], [], {})
    (line,) = corpus_licences(files)
    assert line.startswith("conll: CoNLL-2003") and "Reuters" in line


def test_packages_that_are_there() -> None:
    assert packages()["spacy"] == spacy.__version__

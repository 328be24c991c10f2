"""`mtnlp teach`, from a trained pipeline to a training's documents."""

from pathlib import Path
from typing import Any, List

import pytest
from spacy.vocab import Vocab

from mtnlp.cli.teach import show_size
from mtnlp.data.docbin_stream import read_docs
from mtnlp.data.mixed_corpus import create_mixed_corpus_v1
from mtnlp.data.opinion_file import OpinionFile
from mtnlp.gold.opinions import opinions_of
from tests.data.corpora import files_below, flat, invoke
from tests.data.mixed_cases import save


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, joint: Any) -> Path:
    folder = tmp_path_factory.mktemp("teacher") / "model-best"
    joint.nlp.to_disk(folder)
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, joint: Any) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    docs = [example.reference for example in joint.examples]
    save(folder / "a.spacy", docs[:6])
    save(folder / "news" / "b.spacy", docs[6:])
    return folder


def test_a_corpus_is_taught(
    model: Path, corpus: Path, tmp_path: Path, backbone: Path, joint: Any
) -> None:
    out = tmp_path / "taught"
    options: List[object] = [
        *(f"entities={model}", "--to", "ner=entities"),
        *("--vectors", backbone, "--to", "sentence_vectors=meaning"),
        *("--corpus", corpus, "--output", out),
    ]
    dry = invoke("teach", *options, "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert f"entities: taught by 'ner' of {model}" in flat(dry.output)
    assert "documents of 2 files: about" in flat(dry.output) and not out.exists()

    result = invoke("teach", *options)
    assert result.exit_code == 0, result.output
    assert files_below(out) == ["a.opinions.safetensors", "news/b.opinions.safetensors"]
    assert "6 documents" in flat(result.output) and "entities on 6, meaning on 6" in result.output
    file = OpinionFile(out / "a.opinions.safetensors")
    assert [head.component for head in file.heads] == ["entities", "meaning"]
    assert [teacher.path for teacher in file.teachers] == [str(model), str(backbone)]

    again = invoke("teach", *options)
    assert again.exit_code == 1 and "E748" in again.output
    everything = [model, "--corpus", corpus, "--output", out, "--force", "--batch-size", "2"]
    assert invoke("teach", *everything).exit_code == 0
    corpora = {"all": {"path": corpus, "taught": out}}
    for example in create_mixed_corpus_v1(corpora)(joint.nlp):
        assert len(opinions_of(example.reference, "ner")) == 1
        assert opinions_of(example.reference, "meaning") == []

    # Other documents than those that were taught.
    docs = list(read_docs(corpus / "a.spacy", Vocab()))
    path = save(tmp_path / "a.spacy", docs[::-1])
    corpora = {"all": {"path": path, "taught": out}}
    with pytest.raises(ValueError, match=r"E742.*another order"):
        create_mixed_corpus_v1(corpora)(joint.nlp)


def test_wrong_arguments(model: Path, corpus: Path, tmp_path: Path) -> None:
    out = ["--corpus", corpus, "--output", tmp_path / "t"]
    assert invoke("teach", *out).exit_code == 2
    assert invoke("teach", model, *out, "--to", "ner").exit_code == 2
    assert invoke("teach", model, "--corpus", corpus).exit_code == 2
    assert "E503" in invoke("teach", tmp_path / "absent", *out).output
    assert "E190" in invoke("teach", model, *out, "--corpus", tmp_path / "absent").output
    unknown = invoke("teach", model, *out, "--to", "nerd=ner")
    assert unknown.exit_code == 1 and "--to nerd=ner" in flat(unknown.output)
    other = invoke("teach", model, *out, "--only", "absent")
    assert other.exit_code == 1 and "E747" in other.output
    assert files_below(tmp_path) == []


@pytest.mark.parametrize(
    "count, shown",
    [(0, "0 B"), (999, "999 B"), (1200, "1.2 kB"), (345_678, "346 kB"), (2.5e12, "2500 GB")],
)
def test_sizes(count: float, shown: str) -> None:
    assert show_size(count) == shown

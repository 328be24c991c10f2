"""The scores of `spacy evaluate`, from one prediction of each document."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
from spacy.cli.evaluate import evaluate as spacy_evaluate
from spacy.tokens import DocBin
from spacy.training import Example

from mtnlp.evaluation import evaluator
from mtnlp.evaluation.spacy_scores import SpacyScores
from tests.data.corpora import invoke
from tests.tiny import PIPES, make_examples, make_nlp


@pytest.fixture(scope="module")
def folder(backbones: Dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline with a cleaner, and its documents as two corpora of the split `test`."""
    folder = tmp_path_factory.mktemp("scores")
    nlp = make_nlp(backbones["bert"], [*PIPES, "trf_data_cleaner"])
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    nlp.to_disk(folder / "model")
    (folder / "test").mkdir()
    for name, part in (("one", examples[:2]), ("two", examples[2:])):
        docs = [example.reference for example in part]
        DocBin(docs=docs).to_disk(folder / "test" / f"{name}.spacy")
    return folder


def close(data: Any) -> Any:
    """Numbers are compared up to the last bits, which depend on the batches."""
    if isinstance(data, dict):
        return {key: close(value) for key, value in data.items()}
    return pytest.approx(data, abs=1e-6) if isinstance(data, float) else data


def test_they_are_those_of_spacy_evaluate(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predicted: List[str] = []
    predict = evaluator.predict

    def counting(nlp: Any, references: Any) -> Any:
        predicted.extend(doc.text for doc in references)
        return predict(nlp, references)

    monkeypatch.setattr(evaluator, "predict", counting)
    options = ["--model", folder / "model", "--corpus", folder, "--split", "test"]
    options += ["--scores", tmp_path / "test.json", "--samples", 20, "--no-raw-text"]
    result = invoke("evaluate", *options, "--output", tmp_path / "report.json")
    assert result.exit_code == 0, result.output
    for name, path in (
        ("test", "test"),
        ("test_one", "test/one.spacy"),
        ("test_two", "test/two.spacy"),
    ):
        found = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf8"))
        spacy_evaluate(str(folder / "model"), folder / path, tmp_path / "expected.json")
        expected = json.loads((tmp_path / "expected.json").read_text(encoding="utf8"))
        assert found.pop("speed") > 0 and expected.pop("speed") > 0
        assert found == close(expected), name
        assert {"token_acc", "ents_f", "spans_nerel_f", "cats_score"} <= set(found)
    # Each document was predicted once, for all files and the report.
    docs = DocBin().from_disk(folder / "test" / "one.spacy")
    total = len(docs) + len(DocBin().from_disk(folder / "test" / "two.spacy"))
    assert len(predicted) == total
    assert "spacy_scores" not in json.loads((tmp_path / "report.json").read_text(encoding="utf8"))


def test_one_corpus_has_one_file(folder: Path, tmp_path: Path) -> None:
    options = ["--model", folder / "model", "--corpus", folder, "--split", "test", "--name", "one"]
    options += ["--scores", tmp_path / "test.json", "--samples", 20]
    result = invoke("evaluate", *options)
    assert result.exit_code == 0, result.output
    assert [path.name for path in tmp_path.iterdir()] == ["test.json"]
    # The same without the tables.
    quiet = invoke("evaluate", *options, "--quiet")
    assert quiet.exit_code == 0 and "95% interval" in result.output
    assert "95% interval" not in quiet.output and "Scores written" in quiet.output


def test_kept_documents_hold_no_hidden_states(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: List[Example] = []

    def add(self: SpacyScores, corpus: str, examples: List[Example], seconds: float) -> None:
        kept.extend(examples)

    monkeypatch.setattr(SpacyScores, "add", add)
    settings = evaluator.Settings(samples=20, raw_text=False)
    evaluator.evaluate_corpus(
        folder / "model", folder, "test", ["one"], settings=settings, spacy_scores=True
    )
    assert kept and all(example.predicted._.trf_data is None for example in kept)

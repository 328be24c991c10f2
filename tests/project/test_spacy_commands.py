"""spaCy's own commands work on our pipelines."""

import json
from pathlib import Path
from typing import Dict

import pytest
import spacy
from spacy.cli import app
from spacy.tokens import DocBin
from typer.testing import CliRunner

from tests.conftest import Joint

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def work(joint: Joint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a trained pipeline `model`, a corpus `data.spacy` and `texts/a.txt`."""
    folder = tmp_path_factory.mktemp("commands")
    joint.nlp.to_disk(folder / "model")
    DocBin(docs=[eg.reference for eg in joint.examples]).to_disk(folder / "data.spacy")
    (folder / "texts").mkdir()
    (folder / "texts" / "a.txt").write_text("Anna Keller flew to Paris.", encoding="utf8")
    return folder


@pytest.fixture
def config(work: Path, backbone: Path) -> Path:
    """The joint config over the tiny encoder and corpus."""
    text = (ROOT / "configs" / "en_mtnlp.cfg").read_text(encoding="utf8")
    text = text.replace('"assets/backbone/all-MiniLM-L6-v2"', f'"{backbone}"')
    for name in ("imdb", "conll", "nerel", "multinerd"):
        text = text.replace(f"${{paths.train}}/{name}.spacy", str(work / "data.spacy"))
    text = text.replace("path = ${paths.dev}", f"path = {work / 'data.spacy'}")
    (work / "config.cfg").write_text(text, encoding="utf8")
    return work / "config.cfg"


def run(*arguments: object) -> str:
    """Run `spacy …`; what it printed."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, f"{result.output}\n{result.exception!r}"
    return result.output


def scores(path: Path) -> Dict[str, object]:
    loaded: Dict[str, object] = json.loads(path.read_text(encoding="utf8"))
    return loaded


@pytest.mark.parametrize("command", [["evaluate"], ["benchmark", "accuracy"]])
def test_evaluate(work: Path, command: list) -> None:
    output = work / "scores.json"
    run(*command, work / "model", work / "data.spacy", "--output", output)
    assert {"ents_f", "spans_multinerd_f", "cats_sentiment_acc", "cats_event_micro_f"} <= set(
        scores(output)
    )


def test_benchmark_speed(work: Path) -> None:
    shown = run(
        *("benchmark", "speed", work / "model", work / "data.spacy"),
        *("--batches", 30, "--batch-size", 1, "--warmup", 0),
    )
    assert "words/s" in shown


@pytest.mark.parametrize(
    ("pipe", "key"), [("events", "cats_event_micro_f"), ("nested_ner", "spans_nerel_f")]
)
def test_find_threshold(pipe: str, key: str, work: Path) -> None:
    shown = run(
        *("find-threshold", work / "model", work / "data.spacy"),
        *(pipe, "threshold", key, "--n_trials", 3),
    )
    assert "Best threshold" in shown


def test_apply(work: Path) -> None:
    output = work / "applied.spacy"
    run("apply", work / "model", work / "texts", output)
    (doc,) = DocBin().from_disk(output).get_docs(spacy.blank("en").vocab)
    assert len(doc.spans["ner"].attrs["scores"]) == len(doc.ents)
    assert "sentiment/positive" in doc.cats


def test_assemble(work: Path) -> None:
    source = f'source = "{work / "model"}"\n'
    config = work / "assemble.cfg"
    config.write_text(
        '[nlp]\nlang = "en"\npipeline = ["transformer", "ner"]\n\n[components]\n\n'
        f"[components.transformer]\n{source}\n[components.ner]\n{source}",
        encoding="utf8",
    )
    run("assemble", config, work / "assembled")
    text = "Anna Keller flew to Paris ."
    whole, part = spacy.load(work / "model")(text), spacy.load(work / "assembled")(text)
    assert [e.text for e in part.ents] == [e.text for e in whole.ents]


def test_init_fill_config_and_debug_config(work: Path, config: Path) -> None:
    filled = work / "filled.cfg"
    run("init", "fill-config", config, filled)
    assert "[initialize.components]" in filled.read_text(encoding="utf8")
    assert "Config is valid" in run("debug", "config", filled)


def test_init_labels(work: Path, config: Path) -> None:
    run("init", "labels", config, work / "labels")
    made = {path.stem: json.loads(path.read_text()) for path in (work / "labels").glob("*.json")}
    assert set(made) == {"ner", "fine_ner", "nested_ner", "textcat", "events"}
    assert "PER" in made["ner"]


def test_project_assets_downloads_nothing_unasked() -> None:
    assert "--extra" in run("project", "assets", ROOT)


def test_project_document(tmp_path: Path) -> None:
    run("project", "document", ROOT, "--output", tmp_path / "PROJECT.md")
    text = (tmp_path / "PROJECT.md").read_text(encoding="utf8")
    assert "`convert-imdb`" in text and "`smoke`" in text and "aclImdb_v1.tar.gz" in text

"""`mtnlp joint --teachers` on the sample, with a tiny encoder and in this process."""

import json
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest
import spacy
from spacy.util import load_config

from mtnlp.data.convert import convert
from mtnlp.data.mixed_corpus import create_mixed_corpus_v1
from mtnlp.data.opinion_file import OpinionFile
from mtnlp.data.options import ConvertOptions
from mtnlp.experiments import child, comparison, teacher_recipe
from mtnlp.experiments.runs import Options, Run
from tests.data.corpora import files_below, flat, invoke
from tests.data.mixed_cases import first_words
from tests.tiny import SAMPLE

CONFIG = SAMPLE.parents[1] / "configs" / "imdb_conll_multinerd.cfg"
RUNS = ["system=ner", "system=textcat", "system=joint-taught"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpora")
    for name in ("imdb", "conll"):
        convert(ConvertOptions(name, sample=SAMPLE, out=folder, limit=(8, 2, 2)))
    return folder


@pytest.fixture
def config(tmp_path: Path, backbone: Path) -> Path:
    """Two heads over a tiny encoder, and texts that only the teachers speak of."""
    made = load_config(CONFIG)
    made["nlp"].update(lang="xx", pipeline=["transformer", "ner", "textcat", "sentence_vectors"])
    for name in ("sentencizer", "fine_ner", "trf_data_cleaner"):
        del made["components"][name]
    train = made["corpora"]["train"]["corpora"]
    del train["multinerd"]
    train["texts"] = {"path": "${paths.dev}/conll.spacy", "teachers_only": True}
    made["corpora"]["dev"] = {"@readers": "spacy.Corpus.v1", "path": "${paths.dev}"}
    made["paths"]["backbone"] = str(backbone)
    made["components"]["transformer"]["model"].update(window=0, layers=[0, 1])
    made["components"]["textcat"]["model"]["tok2vec"]["layers"] = [0, 1]
    made["training"]["batcher"].update(size=60, min_docs=0)
    made.to_disk(tmp_path / "two.cfg")
    return tmp_path / "two.cfg"


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> List[str]:
    """The cells of the runs that are made, here and not in processes of their own."""
    names: List[str] = []

    def execute(run: Run, options: Options, tick: Any = None) -> None:
        run.prepare(options)
        child.main(run.folder)
        names.append(run.cell.name)

    monkeypatch.setattr(comparison, "execute", execute)
    return names


def arguments(config: Path, corpus: Path, output: Path) -> List[object]:
    parts = {"train": "train", "dev": "dev", "test": "train"}
    paths = [item for name, part in parts.items() for item in (f"--{name}", corpus / part)]
    more = ["--limit", 5, "--training.max_epochs", 1, "--output", output, "--samples", 50]
    return [config, "--teachers", *paths, *more, "--no-probe"]


def test_the_whole_recipe(
    config: Path,
    corpus: Path,
    backbone: Path,
    tmp_path: Path,
    executed: List[str],
    monkeypatch: Any,
) -> None:
    output = tmp_path / "out"
    options = [*arguments(config, corpus, output), "--vectors", backbone]
    # Interrupted while the teachers are asked: they are not trained again.
    with monkeypatch.context() as patch:
        patch.setattr(teacher_recipe.Teaching, "run", interrupt)
        shown = flat(invoke("joint", *options).output)
    assert "1. Train ner, textcat alone, 1 seeds: 2 of 2 runs left" in shown
    assert f"2. Ask ner, textcat, {backbone} about imdb, conll, texts" in shown
    assert "3. Train the student, 1 seeds: 1 left" in shown
    assert executed == RUNS[:2] and files_below(output / "taught") == []

    result = invoke("joint", *options)
    assert result.exit_code == 0, result.output
    assert executed == RUNS  # the teachers were not trained again
    seed = output / "taught" / "seed-0"
    names = [f"{name}.opinions.safetensors" for name in ("conll/conll", "imdb/imdb", "texts/conll")]
    assert files_below(seed) == [names[0], names[1], "taught.json", names[2]]
    for name, used in zip(names, (5, 5, 2), strict=True):
        file = OpinionFile(seed / name)
        assert [head.component for head in file.heads] == ["ner", "textcat", "sentence_vectors"]
        assert int(file.asked.sum()) == used
        # Every teacher is asked about every document, whoever annotated it.
        asked = np.flatnonzero(file.asked)
        assert all(len(file.read(i, "ner")) == len(file.read(i, "textcat")) == 1 for i in asked)

    # What is asked is what the student reads.
    made = load_config(output / "runs" / RUNS[2] / "seed-0" / "config.cfg", interpolate=True)
    block: Dict[str, Any] = dict(made["corpora"]["train"])
    assert block.pop("@readers") == "mtnlp.MixedCorpus.v1"
    model = output / "runs" / RUNS[2] / "seed-0" / "model" / "model-last"
    student = spacy.load(model)
    assert student.pipe_names == ["transformer", "ner", "textcat", "sentence_vectors"]
    assert len(first_words(create_mixed_corpus_v1(**block)(student))) == 12
    assert student.get_pipe("ner").cfg["teacher_weight"] == 1.0  # type: ignore[attr-defined]
    assert "TeacherAnnealing" in str(made["training"]["before_update"])
    assert str(model) in result.output.replace("\n", "")

    results = json.loads((output / "report.json").read_text(encoding="utf8"))
    assert results["weightings"] == ["taught"] and list(results["tasks"]) == [
        "ner",
        "textcat/sentiment",
    ]
    for task in results["tasks"].values():
        assert set(task["joint"]) == {"taught"} and "interval" in task["joint"]["taught"]

    # Nothing is left to do.
    dry = invoke("joint", *options, "--dry-run")
    assert dry.exit_code == 0, dry.output
    for left in ("0 of 2 runs left", "0 of 1 left", "1 seeds: 0 left", "About 0 s left"):
        assert left in flat(dry.output)

    # Opinions of other teachers: they are asked again, and the student learns again.
    (seed / "taught.json").write_text("{}", encoding="utf8")
    (output / "runs" / RUNS[2] / "seed-0" / "result.json").unlink()
    shown = flat(invoke("joint", *options, "--dry-run").output)
    for left in ("0 of 2 runs left", "1 of 1 left", "1 seeds: 1 left"):
        assert left in shown


def interrupt(*arguments: Any) -> Any:
    raise KeyboardInterrupt


def test_wrong_arguments(config: Path, corpus: Path, tmp_path: Path) -> None:
    options = arguments(config, corpus, tmp_path / "out")
    options.remove("--teachers")
    refused = invoke("joint", *options)
    assert refused.exit_code == 2 and "--teachers" in refused.output
    assert invoke("joint", *options, "--teachers", "--seeds", "a").exit_code == 2
    missing = invoke("joint", *options, "--teachers", "--test", tmp_path / "nope")
    assert missing.exit_code == 1 and "E422" in missing.output
    made = load_config(config, interpolate=False)
    made["nlp"]["pipeline"].remove("sentence_vectors")
    del made["components"]["sentence_vectors"]
    made.to_disk(config)
    vectors = invoke("joint", *options, "--teachers", "--vectors", "enc")
    assert vectors.exit_code == 1 and "E747" in vectors.output
    shown = invoke("joint", "--help")
    assert shown.exit_code == 0 and "--vectors" in shown.output

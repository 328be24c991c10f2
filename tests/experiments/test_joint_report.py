"""`mtnlp joint-report` with trainings of a tiny encoder, in this process to save its start."""

import json
import shutil
from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
from spacy.training import Corpus
from spacy.util import load_config

from mtnlp.data.convert import convert
from mtnlp.data.options import ConvertOptions
from mtnlp.evaluation.intervals import fscores, paired_bootstrap
from mtnlp.experiments import child, comparison
from mtnlp.experiments import joint_report as module
from mtnlp.experiments.runs import Options, Run
from tests.data.corpora import files_below, flat, invoke
from tests.tiny import SAMPLE

CONFIG = SAMPLE.parents[1] / "configs" / "imdb_conll_multinerd.cfg"
SYSTEMS = ["ner", "textcat", "joint-static"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpora")
    for name in ("imdb", "conll"):
        convert(ConvertOptions(name, sample=SAMPLE, out=folder, limit=(8, 2, 2)))
    return folder


@pytest.fixture
def config(tmp_path: Path, backbone: Path) -> Path:
    """The joint config with two heads over a tiny encoder, which learns fast."""
    made = load_config(CONFIG)
    made["nlp"]["pipeline"].remove("fine_ner")
    # The texts are tokenized already: no exceptions of a tokenizer to load, forty times a test.
    made["nlp"]["lang"] = "xx"
    del made["components"]["fine_ner"]
    del made["corpora"]["train"]["corpora"]["multinerd"]
    # spaCy's reader has settings without a default, which no config of the project writes.
    made["corpora"]["dev"] = {"@readers": "spacy.Corpus.v1", "path": "${paths.dev}"}
    made["paths"]["backbone"] = str(backbone)
    made["components"]["transformer"]["model"].update(window=0, layers=[0, 1])
    made["components"]["textcat"]["model"]["tok2vec"]["layers"] = [0, 1]
    made["training"]["optimizer"]["learn_rate"]["initial_rate"] = 2e-3
    # There are six documents of each task.
    made["training"]["batcher"].update(size=60, min_docs=0)
    made.to_disk(tmp_path / "two.cfg")
    return tmp_path / "two.cfg"


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> List[str]:
    """The names of the runs that are made, here and not in processes of their own."""
    names: List[str] = []

    def execute(run: Run, options: Options, tick: Any = None) -> None:
        run.prepare(options)
        child.main(run.folder)
        names.append(run.name)

    monkeypatch.setattr(comparison, "execute", execute)
    return names


def arguments(config: Path, corpus: Path, output: Path, epochs: int = 1) -> List[object]:
    """The test corpus is that of training, which a tiny encoder can learn something of."""
    parts = {"train": "train", "dev": "dev", "test": "train"}
    paths = [item for name, part in parts.items() for item in (f"--{name}", corpus / part)]
    more = ["--limit", 6, "--weighting", "static", "--training.max_epochs", epochs]
    return [config, *paths, *more, "--output", output, "--samples", "200"]


def result_of(folder: Path, system: str) -> Dict[str, Any]:
    path = folder / "runs" / f"system={system}" / "seed-0" / "counts.json"
    return json.loads(path.read_text(encoding="utf8"))


def test_a_report(config: Path, corpus: Path, tmp_path: Path, executed: List[str]) -> None:
    output = tmp_path / "out"
    options = arguments(config, corpus, output, epochs=8)
    dry = invoke("joint-report", *options, "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert "3 runs (3 systems × 1 seeds), 0 done, about" in flat(dry.output)
    assert executed == ["system=ner, seed 0"]  # the probe
    executed.clear()

    result = invoke("joint-report", *options, "--guard", "100", "--keep")
    assert result.exit_code == 0, result.output
    assert executed == [f"system={system}, seed 0" for system in SYSTEMS]
    results: Dict[str, Any] = json.loads((output / "report.json").read_text(encoding="utf8"))
    assert list(results["tasks"]) == ["ner", "textcat/sentiment"]
    assert list(results["systems"]) == SYSTEMS
    assert (output / "report.md").exists() and (output / "report.csv").exists()

    # spaCy's scores of the same weights on the same test documents.
    for system, score in (("ner", "single"), ("joint-static", "static")):
        model = output / "runs" / f"system={system}" / "seed-0" / "model" / "model-last"
        nlp = spacy.load(model)
        ner = results["tasks"]["ner"]
        found = ner["single"] if score == "single" else ner["joint"]["static"]["score"]
        scores = nlp.evaluate(list(Corpus(corpus / "train" / "conll.spacy")(nlp)))
        assert found == pytest.approx(scores["ents_f"])
        assert found > 0.1
        assert ner["n"] == 8  # whatever the limit of training
        timed = result_of(output, system)["inference"]
        assert timed["documents"] == 16 and timed["seconds"] > 0
    counts = [result_of(output, name)["counts"]["ner"]["counts"] for name in ("ner", SYSTEMS[2])]
    assert counts[0] != counts[1]
    expected = paired_bootstrap(counts[0], counts[1], fscores, samples=200)
    joint = results["tasks"]["ner"]["joint"]["static"]
    assert joint["interval"] == pytest.approx(list(expected.interval))
    assert joint["by_seed"] == {"0": pytest.approx(joint["difference"])}

    # Again: nothing is trained or scored anew.
    executed.clear()
    again = invoke("joint-report", *options)
    assert again.exit_code == 0 and executed == []
    assert json.loads((output / "report.json").read_text(encoding="utf8")) == results

    # A joint run that gets everything wrong: the guard speaks up.
    path = output / "runs" / "system=joint-static" / "seed-0" / "counts.json"
    forged = json.loads(path.read_text(encoding="utf8"))
    forged["counts"]["textcat/sentiment"]["counts"] = [[0, 1]] * 8
    path.write_text(json.dumps(forged), encoding="utf8")
    single = output / "runs" / "system=textcat" / "seed-0" / "counts.json"
    alone = json.loads(single.read_text(encoding="utf8"))
    alone["counts"]["textcat/sentiment"]["counts"] = [[1, 1]] * 8
    single.write_text(json.dumps(alone), encoding="utf8")
    guarded = invoke("joint-report", *options, "--guard", "99")
    assert guarded.exit_code == 1
    assert "99 points lost: textcat/sentiment, static" in flat(guarded.output)
    assert invoke("joint-report", *options, "--guard", "100").exit_code == 0
    assert invoke("joint-report", *options).exit_code == 0


def test_an_interruption_before_scoring(
    config: Path,
    corpus: Path,
    tmp_path: Path,
    executed: List[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is trained and not scored is scored next time; its weights go then."""
    options = [*arguments(config, corpus, tmp_path / "out"), "--no-probe"]

    def interrupt(*arguments: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "count_documents", interrupt)
        invoke("joint-report", *options)
    assert executed == ["system=ner, seed 0"]
    folder = tmp_path / "out" / "runs" / "system=ner" / "seed-0"
    assert (folder / "model").exists() and not (folder / "counts.json").exists()
    result = invoke("joint-report", *options)
    assert result.exit_code == 0, result.output
    assert executed == [f"system={system}, seed 0" for system in SYSTEMS]
    assert not [name for name in files_below(tmp_path / "out") if "model-" in name]
    # Without weights nothing can be scored again.
    (folder / "counts.json").unlink()
    missing = invoke("joint-report", *options)
    assert missing.exit_code == 1 and "E476" in missing.output
    # Counts of another training.
    found = tmp_path / "out" / "runs" / "system=textcat" / "seed-0" / "counts.json"
    found.write_text('{"fingerprint": "another"}', encoding="utf8")
    assert "E425" in invoke("joint-report", *options).output


def test_a_corpus_that_has_changed(
    config: Path, corpus: Path, tmp_path: Path, executed: List[str]
) -> None:
    """New training data: who reads it is trained and scored again. New test data: all is scored,
    with weights that were kept."""

    def scored() -> int:
        return len(result_of(tmp_path / "out", "ner")["counts"]["ner"]["counts"])

    own = tmp_path / "corpus"
    shutil.copytree(corpus, own)
    arranged = arguments(config, own, tmp_path / "out")
    options = [*arranged, "--test", own / "test", "--no-probe", "--keep"]
    assert invoke("joint-report", *options).exit_code == 0
    assert len(executed) == 3 and scored() == 2
    shutil.copy(own / "dev" / "conll.spacy", own / "train" / "conll.spacy")
    assert invoke("joint-report", *options).exit_code == 0
    assert executed[3:] == ["system=ner, seed 0", "system=joint-static, seed 0"]
    shutil.copy(corpus / "train" / "conll.spacy", own / "test" / "conll.spacy")
    result = invoke("joint-report", *options)
    assert result.exit_code == 0, result.output
    assert len(executed) == 5 and scored() == 8


def test_a_weighting_that_is_not_there(
    config: Path,
    corpus: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mtnlp.experiments.joint_plan.WEIGHTING", "no_such_setting")
    options = arguments(config, corpus, tmp_path / "out")
    both = ["--weighting", "uncertainty", "--no-probe", "--dry-run"]
    result = invoke("joint-report", *options, *both)
    assert result.exit_code == 0, result.output
    assert 'knows weighting = "uncertainty"' in flat(result.output)
    assert "3 runs" in result.output


def test_wrong_arguments(config: Path, corpus: Path, tmp_path: Path) -> None:
    options = arguments(config, corpus, tmp_path / "out")
    missing = invoke("joint-report", *options, "--test", tmp_path / "nope")
    assert missing.exit_code == 1 and "E422" in missing.output
    unknown = invoke("joint-report", *options, "--training.max_epoch", "3")
    assert unknown.exit_code == 1 and "E421" in unknown.output
    assert invoke("joint-report", *options, "--seeds", "a,b").exit_code == 2
    assert invoke("joint-report", *options, "--guard", "-1").exit_code == 2
    shown = invoke("joint-report", "--help")
    assert shown.exit_code == 0 and "--guard" in shown.output


def test_nothing_to_test_on(config: Path, corpus: Path, tmp_path: Path) -> None:
    """A test corpus without the gold of a head is found before anything is trained."""
    test = tmp_path / "test"
    test.mkdir()
    for name, source in (("conll", "conll"), ("imdb", "conll")):
        data = (corpus / "test" / f"{source}.spacy").read_bytes()
        (test / f"{name}.spacy").write_bytes(data)
    result = invoke("joint-report", *arguments(config, corpus, tmp_path / "out"), "--test", test)
    assert result.exit_code == 1
    assert "E475" in result.output and "test document" in flat(result.output)


def test_a_task_of_a_classifier_without_anything_to_test_on(
    config: Path, corpus: Path, tmp_path: Path, executed: List[str]
) -> None:
    """Its head has a second task, which the test documents have. Nothing is trained."""
    made = load_config(config, interpolate=False)
    made["components"]["textcat"]["tasks"]["topic"] = {"exclusive": False}
    made.to_disk(config)
    options = [*arguments(config, corpus, tmp_path / "out"), "--no-probe"]
    result = invoke("joint-report", *options)
    assert result.exit_code == 1 and executed == []
    assert "E475" in result.output and "for: textcat/topic." in flat(result.output)

"""`mtnlp calibrate` on the classifiers of a pipeline."""

import json
from pathlib import Path
from typing import Any, Callable, Dict

import numpy as np
import pytest
import spacy
from click.testing import Result
from spacy.cli.evaluate import evaluate
from spacy.language import Language
from spacy.tokens import DocBin

from mtnlp.evaluation.evaluator import evaluate as evaluate_all
from tests.conftest import Joint
from tests.pipes.cases import TEXTS
from tests.tiny import make_example


@pytest.fixture(scope="module")
def work(joint: Joint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pipeline as "model", annotated documents as "docs.spacy"."""
    folder = tmp_path_factory.mktemp("calibrate_categories")
    joint.nlp.to_disk(folder / "model")
    nlp = joint.nlp
    wrong = [
        make_example(nlp, "What a great film .", cats={"sentiment/negative": 1.0}),
        make_example(nlp, "He died in Rome .", cats={"event/DEATH": 1.0, "event/BIRTH": 1.0}),
        make_example(nlp, "He slept .", cats={"event/DEATH": 1.0, "event/BIRTH": 0.0}),
        make_example(nlp, "She slept .", cats={"event/DEATH": 0.0, "event/BIRTH": 0.0}),
    ]
    references = [example.reference for example in [*joint.examples, *wrong]]
    DocBin(docs=references).to_disk(folder / "docs.spacy")
    return folder


@pytest.fixture(scope="module")
def figures(calibrate: Callable[..., Result], work: Path) -> Dict[str, Any]:
    """Those of a whole run that writes "calibrated"; its output under "shown"."""
    docs = work / "docs.spacy"
    result = calibrate(
        *(work / "model", docs, "--output", work / "calibrated", "--report", docs),
        *("--metrics", work / "all.json", "--objective", "micro", "--min-positives", 1),
    )
    assert result.exit_code == 0, result.output
    shown = {"shown": result.output}
    return {**json.loads((work / "all.json").read_text(encoding="utf8")), **shown}


def cfg_of(model: Path, pipe: str) -> Dict[str, Any]:
    return spacy.load(model).get_pipe(pipe).cfg  # type: ignore[attr-defined]


def test_all_pipes_in_one_run(work: Path, figures: Dict[str, Any]) -> None:
    assert list(figures["temperatures"]) == ["ner", "fine_ner", "nested_ner"]
    assert list(figures["classifiers"]) == ["textcat", "events"]
    assert list(figures["category_report"]) == ["textcat", "events"]
    for pipe, task in (("textcat", "sentiment"), ("events", "event")):
        cfg = cfg_of(work / "calibrated", pipe)
        fit = figures["classifiers"][pipe][task]["fit"]
        assert cfg["temperatures"] == {task: fit["temperature"]}
        assert cfg["thresholds"] == fit["thresholds"]
        assert fit["loss_after"] < fit["loss_before"]
        # The documents of the report are those of dev.
        test = figures["category_report"][pipe][task]["calibration"]
        dev = figures["classifiers"][pipe][task]["dev"]["calibration"]
        assert list(test) == ["uncalibrated", "calibrated"]
        for way, row in test.items():
            # Two documents are one text, whose probabilities may differ by rounding in another
            # batch: bins then fall otherwise.
            for key in ("predicted", "mean_confidence", "share", "brier"):
                assert row[key] == pytest.approx(dev[way][key], abs=1e-5)
        # The likelihood rises by fitting; the Brier score need not fall, but it is another.
        assert test["calibrated"]["brier"] != test["uncalibrated"]["brier"]
        assert f"{fit['temperature']:.4f}" in figures["shown"]
    assert set(cfg["thresholds"]) == {"event/DEATH", "event/BIRTH"}
    assert cfg_of(work / "model", "events")["thresholds"] == {}
    for word in ("global", "per label", "macro F1", "events: event, thresholds", "ECE"):
        assert word in figures["shown"]


def test_what_was_fitted_is_used_by_spacy_evaluate(work: Path, figures: Dict[str, Any]) -> None:
    f1 = figures["classifiers"]["events"]["event"]["dev"]["f1"]
    for model, way in (("model", "default"), ("calibrated", "per label")):
        scores = evaluate(str(work / model), work / "docs.spacy", silent=True)
        assert scores["cats_event_micro_f"] == pytest.approx(f1[way]["micro"]["f"])
        assert scores["cats_event_macro_f"] == pytest.approx(f1[way]["macro"]["f"])
    assert (
        f1["per label"]["micro"]["f"] >= f1["global"]["micro"]["f"] >= f1["default"]["micro"]["f"]
    )
    nlp = spacy.load(work / "calibrated")
    docs = list(DocBin().from_disk(work / "docs.spacy").get_docs(nlp.vocab))
    metrics = evaluate_all(nlp, docs)["pipes"]["events"]["tasks"]["event"]
    assert metrics["micro"]["f"] == pytest.approx(f1["per label"]["micro"]["f"])


def test_predictions_after(work: Path, figures: Dict[str, Any]) -> None:
    before, after = spacy.load(work / "model"), spacy.load(work / "calibrated")
    cfg = cfg_of(work / "calibrated", "events")
    temperature = cfg["temperatures"]["event"]
    for text, together in zip(TEXTS, after.pipe(TEXTS), strict=True):
        one, other = before(text), after(text)
        assert together.cats == pytest.approx(other.cats, abs=1e-5)
        # An exclusive task's order stays.
        sentiment = ("sentiment/negative", "sentiment/positive")
        assert np.argmax([one.cats[key] for key in sentiment]) == np.argmax(
            [other.cats[key] for key in sentiment]
        )
        for key, threshold in cfg["thresholds"].items():
            if not text.strip():  # nothing to read: 0.0 whatever the temperature
                assert one.cats[key] == together.cats[key] == 0.0
                continue
            odds = np.log(one.cats[key] / (1 - one.cats[key])) / temperature
            assert other.cats[key] == pytest.approx(1 / (1 + np.exp(-odds)), abs=1e-4)
            assert (key.partition("/")[2] in other._.events) == (other.cats[key] >= threshold)


def test_only_what_is_asked_for(calibrate: Callable[..., Result], work: Path) -> None:
    def run(*arguments: Any) -> Language:
        out, metrics = work / "one", work / "one.json"
        files = (work / "model", work / "docs.spacy", "--output", out, "--metrics", metrics)
        result = calibrate(*files, *arguments)
        assert result.exit_code == 0, result.output
        return spacy.load(out)

    def cfg(nlp: Language, pipe: str) -> Dict[str, Any]:
        return nlp.get_pipe(pipe).cfg  # type: ignore[attr-defined]

    nlp = run("--no-temperature")
    assert cfg(nlp, "ner")["temperature"] == 1.0 and cfg(nlp, "textcat")["temperatures"] == {}
    assert cfg(nlp, "events")["temperatures"] == {}
    # Two gold documents are too few for a threshold of a label's own.
    assert len(set(cfg(nlp, "events")["thresholds"].values())) == 1
    nlp = run("--no-thresholds", "--pipe", "events")
    assert cfg(nlp, "ner")["temperature"] == 1.0 and cfg(nlp, "events")["thresholds"] == {}
    assert cfg(nlp, "events")["temperatures"]["event"] != 1.0

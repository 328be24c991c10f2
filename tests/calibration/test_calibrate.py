"""`mtnlp calibrate`: from a saved pipeline to a calibrated one and its figures."""

import json
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
import spacy
from click.testing import Result
from spacy.language import Language
from spacy.tokens import DocBin

from mtnlp.calibration.entity_report import calibration_report
from mtnlp.reports.calibration import calibration_tables
from tests.conftest import Joint
from tests.pipes.cases import TEXTS, group_scores, listed
from tests.tiny import make_example

NER = ["ner", "fine_ner", "nested_ner"]
FIGURES = ("ece", "brier", "aurc")


@pytest.fixture(scope="module")
def work(joint: Joint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pipeline as "model", its examples as "docs/all.spacy", those of `ner` as "ents.spacy"."""
    folder = tmp_path_factory.mktemp("calibrate")
    joint.nlp.to_disk(folder / "model")
    nlp = joint.nlp
    # Beside what it was trained on some gold that is against it, so that certainty does not pay.
    wrong = [
        make_example(nlp, "Anna Keller flew to Paris .", ents=[(0, 2, "LOC")]),
        make_example(nlp, "The grey wolf slept .", spans=[(1, 3, "LOC")]),
        make_example(nlp, "It stood in New York .", spans=[(3, 5, "ORG")], key="nerel"),
    ]
    references = [example.reference for example in [*joint.examples, *wrong]]
    (folder / "docs").mkdir()
    DocBin(docs=references).to_disk(folder / "docs" / "all.spacy")
    entities = [doc for doc in references if doc.has_annotation("ENT_IOB")]
    DocBin(docs=entities).to_disk(folder / "ents.spacy")
    return folder


def temperatures(nlp: Language) -> Dict[str, float]:
    return {name: nlp.get_pipe(name).cfg["temperature"] for name in NER}  # type: ignore


def test_all_pipes_and_a_report(calibrate: Callable[..., Result], work: Path) -> None:
    result = calibrate(
        *(work / "model", work / "docs", "--output", work / "calibrated"),
        *("--report", work / "docs" / "all.spacy", "--metrics", work / "metrics" / "figures.json"),
    )
    assert result.exit_code == 0, result.output
    figures = json.loads((work / "metrics" / "figures.json").read_text(encoding="utf8"))
    before, after = spacy.load(work / "model"), spacy.load(work / "calibrated")
    assert temperatures(before) == dict.fromkeys(NER, 1.0)
    found = {name: fit["temperature"] for name, fit in figures["temperatures"].items()}
    assert temperatures(after) == pytest.approx(found) and 1.0 not in found.values()
    assert [path.name for path in work.glob(".*")] == []
    for fit in figures["temperatures"].values():
        assert fit["loss_after"] < fit["loss_before"]
    for text in TEXTS:
        one, other = before(text), after(text)
        assert listed(one.ents) == listed(other.ents)
        assert listed(one.spans["multinerd"]) == listed(other.spans["multinerd"])
    for name in NER:
        ways = figures["report"][name]
        crf = ["softmax minimum"] if name != "nested_ner" else []
        assert list(ways) == ["uncalibrated", "calibrated", *crf]
        assert {"predicted", "gold", "at", *FIGURES} <= set(ways["calibrated"])
        assert name in result.output and f"{found[name]:.4f}" in result.output
    # All three ways judge the same entities, so their scores without a minimum are the same.
    for name in NER[:2]:
        ways = figures["report"][name].values()
        assert len({way["at"][0]["f"] for way in ways}) == 1
        assert len({way["predicted"] for way in ways}) == 1
        assert len({way["brier"] for way in ways}) == 3
    for word in ("ECE", "Brier", "AURC", "coverage", "softmax minimum"):
        assert word in result.output
    assert len(calibration_tables(figures)) == 2 * len(NER)


def test_chosen_pipes_and_in_place(calibrate: Callable[..., Result], work: Path) -> None:
    before = spacy.load(work / "model")
    before.to_disk(work / "own")
    metrics = work / "own.json"
    result = calibrate(
        *(work / "own", work / "ents.spacy", "--output", work / "own", "--metrics", metrics),
    )
    assert result.exit_code == 0, result.output
    assert "fine_ner: no annotated document" in result.output
    found = temperatures(spacy.load(work / "own"))
    assert found["ner"] != 1.0 and found["fine_ner"] == found["nested_ner"] == 1.0
    assert "report" not in json.loads(metrics.read_text(encoding="utf8"))
    result = calibrate(
        *(work / "model", work / "docs", "--output", work / "one", "--metrics", metrics),
        *("--pipe", "fine_ner", "--pipe", "nested_ner"),
    )
    assert result.exit_code == 0, result.output
    found = temperatures(spacy.load(work / "one"))
    assert found["ner"] == 1.0 and found["fine_ner"] != 1.0 and found["nested_ner"] != 1.0


@pytest.mark.parametrize(
    ("model", "dev", "options", "code"),
    [
        ("nothing", "ents.spacy", [], "E503"),
        ("model", "nothing.spacy", [], "E100"),
        ("model", "model", [], "E150"),
        ("model", "ents.spacy", ["--pipe", "transformer"], "E411"),
        ("model", "ents.spacy", ["--pipe", "textcat"], "E415"),
        ("model", "docs", ["--pipe", "ner", "--no-temperature"], "E433"),
        ("model", "docs", ["--pipe", "textcat", "--no-temperature"], "E433"),
        ("model", "docs", ["--no-temperature", "--no-thresholds"], "E433"),
        ("model", "ents.spacy", ["--pipe", "fine_ner"], "E415"),
        ("model", "bare.spacy", [], "E415"),
        ("blank", "ents.spacy", [], "E416"),
    ],
)
def test_errors_leave_nothing_behind(
    *,
    model: str,
    dev: str,
    options: List[str],
    code: str,
    calibrate: Callable[..., Result],
    work: Path,
) -> None:
    spacy.blank("en").to_disk(work / "blank")
    DocBin(docs=[spacy.blank("en")("Hello there")]).to_disk(work / "bare.spacy")
    result = calibrate(work / model, work / dev, "--output", work / "failed", *options)
    assert result.exit_code == 1
    assert code in result.output and "Traceback" not in result.output
    assert not (work / "failed").exists()


def test_a_folder_of_something_else_is_left_alone(
    calibrate: Callable[..., Result], work: Path, tmp_path: Path
) -> None:
    """The pipeline takes the place of the whole folder, so that all in it would be gone."""
    (tmp_path / "notes.txt").write_text("mine", encoding="utf8")
    result = calibrate(work / "model", work / "ents.spacy", "--output", tmp_path)
    assert result.exit_code == 1 and "E144" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_the_report_reads_the_posteriors_and_leaves_the_pipe_alone(joint: Joint) -> None:
    pipe: Any = joint.nlp.get_pipe("ner")
    pipe.cfg.update(temperature=2.0, threshold=0.9)
    references = [example.reference for example in joint.examples]
    ways = calibration_report(joint.nlp, ["ner"], references)["ner"]
    assert (pipe.cfg["temperature"], pipe.cfg["threshold"]) == (2.0, 0.9)
    pipe.cfg["threshold"] = 0.0
    try:
        for way, temperature in (("uncalibrated", 1.0), ("calibrated", 2.0)):
            pipe.cfg["temperature"] = temperature
            scores: List[float] = []
            for doc in references:
                if doc.has_annotation("ENT_IOB"):
                    words = [token.text for token in doc]
                    made = joint.nlp(spacy.tokens.Doc(joint.nlp.vocab, words=words))
                    # The last example says nothing about one of its words.
                    unknown = {token.i for token in doc if token.ent_iob == 0}
                    for span, score in zip(
                        made.spans["ner"], group_scores(made.spans["ner"]), strict=True
                    ):
                        if not unknown & set(range(span.start, span.end)):
                            scores.append(score)
            assert ways[way]["predicted"] == len(scores)
            assert ways[way]["mean_confidence"] == pytest.approx(
                sum(scores) / len(scores), rel=1e-4
            )
    finally:
        pipe.cfg.update(temperature=1.0, threshold=0.0)


def test_help(calibrate: Callable[..., Result]) -> None:
    shown = " ".join(calibrate("--help").output.replace("│", " ").split())
    for part in ("temperature", "--output", "--pipe", "--report", "--metrics", "Example"):
        assert part in shown

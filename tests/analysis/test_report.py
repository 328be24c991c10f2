"""All numbers of a trained pipeline, beside `nlp.evaluate` and `mtnlp evaluate`."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.training import Example

from mtnlp.analysis.options import Settings
from mtnlp.analysis.report import analyse
from mtnlp.errors import MtnlpError
from mtnlp.evaluation.evaluator import evaluate_corpus
from mtnlp.evaluation.options import Settings as EvaluationSettings
from tests.conftest import Joint
from tests.tiny import make_example

TASKS = ["ner", "fine_ner", "nested_ner", "textcat: sentiment", "events: event"]
SETTINGS = Settings(samples=50, chunk_size=4)


@pytest.fixture(scope="module")
def work(joint: Joint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pipeline as "model", its corpus as "corpus", with some errors in test."""
    folder = tmp_path_factory.mktemp("report")
    joint.nlp.to_disk(folder / "model")
    references = [example.reference for example in joint.examples]
    strange = [
        make_example(joint.nlp, "Anna Keller flew to Paris .", ents=[(0, 2, "GOD")]).reference,
        make_example(
            joint.nlp,
            "What a great film .",
            cats={"sentiment/positive": 0.0, "sentiment/negative": 1.0},
        ).reference,
    ]
    for split, docs in (("train", references), ("test", [*references, *strange])):
        (folder / "corpus" / split).mkdir(parents=True)
        DocBin(docs=docs).to_disk(folder / "corpus" / split / "mixed.spacy")
    return folder


@pytest.fixture(scope="module")
def numbers(work: Path) -> Dict[str, Any]:
    return analyse(work / "model", work / "corpus", settings=SETTINGS)


def references(work: Path, nlp: Any) -> List[Doc]:
    return list(DocBin().from_disk(work / "corpus" / "test" / "mixed.spacy").get_docs(nlp.vocab))


def test_everything_is_there_and_json(numbers: Dict[str, Any], work: Path) -> None:
    assert json.loads(json.dumps(numbers)) == numbers
    assert set(numbers) == {
        *("about", "training", "tasks", "findings", "entities", "classification", "vectors"),
        *("data", "versus", "learning_curve"),
    }
    assert [task["name"] for task in numbers["tasks"]] == TASKS
    assert set(numbers["entities"]) == set(TASKS[:3])
    assert set(numbers["classification"]) == set(TASKS[3:])
    about = numbers["about"]
    assert (
        about["corpus"]["documents"]
        == numbers["data"]["statistics"]["mixed"]["splits"]["test"]["documents"]
    )
    assert about["encoder"]["layers"] == 2 and about["encoder"]["width"] == 32
    assert about["encoder"]["parameters"] > 1000 and about["train"]["files"] == ["mixed"]
    assert {"mtnlp", "spacy", "torch", "python"} <= set(about["packages"])
    assert 0 < len(numbers["findings"]) <= 3
    # The sentences of train are in test, too.
    found = {(row["split"], row["other"]) for row in numbers["data"]["duplicates"]}
    assert ("train", "test") in found


def test_scores_are_those_of_nlp_evaluate(numbers: Dict[str, Any], work: Path) -> None:
    nlp = spacy.load(work / "model")
    docs = references(work, nlp)
    # As `spacy evaluate` reads them: these have spaces, so that texts are tokenised anew.
    examples = [Example(nlp.make_doc(doc.text), doc) for doc in docs]
    scores = nlp.evaluate(examples)
    for name, prefix in (
        ("ner", "ents"),
        ("fine_ner", "spans_multinerd"),
        ("nested_ner", "spans_nerel"),
    ):
        found = numbers["entities"][name]
        assert found["micro"] == pytest.approx({key: scores[f"{prefix}_{key}"] for key in "prf"})
        per_type = {
            row["label"]: {"p": row["precision"], "r": row["recall"], "f": row["f"]}
            for row in found["per_type"]
        }
        assert per_type == {
            label: pytest.approx(row) for label, row in scores[f"{prefix}_per_type"].items()
        }
    for name in ("sentiment", "event"):
        component = "textcat" if name == "sentiment" else "events"
        found = numbers["classification"][f"{component}: {name}"]
        assert found["accuracy"] == pytest.approx(scores[f"cats_{name}_acc"])
        assert found["micro"]["f"] == pytest.approx(scores[f"cats_{name}_micro_f"])
        assert found["macro"]["f"] == pytest.approx(scores[f"cats_{name}_macro_f"])


def test_numbers_are_those_of_mtnlp_evaluate(numbers: Dict[str, Any], work: Path) -> None:
    settings = EvaluationSettings(samples=50, raw_text=False, chunk_size=4)
    expected = evaluate_corpus(work / "model", work / "corpus", "test", settings=settings)["pipes"]
    lines = {task["name"]: task for task in numbers["tasks"]}
    for name in TASKS[:3]:
        found, theirs = numbers["entities"][name], expected[name]
        assert (found["documents"], found["entities"]) == (theirs["documents"], theirs["entities"])
        assert (found["micro"], found["macro"]) == (theirs["micro"], theirs["macro"])
        assert [lines[name]["low"], lines[name]["high"]] == theirs["f_interval"]
        assert found["token_accuracy"] == theirs.get("token_accuracy")
        tags = {row["tag"]: row["f"] for row in found["per_tag"]}
        assert tags == {tag: row["f"] for tag, row in theirs.get("per_tag", {}).items()}
        assert lines[name]["baseline"] is not None
    for name in TASKS[3:]:
        theirs = expected[name.split(":")[0]]["tasks"][name.split(": ")[1]]
        found = numbers["classification"][name]
        for key in ("documents", "accuracy", "micro", "macro", "baseline"):
            assert found[key] == theirs[key]
    assert numbers["entities"]["nested_ner"]["reliability"] is not None


def test_another_pipeline_and_collectors(work: Path, joint: Joint) -> None:
    class Watch:
        def __init__(self) -> None:
            self.documents = 0

        def add(self, examples: Any) -> None:
            self.documents += len(examples)

        def result(self) -> Dict[str, Any]:
            return {"points": self.documents}

    other = spacy.load(work / "model")
    other.remove_pipe("events")
    with other.select_pipes(disable=[]):
        other.to_disk(work / "other")
    lines = [json.dumps({"rank": number}) for number in range(60)]
    (work / "errors.jsonl").write_text("\n".join(lines))
    found = analyse(
        work / "model",
        work / "corpus" / "test",
        train=work / "corpus" / "train" / "mixed.spacy",
        versus=work / "other",
        vectors=lambda nlp: Watch(),
        label_errors=work / "errors.jsonl",
        settings=SETTINGS,
    )
    assert found["vectors"] == {"points": found["about"]["corpus"]["documents"]}
    assert found["data"]["label_errors"] == [{"rank": number} for number in range(50)]
    versus = found["versus"]
    assert versus["only_this"] == ["events: event"] and versus["only_other"] == []
    assert [row["name"] for row in versus["tasks"]] == TASKS[:4]
    assert all(row["difference"] == 0.0 for row in versus["tasks"]) and versus["texts"] == []
    assert versus["other"]["components"] == other.pipe_names
    # Without train nothing is compared with it.
    alone = analyse(work / "model", work / "corpus" / "test", settings=SETTINGS)
    assert alone["about"]["train"] is None
    assert all(task["baseline"] is None for task in alone["tasks"])
    assert alone["entities"]["ner"]["per_type"][0]["train"] is None
    assert alone["tasks"][0]["score"] == found["tasks"][0]["score"]


def test_nothing_to_score_is_said(work: Path, tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    DocBin(docs=[]).to_disk(tmp_path / "empty.spacy")
    DocBin(docs=[nlp.make_doc("A text without annotations.")]).to_disk(tmp_path / "bare.spacy")
    with pytest.raises(MtnlpError, match="E700"):
        analyse(work / "model", tmp_path / "empty.spacy", settings=SETTINGS)
    with pytest.raises(MtnlpError, match=r"E704.*ner, fine_ner, nested_ner"):
        analyse(work / "model", tmp_path / "bare.spacy", settings=SETTINGS)
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path / "sentences")
    with pytest.raises(MtnlpError, match=r"E705.*sentencizer"):
        analyse(tmp_path / "sentences", work / "corpus", settings=SETTINGS)
    with pytest.raises(MtnlpError, match="E503"):
        analyse(tmp_path / "no_model", work / "corpus", settings=SETTINGS)
    (tmp_path / "broken").write_text("{")
    (tmp_path / "list").write_text("{}\n[]")
    for name, code in (("broken", "E706"), ("list", "E706.*list in line 2"), ("none", "E701")):
        with pytest.raises(MtnlpError, match=code):
            analyse(work / "model", work / "corpus", label_errors=tmp_path / name)

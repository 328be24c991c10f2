"""`mtnlp summary`: everything about a trained pipeline, on the screen and as JSON."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
import torch
from spacy.tokens import DocBin

from mtnlp.evaluation.evaluator import evaluate_corpus
from mtnlp.evaluation.speed import TimedPipe, folder_size
from mtnlp.evaluation.summary import TrainLabels, find_split, main_scores, summarize
from tests.conftest import Joint
from tests.data.corpora import flat, invoke
from tests.tiny import make_example

TASKS = ["ner", "fine_ner", "nested_ner", "textcat: sentiment", "events: event"]


@pytest.fixture(scope="module")
def work(joint: Joint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pipeline as "model", its corpus as "corpus", of which dev has more errors than test."""
    folder = tmp_path_factory.mktemp("summary")
    joint.nlp.to_disk(folder / "model")
    references = [example.reference for example in joint.examples]
    wrong = [
        make_example(joint.nlp, "Anna Keller flew to Paris .", ents=[(0, 2, "GOD")]).reference
    ] * 4
    for split, docs in (
        ("train", references),
        ("dev", [*references, *wrong]),
        ("test", references),
    ):
        (folder / "corpus" / split).mkdir(parents=True)
        DocBin(docs=docs).to_disk(folder / "corpus" / split / "mixed.spacy")
    return folder


def test_everything_shown_is_in_the_json(work: Path) -> None:
    output = work / "metrics" / "summary.json"
    result = invoke(
        *("summary", work / "model", "--corpus", work / "corpus", "--split", "dev"),
        *("--output", output),
    )
    assert result.exit_code == 0, result.output
    found: Dict[str, Any] = json.loads(output.read_text(encoding="utf8"))
    screen = flat(result.output)
    assert [row["task"] for row in found["scores"]] == TASKS
    for row in found["scores"]:
        assert row["task"] in screen and f"{row['value']:.4f}" in screen
        low, high = row["interval"]
        assert f"{low:.4f}–{high:.4f}" in screen and low <= row["value"] <= high
        has_baseline = ":" in row["task"]
        assert (row["baseline"] is not None) == has_baseline
        if has_baseline:
            assert f"{row['baseline']:.4f}" in screen
    assert found["split"] == "dev" and found["corpora"] == ["mixed"]
    assert found["documents"] == found["train_documents"] + 4  # all of train
    assert f"{found['speed']['words_per_second']:,.0f}" in screen
    assert found["speed"]["threads"] == torch.get_num_threads() and "threads" in screen
    assert f"{found['size_mb']:,.0f} MB" in screen
    errors = sum(row["count"] for row in found["confusions"]["ner"])
    assert f"ner: {errors} errors" in screen
    # What is gold in dev alone.
    unseen = next(row for row in found["advice"] if row["label"] == "GOD")
    assert unseen["examples"] == 0 and unseen["errors"] == 4 and unseen["advice"] in screen
    assert flat(found["advice_rule"]) in screen


def test_scores_are_those_of_evaluate(work: Path) -> None:
    found = summarize(work / "model", work / "corpus")
    assert found["split"] == "test"
    expected = evaluate_corpus(work / "model", work / "corpus", "test")
    assert found["scores"] == main_scores(expected["pipes"], set(TASKS))
    # Each false negative and false positive of the scorer is in one of the errors.
    nlp = spacy.load(work / "model")
    docs = list(DocBin().from_disk(work / "corpus" / "test" / "mixed.spacy").get_docs(nlp.vocab))
    timed = TimedPipe(nlp)
    examples = list(timed(docs))
    assert [example.reference for example in examples] == docs
    assert timed.words == sum(map(len, docs)) and timed.result()["words_per_second"] > 0
    for name, key in (("ner", "ents"), ("nested_ner", "spans_nerel")):
        scores = nlp.get_pipe(name).score(examples)  # type: ignore[attr-defined]
        rows = found["confusions"][name]
        lost = sum(row["count"] for row in rows if row["gold"])
        gold = sum(len(doc.ents if key == "ents" else doc.spans.get("nerel", ())) for doc in docs)
        assert scores[f"{key}_r"] == pytest.approx(1 - lost / gold)


def test_without_a_train_split(work: Path, tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (work / "corpus" / "dev").rename(tmp_path / "corpus" / "dev")
    try:
        found = summarize(work / "model", tmp_path / "corpus")
    finally:
        (tmp_path / "corpus" / "dev").rename(work / "corpus" / "dev")
    assert found["split"] == "dev" and found["train_documents"] == 0
    assert found["advice"] == [] and "no train split" in found["advice_rule"]
    assert all(row["baseline"] is None for row in found["scores"])


@pytest.mark.parametrize(("sample", "found"), [(1, [0]), (5, [0, 3, 6, 9]), (100, list(range(11)))])
def test_the_sample_of_train_is_spread_over_it(
    joint: Joint, work: Path, sample: int, found: List[int]
) -> None:
    files = [work / "corpus" / "train" / name for name in ("mixed.spacy", "none.spacy")]
    train = TrainLabels(joint.nlp, files, sample)
    texts = [example.reference.text for example in joint.examples]
    assert len(texts) == 11 and [doc.text for doc in train.sample] == [texts[i] for i in found]
    assert train.cats is not None and len(train.cats) == 4
    assert train.support["textcat: sentiment"] == {"positive": 1, "negative": 1}


def test_which_split(tmp_path: Path) -> None:
    for name in ("dev/a.spacy", "dev/b.spacy", "test/a.spacy"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert find_split(tmp_path, None) == find_split(tmp_path, ["a"]) == "test"
    assert find_split(tmp_path, ["a", "b"]) == "dev"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nothing", "--corpus", "corpus"], "E503"),
        (["model", "--corpus", "nothing"], "E520"),
        (["model", "--corpus", "corpus", "--name", "other"], "E520"),
        (["model", "--corpus", "corpus", "--name", "other", "--split", "dev"], "E150"),
    ],
)
def test_errors(work: Path, arguments: List[str], code: str) -> None:
    folders = [
        str(work / item) if item in ("model", "nothing", "corpus") else item for item in arguments
    ]
    result = invoke("summary", *folders, "--output", work / "none.json")
    assert result.exit_code == 1 and code in result.output
    assert not (work / "none.json").exists()


def test_the_size_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one").write_bytes(b"1" * 1_500_000)
    (tmp_path / "two").write_bytes(b"2" * 500_000)
    assert folder_size(tmp_path) == 2.0

"""`mtnlp report`, run in this process."""

import json
from pathlib import Path

import pytest
from spacy.tokens import DocBin

from tests.conftest import Joint
from tests.data.corpora import flat, invoke

pytest.importorskip("vl_convert")


@pytest.fixture
def work(joint: Joint, tmp_path: Path) -> Path:
    """A pipeline as "model", which knows its corpus by heart, and "corpus" with two splits."""
    joint.nlp.to_disk(tmp_path / "model")
    docs = [example.reference for example in joint.examples]
    for split in ("train", "test"):
        (tmp_path / "corpus" / split).mkdir(parents=True)
        DocBin(docs=docs).to_disk(tmp_path / "corpus" / split / "mixed.spacy")
    return tmp_path


def test_a_report_and_a_second_one_beside_another_pipeline(work: Path) -> None:
    model, corpus, output = (str(work / name) for name in ("model", "corpus", "report"))
    arguments = ["report", model, corpus, "-o", output, "--samples", "20"]
    result = invoke(*arguments)
    assert result.exit_code == 0, result.output
    assert f"Report written to {output}" in flat(result.output)
    assert "textcat: sentiment" in result.output
    numbers = json.loads((work / "report" / "numbers.json").read_text(encoding="utf8"))
    assert numbers["versus"] is None and numbers["vectors"]["maps"]
    html = (work / "report" / "index.html").read_text(encoding="utf8")
    for task in numbers["tasks"]:
        assert f'<th scope="row">{task["name"]}</th>' in html
    assert (work / "report" / "tables" / "tasks.csv").is_file()
    again = invoke(*arguments, "--versus", model, "--no-map", "--split", "test")
    assert again.exit_code == 0, again.output
    numbers = json.loads((work / "report" / "numbers.json").read_text(encoding="utf8"))
    assert numbers["vectors"] is None
    assert {task["verdict"] for task in numbers["versus"]["tasks"]} == {"no clear difference"}


def test_what_is_wrong_is_said_before_the_work(work: Path) -> None:
    model, corpus = str(work / "model"), str(work / "corpus")
    result = invoke("report", model, corpus, "-o", corpus)
    assert result.exit_code == 1 and "E144" in result.output
    assert (work / "corpus" / "test" / "mixed.spacy").is_file()
    result = invoke("report", model, str(work / "nothing"), "-o", str(work / "report"))
    assert result.exit_code == 1 and "E701" in result.output
    assert not (work / "report").exists()

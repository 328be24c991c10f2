"""The tutorial: what is committed is what it prints, and what it shows holds."""

import json
import re
import shlex
from pathlib import Path
from typing import Any, Dict, List

import pytest

from tests.docs.blocks import ROOT, check_verb, mtnlp_command
from tests.docs.test_pages import LINK, anchors

NOTEBOOK = ROOT / "docs" / "tutorial.ipynb"
RUN = "%run -m mtnlp "
# What a path of a machine, a code of a terminal or a bar would look like.
NOT_FOR_A_PAGE = re.compile(r"/tmp/|/home/|/root/|/Users/|/opt/|site-packages|\x1b|\r|━━━━.*\d%")
LARGEST = 600_000


def cells(book: Any, kind: str) -> List[Any]:
    return [cell for cell in book["cells"] if cell["cell_type"] == kind]


def text(value: Any) -> str:
    return value if isinstance(value, str) else "".join(value)


def printed(cell: Any) -> str:
    return "".join(text(output.get("text", "")) for output in cell["outputs"])


@pytest.fixture(scope="module")
def committed() -> Dict[str, Any]:
    book: Dict[str, Any] = json.loads(NOTEBOOK.read_text(encoding="utf8"))
    return book


def test_outputs_are_of_one_run(committed: Dict[str, Any]) -> None:
    """From the first cell to the last, without an error, on no one's machine."""
    code = cells(committed, "code")
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    kinds = {output["output_type"] for cell in code for output in cell["outputs"]}
    assert kinds == {"stream", "display_data"}
    assert all(cell["metadata"] == {} for cell in committed["cells"])
    shown = [line for cell in code for line in json.dumps(cell["outputs"]).split("\\n")]
    assert [line for line in shown if NOT_FOR_A_PAGE.search(line)] == []
    assert NOTEBOOK.stat().st_size < LARGEST


def test_its_commands_exist(committed: Dict[str, Any]) -> None:
    commands = [text(cell["source"]) for cell in cells(committed, "code")]
    runs = [line for line in commands if line.startswith(RUN)]
    for line in runs:
        check_verb(mtnlp_command(), shlex.split(line.removeprefix(RUN).replace("\\\n", " ")))
    verbs = [line.removeprefix(RUN).split()[0] for line in runs]
    order = ["convert", "convert", "stats", "backbone", "train", "evaluate", "report"]
    assert verbs == [*order, "visualize", "calibrate"]


def test_its_links_lead_somewhere(committed: Dict[str, Any]) -> None:
    links = [
        found
        for cell in cells(committed, "markdown")
        for found in LINK.findall(text(cell["source"]))
    ]
    assert len(links) >= 8
    for link in links:
        target, _, anchor = link.partition("#")
        assert (NOTEBOOK.parent / target).is_file(), link
        assert not anchor or anchor in anchors(NOTEBOOK.parent / target), link


@pytest.mark.slow
def test_it_runs(committed: Dict[str, Any], real_backbone: Path, tmp_path: Path) -> None:
    """In a checkout of which it sees the sample alone; what it says of its results is true."""
    pytest.importorskip("nbclient", reason="the extra `dev` is not installed")
    pytest.importorskip("ipykernel", reason="the extra `dev` is not installed")
    from scripts.docs.tutorial import run

    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "sample").symlink_to(ROOT / "corpus" / "sample")
    book = run(NOTEBOOK, tmp_path)

    assert [text(cell["source"]) for cell in book["cells"]] == [
        text(cell["source"]) for cell in committed["cells"]
    ]
    now, then = cells(book, "code"), cells(committed, "code")
    # What the data is like does not depend on the machine, as what is trained does.
    for new, old in list(zip(now, then, strict=True))[:6]:
        assert printed(new) == printed(old)
    check_results(tmp_path / "training" / "tutorial")
    assert "PER" in printed(now[-1]) and "'sentiment'" in printed(now[-1])
    assert [
        name for cell in now for output in cell["outputs"] for name in output.get("data", {})
    ] == [
        "text/html",  # errors
        "image/png",  # the map
        "text/html",  # the reader's text
    ]


def check_results(folder: Path) -> None:
    numbers = json.loads((folder / "report" / "numbers.json").read_text(encoding="utf8"))
    assert [task["name"] for task in numbers["tasks"]] == ["ner", "textcat: sentiment"]
    names, sentiment = numbers["tasks"]
    assert names["low"] > names["baseline"] and names["score"] > 0.6
    assert sentiment["score"] > sentiment["baseline"] + 0.1
    assert len(numbers["findings"]) == 3
    scores = json.loads((folder / "metrics" / "test.json").read_text(encoding="utf8"))
    assert scores["split"] == "test"
    assert scores["pipes"]["ner"]["micro"]["f"] == pytest.approx(names["score"])
    coverage = {round(row["minimum"], 2): row for row in numbers["entities"]["ner"]["coverage"]}
    assert coverage[0.8]["precision"] > coverage[0.0]["precision"]
    assert coverage[0.8]["recall"] < coverage[0.0]["recall"]
    fitted = json.loads((folder / "metrics" / "calibration.json").read_text(encoding="utf8"))
    temperature = fitted["temperatures"]["ner"]
    assert temperature["loss_after"] <= temperature["loss_before"]

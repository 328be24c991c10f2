"""The page of a report: its structure, its numbers, and texts that must stay texts."""

import csv
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest

from mtnlp.errors import MtnlpError
from mtnlp.reports.page.likely_errors import HOW_TO_FIND_THEM
from mtnlp.reports.page.report import EMPTY, report_page, report_sections
from mtnlp.reports.page.write import write_folder
from tests.reports.page.report_numbers import EMOTIONS, HOSTILE, TYPES, report_numbers

SECTIONS = [
    "overview",
    "entities",
    "classification",
    "vectors",
    "data",
    "versus",
    "learning-curve",
]


class Page(HTMLParser):
    """Elements with their attributes, headings with their texts, and the cells of each table."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: List[Tuple[str, Dict[str, Any]]] = []
        self.tables: Dict[str, List[List[Tuple[str, Any]]]] = {}
        self.levels: List[int] = []
        self._table = ""
        self._cell: Any = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: List[Tuple[str, Any]]) -> None:
        found = dict(attrs)
        self.elements.append((tag, found))
        if tag in ("h1", "h2", "h3", "h4", "h5"):
            self.levels.append(int(tag[1]))
        if tag == "table":
            self._table = str(found["id"]).removeprefix("table-")
            self.tables[self._table] = []
        elif tag == "tr":
            self.tables[self._table].append([])
        elif tag in ("td", "th"):
            self._cell = ("", found.get("data-value"))

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell = (self._cell[0] + data, self._cell[1])

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self.tables[self._table][-1].append(self._cell)
            self._cell = None

    def ids(self) -> List[str]:
        return [found["id"] for _, found in self.elements if "id" in found]

    def of(self, tag: str) -> List[Dict[str, Any]]:
        return [found for name, found in self.elements if name == tag]


@pytest.fixture(scope="module")
def html() -> str:
    pytest.importorskip("vl_convert")
    return report_page(report_numbers())[0]


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_every_section_is_there_and_linked(page: Page) -> None:
    ids = page.ids()
    assert [name for name in ids if name in SECTIONS] == SECTIONS
    links = [found["href"].removeprefix("#") for found in page.of("a") if "href" in found]
    assert set(SECTIONS) <= set(links) <= set(ids)
    assert {"entities-ner", "entities-nested-ner", "classification-textcat-mood"} <= set(ids)
    assert len(ids) == len(set(ids))


def test_headings_are_in_order(page: Page) -> None:
    assert page.levels[0] == 1 and page.levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(page.levels))


def test_what_a_screen_reader_needs(page: Page) -> None:
    assert page.of("html") == [{"lang": "en"}]
    assert page.of("main")[0]["id"] == "content"
    assert ("a", {"class": "skip", "href": "#content"}) in page.elements
    assert len(page.of("caption")) == len(page.of("table")) == len(page.tables)
    assert all(found["scope"] in ("col", "row") for found in page.of("th"))
    labelled = [found["aria-labelledby"] for found in page.of("figure")]
    assert labelled and set(labelled) <= set(page.ids())


def test_texts_do_not_become_part_of_the_page(html: str, page: Page) -> None:
    assert "<script>window.hacked" not in html and "<img src=x" not in html
    assert not page.of("img")
    # The first column of the table of types holds the text itself.
    assert HOSTILE in [row[0][0] for row in page.tables["entities-ner-types"]]
    # In the data of a chart it is escaped, and still the same text.
    types = html.split('id="figure-entities-ner-types"')[1]
    spec = json.loads(types.split('class="spec">')[1].split("</script>")[0])
    assert {row["label"] for row in spec["data"]["values"]} == set(TYPES)


def test_only_scripts_of_the_page_may_run(html: str, page: Page) -> None:
    policy = next(found for found in page.of("meta") if "http-equiv" in found)["content"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in rules["script-src"]
    own = [found for found in page.of("script") if found.get("type") != "application/json"]
    assert rules["script-src"].count("'sha256-") == len(own)
    handlers = [key for _, found in page.elements for key in found if key.startswith("on")]
    assert handlers == []
    addresses = [found["href"] for found in (*page.of("a"), *page.of("link"))]
    assert all(address.startswith(("#", "data:")) for address in addresses)


def test_numbers_in_tables_are_those_given(page: Page) -> None:
    numbers = report_numbers()
    rows = page.tables["tasks"][1:]
    assert [row[0][0] for row in rows] == [task["name"] for task in numbers["tasks"]]
    assert [float(row[2][1]) for row in rows] == [task["score"] for task in numbers["tasks"]]
    assert rows[0][2][0] == "0.916" and rows[1][5] == ("–", "")
    types = page.tables["entities-ner-types"][1:]
    for row, given in zip(types, numbers["entities"]["ner"]["per_type"], strict=False):
        keys = ("precision", "recall", "f", "support", "predicted", "train")
        assert [float(cell[1]) for cell in row[1:]] == [given[key] for key in keys]
    assert [row[0][0] for row in types[-2:]] == ["all, micro", "all, macro"]
    confusion = page.tables["entities-ner-confusion"][1:]
    found = {(row[0][0], row[1][0]): int(row[2][1]) for row in confusion}
    counts = numbers["entities"]["ner"]["confusion"]["counts"]
    assert found == {
        (gold, predicted): count
        for gold, line in zip([*TYPES, "(spurious)"], counts, strict=True)
        for predicted, count in zip([*TYPES, "(missed)"], line, strict=True)
        if count
    }
    assert [int(row[4][1]) for row in confusion[:4]] == [80] * 4
    mood = page.tables["classification-textcat-mood-confusion"][1:]
    assert [int(row[2][1]) for row in mood] == [400, 387, 63, 50]


def test_files(tmp_path: Path, html: str) -> None:
    numbers = report_numbers()
    sections = report_sections(numbers)
    output = tmp_path / "report"
    assert write_folder(output, html, numbers, sections).read_text(encoding="utf8") == html
    assert json.loads((output / "numbers.json").read_text(encoding="utf8")) == numbers
    with (output / "tables" / "entities-ner-types.csv").open(encoding="utf8") as stream:
        first = next(csv.DictReader(stream))
    assert first["type"] == "LOC" and float(first["precision"]) == 0.8 + 0.0123
    names = {path.stem for path in (output / "tables").glob("*.csv")}
    assert {"tasks", "training-loss-all", "classification-textcat-emotion-curves-points"} <= names
    with (output / "tables" / "training-loss-all.csv").open(encoding="utf8") as stream:
        assert len(list(csv.DictReader(stream))) == 400
    matrix = (output / "tables" / "entities-ner-confusion-matrix.csv").read_text(encoding="utf8")
    assert [line.split(",")[1] for line in matrix.splitlines()] == ["LOC", "90", "3", "3", "3", "5"]
    # An earlier report is replaced; what is none is not.
    write_folder(output, html, numbers, sections)
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("mine", encoding="utf8")
    with pytest.raises(MtnlpError, match="E144"):
        write_folder(other, html, numbers, sections)
    assert [path.name for path in other.iterdir()] == ["thesis.txt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "report"]


def test_a_section_without_numbers_says_how_to_get_them(html: str) -> None:
    numbers = report_numbers()
    empty: Dict[str, Any] = {"entities": {}, "classification": {}, "versus": None}
    empty |= {"vectors": None, "learning_curve": None, "training": [], "findings": []}
    empty["data"] = {**numbers["data"], "label_errors": None}
    bare = report_page({**numbers, **empty})[0]
    page = Page(bare)
    assert [name for name in page.ids() if name in SECTIONS] == SECTIONS
    told = re.sub("</?code>", "`", bare)
    assert all(says in told for _, says in EMPTY.values())
    assert HOW_TO_FIND_THEM in told
    assert len(bare) < len(html) < 2_000_000


def test_many_labels_are_folded_in_charts_and_whole_in_tables() -> None:
    pytest.importorskip("vl_convert")
    numbers = report_numbers()
    many = [f"label{i}" for i in range(60)]
    counts = [[int(i == j) * 5 + (j == 0) for j in range(60)] + [1] for i in range(60)]
    ner = numbers["entities"]["ner"]
    ner["confusion"] = {"labels": many, "counts": [*counts, [2] * 60 + [0]], "exact": [1] * 60}
    ner["per_type"] = [{**ner["per_type"][0], "label": label} for label in many]
    html = report_page(numbers)[0]
    table = Page(html).tables["entities-ner-confusion"][1:]
    assert sum(int(row[2][1]) for row in table) == sum(map(sum, counts)) + 120
    figure = html.split('id="figure-entities-ner-confusion"')[1]
    assert "21 rare types stand together" in figure
    spec = json.loads(figure.split('class="spec">')[1].split("</script>")[0])
    cells = spec["data"]["values"]
    assert len({cell["row"] for cell in cells}) == 39 + 1 + 1
    assert sum(cell["count"] for cell in cells) == sum(map(sum, counts)) + 120


def test_emotions_have_a_curve_to_pick(html: str) -> None:
    figure = html.split('id="figure-classification-textcat-emotion-curves"')[1]
    spec = json.loads(figure.split('class="spec">')[1].split("</script>")[0])
    (picked,) = spec["params"]
    assert sorted(picked["bind"]["options"]) == sorted(EMOTIONS)

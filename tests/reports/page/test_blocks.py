"""Marks in texts, cells, names, and the frame of a page."""

from typing import Any, List, Sequence

import pytest

from mtnlp.errors import MtnlpError
from mtnlp.reports.displacy_colors import displacy_colors
from mtnlp.reports.page.blocks import Figure, Prose, Section
from mtnlp.reports.page.cells import cell, percent
from mtnlp.reports.page.frame import render_page
from mtnlp.reports.page.heat import Matrix
from mtnlp.reports.page.marks import UNKNOWN_COLOR, marked
from mtnlp.reports.page.names import slugs
from mtnlp.reports.page.write import table_rows
from mtnlp.reports.tables import Table


def written(spans: Sequence[Any], words: str = "a b c d") -> str:
    """The text with brackets for its marks, and the label behind the one that ends it."""
    tokens: List[str] = words.split()
    parts = []
    for word in marked(tokens, [True] * (len(tokens) - 1) + [False], spans):
        if word.kind == "text":
            parts.append(word.text)
        else:
            parts.append("[" if word.kind == "open" else f"{word.text * word.is_end}]")
    return "".join(parts)


@pytest.mark.parametrize(
    ("spans", "text"),
    [
        ([], "a b c d"),
        ([[1, 3, "X"]], "a [b cX] d"),
        ([[0, 1, "X"], [1, 2, "Y"]], "[aX] [bY] c d"),
        ([[1, 2, "Y"], [0, 4, "X"]], "[a [bY] c dX]"),  # nested
        ([[0, 2, "X"], [0, 2, "Y"]], "[[a bY]X] c d"),  # the same words twice
        ([[0, 2, "X"], [1, 3, "Y"]], "[a] [[bX] cY] d"),  # crossing: X is in two pieces
        ([[0, 3, "X"], [1, 2, "Z"], [2, 4, "Y"]], "[a [bZ]] [[cX] dY]"),
    ],
)
def test_marks(spans: Sequence[Any], text: str) -> None:
    assert written(spans) == text


def test_colors_are_displacys() -> None:
    colors = {
        word.text: word.color
        for word in marked(["a", "b"], [True, False], [[0, 1, "PER"], [1, 2, "no such type"]])
        if word.kind == "open"
    }
    assert colors == {"PER": displacy_colors()["PER"], "no such type": UNKNOWN_COLOR}


@pytest.mark.parametrize(
    ("value", "shown", "sorted_by"),
    [
        ("text", "text", "text"),
        (1234, "1,234", "1234"),
        (0.98765, "0.988", "0.98765"),
        (0.0001, "<0.001", "0.0001"),
        (0.0, "0.000", "0.0"),
        (1234.56, "1234.6", "1234.56"),
        (None, "–", ""),
    ],
)
def test_cells(value: Any, shown: str, sorted_by: str) -> None:
    assert cell(value)[:2] == (shown, sorted_by)


def test_percent() -> None:
    shares = (0, 0.004, 0.126, 0.9949, 0.995, 1)
    assert [percent(share) for share in shares] == ["0%", "<1%", "13%", "99%", ">99%", "100%"]


def test_names() -> None:
    found = slugs(["textcat: Mood", "textcat mood", "Люди", "…"])
    assert list(found.values()) == ["textcat-mood", "textcat-mood-2", "part", "part-2"]


def test_names_that_no_link_can_hold_and_the_same_name_twice() -> None:
    for names in (["a", "a"], ["A b"]):
        with pytest.raises(MtnlpError, match="E710"):
            render_page("t", [Section(name, "t") for name in names])
    figures = [Figure("t", "s", "d", Table("t", ["a"], [["b"]]), "same") for _ in range(2)]
    with pytest.raises(MtnlpError, match=r"E710.*table 'same'"):
        render_page("t", [Section("a", "t", figures)])


def test_a_page_without_charts_has_no_chart_library() -> None:
    page = render_page("A & B", [Section("a", "One", [Prose(["<b>not bold</b>"])])], lang="de")
    assert len(page) < 30_000
    assert '<html lang="de">' in page
    assert "<title>A &amp; B</title>" in page
    assert "&lt;b&gt;not bold&lt;/b&gt;" in page and "<b>" not in page.split("<main")[1]


def test_columns_of_the_same_name_are_all_written() -> None:
    table = Table("t", ["gold", "(missed)", "(missed)"], [["A", 1, 2]])
    assert table_rows(table) == [{"gold": "A", "(missed)": 1, "(missed) (3)": 2}]


def test_a_matrix_of_many_cells_is_whole_in_the_files() -> None:
    labels = [f"label{i}" for i in range(50)]
    counts = [[1 + (i == j) for j in range(50)] for i in range(50)]
    matrix = Matrix(labels, labels, counts, ("gold", "predicted"))
    table, more = matrix.to_tables("Matrix", "m")
    assert table.title == "Matrix, the 1,000 most frequent" and len(table.rows) == 1000
    assert table.rows[0] == ["label0", "label0", 2, 2 / 51]
    assert set(more) == {"m-matrix", "m-all"} and len(more["m-all"].rows) == 2500
    assert [row[1:] for row in more["m-matrix"].rows] == counts

from io import StringIO

import pytest
from rich.console import Console

from mtnlp.reports.tables import Table, print_tables, show, to_markdown


@pytest.fixture
def table() -> Table:
    return Table(
        "Scores",
        ["task", "metric", "n", "value", "interval"],
        [["a|b", "F1", 1200, 0.51239, [0.4, 0.62]], ["[c]", "accuracy", 7, 1.0, None]],
    )


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (0.5, "0.5000"),
        (123.456, "123.5"),
        (12345, "12,345"),
        (None, "–"),
        (True, "yes"),
        ((0.25, 0.5), "0.2500–0.5000"),
        ("PER", "PER"),
    ],
)
def test_cells(cell: object, text: str) -> None:
    assert show(cell) == text


def test_markdown(table: Table) -> None:
    assert table.to_markdown().splitlines() == [
        "### Scores",
        "",
        "| task | metric | n | value | interval |",
        "| --- | --- | ---: | ---: | ---: |",
        "| a\\|b | F1 | 1,200 | 0.5124 | 0.4000–0.6200 |",
        "| [c] | accuracy | 7 | 1.0000 | – |",
    ]
    assert to_markdown([table, table]).count("### Scores") == 2


def test_on_screen(table: Table) -> None:
    stream = StringIO()
    print_tables([table], Console(file=stream, width=100))
    text = stream.getvalue()
    assert "Scores" in text and "[c]" in text and "0.4000–0.6200" in text


def test_nothing_is_cut_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 90
    print_tables([Table("Wide", ["a", "b"], [[long, long]])])
    assert long in capsys.readouterr().out


def test_a_table_without_rows() -> None:
    assert "| a |" in Table("Empty", ["a"]).to_markdown()

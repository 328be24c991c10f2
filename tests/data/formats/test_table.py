"""Tables as people have them, read without a flag."""

from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import pytest

from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.csvfile import CsvOptions, is_csv, read_csv
from mtnlp.data.formats.table import find_delimiter
from mtnlp.errors import DataError
from tests.data.corpora import flat, invoke, write

TEXTS = [
    "The parcel, as promised, came on Monday",
    "Nobody answered; I waited for an hour",
    "A very good lamp indeed",
    "It broke after a day | really",
    "Never again will I order here",
    "Works as it should, thank you",
]
LABELS = ["good", "bad", "good", "bad", "bad", "good"]
ROWS = list(zip(TEXTS, LABELS, strict=True))


def table(header: str, delimiter: str = ",", rows: Any = tuple(ROWS), order: Any = (0, 1)) -> str:
    lines = [header] * bool(header)
    for row in rows:
        cells = [row[index] for index in order]
        quoted = [f'"{cell}"' if delimiter in cell else cell for cell in cells]
        lines.append(delimiter.join(quoted))
    return "\n".join(lines) + "\n"


def read(path: Path, **options: Any) -> Tuple[List[Tuple[str, List[str]]], List[str]]:
    on_bad = BadInput()
    records = list(read_csv(path, on_bad, CsvOptions(**options)))
    assert not on_bad.warnings
    return [(str(record.text), list(record.cats or {})) for record in records], on_bad.found


EXPECTED = [(text, [f"category/{label}"]) for text, label in ROWS]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("header", [("text", "label"), ("Review", "Stars"), None])
def test_any_separator_with_and_without_a_header(
    tmp_path: Path, delimiter: str, header: Optional[Tuple[str, str]]
) -> None:
    text = table(delimiter.join(header or ()), delimiter)
    rows, found = read(write(tmp_path / "a.csv", text))
    assert rows == EXPECTED
    names = header or ("column 0, no header", "column 1, no header")
    wanted: Dict[str, str] = {}
    if delimiter != ",":
        wanted["--delimiter"] = f"separator {'tab' if delimiter == chr(9) else repr(delimiter)}"
    if header != ("text", "label"):
        wanted["--text-field"] = f"text = {names[0]}"
        wanted["--label-field"] = f"label = {names[1]}"
    values, flags = ", ".join(wanted.values()), ", ".join(wanted)
    assert found == ([f"Found: {values}. To say otherwise: {flags}"] if wanted else [])


def test_what_is_told_by_content(tmp_path: Path) -> None:
    """Names nobody could know: the column of long texts, and the one whose values come again."""
    rows = [(str(n + 100), label, text) for n, (text, label) in enumerate(ROWS)]
    text = table("Nr;Urteil;Kundenmeinung", ";", rows, (0, 1, 2))
    found_rows, found = read(write(tmp_path / "a.csv", text))
    assert found_rows == EXPECTED
    assert found[0].startswith("Found: separator ';', text = Kundenmeinung, label = Urteil.")
    bare = write(tmp_path / "b.csv", text.split("\n", 1)[1])
    found_rows, found = read(bare)
    assert found_rows == EXPECTED
    assert "text = column 2, no header, label = column 1, no header" in found[0]


def test_one_flag_is_enough(tmp_path: Path) -> None:
    rows = [(text, label, label.upper()) for text, label in ROWS]
    header = write(tmp_path / "a.csv", table("said,verdict,second", ",", rows, (0, 1, 2)))
    assert read(header, label="verdict")[0] == EXPECTED
    bare = write(tmp_path / "b.csv", table("", ",", rows, (0, 1, 2)))
    assert read(bare, label="1")[0] == EXPECTED


def test_a_text_may_begin_as_a_comment(tmp_path: Path) -> None:
    rows = [(f"#{text}", label) for text, label in ROWS]
    read_rows, _ = read(write(tmp_path / "a.csv", "# exported\n" + table("", ",", rows)))
    assert read_rows == [(f"#{text}", labels) for text, labels in EXPECTED]


@pytest.mark.parametrize(
    "text, message",
    [
        # Two columns of labels, whatever they are called.
        (
            table("review,sentiment,topic", ",", [(*row, row[1]) for row in ROWS], (0, 1, 2)),
            r"a\.csv:1: \[E188\] .* label\. .*review \('The parcel, as promised, came on "
            r"Monday'\), sentiment \('good'\), topic \('good'\).*--label-field NAME$",
        ),
        # Two columns of texts.
        (
            table("label,before,after", ",", [(b, a, f"{a}!") for a, b in ROWS], (0, 1, 2)),
            r"\[E188\] .* text\. .*--text-field NAME$",
        ),
        ("text,note\nA,b\n", r"\[E188\] .* label\. .*note \('b'\)"),
        ("text\nA lamp\n", r"\[E188\] .* label\. "),
        # A first label that is nowhere else, beside a text: a header or a row?
        ("It never came at all!,lost\n" + table(""), r"a\.csv:1: \[E189\] .*0 \('It never came"),
        ("one,two\nthree,four\n", r"\[E189\]"),
    ],
)
def test_what_is_not_clear_is_asked(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        list(read_csv(write(tmp_path / "a.csv", text), BadInput()))


def test_a_title_is_no_text_beside_one(tmp_path: Path) -> None:
    rows = [("A title of several words " + text, text, label) for text, label in ROWS]
    text = table("Title,Description,Category", ",", rows, (0, 1, 2))
    assert read(write(tmp_path / "a.csv", text))[0] == EXPECTED


def test_the_separator_cuts_all_rows_alike(tmp_path: Path) -> None:
    mixed = 'text;label\n"a; b, c";x\nd, e;y\nf;z\n'
    assert find_delimiter(write(tmp_path / "a.csv", mixed), quoting=True) == ";"
    assert find_delimiter(write(tmp_path / "b.csv", "one cell\nanother\n"), quoting=True) is None
    assert find_delimiter(tmp_path / "none.csv", quoting=True) is None


def test_recognised_by_its_names(tmp_path: Path) -> None:
    assert is_csv(write(tmp_path / "a.txt", table("Review;Sentiment", ";")))
    assert not is_csv(write(tmp_path / "b.txt", table("one;two", ";")))
    assert is_csv(write(tmp_path / "C.CSV", table("one;two", ";")))


def test_the_screen_says_what_was_found(tmp_path: Path) -> None:
    path = write(tmp_path / "reviews.csv", table("Review;Sentiment", ";", ROWS * 5))
    result = invoke("convert", path, "--out", tmp_path / "corpus")
    shown = flat(result.output)
    assert result.exit_code == 0
    assert "Found: separator ';', text = Review, label = Sentiment. To say otherwise:" in shown

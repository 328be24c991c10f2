from pathlib import Path

import pytest

from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.csvfile import CsvOptions, read_csv
from mtnlp.errors import DataError
from tests.data.corpora import write

CSV = 'id,text,label\n1,"Fine, ""really""\nfine",good\n2,Awful,bad\n3,Hm,\n'


def test_quoted_fields(tmp_path: Path, strict: BadInput) -> None:
    first, second, third = read_csv(write(tmp_path / "a.csv", CSV), strict)
    assert first.text == 'Fine, "really"\nfine'
    assert first.cats == {"category/good": 1.0}
    assert (first.meta["line"], second.meta["line"]) == (2, 4)
    assert second.meta["stratum"] == "bad"
    assert third.cats is None


def test_without_header_and_several_labels(tmp_path: Path, strict: BadInput) -> None:
    path = write(tmp_path / "a.tsv", 'He said "no\t3,5\tx\r\nYes\t4\ty\r\n')
    options = CsvOptions(text="0", label="1", label_separator=",", task="emotion")
    first, second = read_csv(path, strict, options)
    assert first.text == 'He said "no'
    assert first.cats == {"emotion/3": 1.0, "emotion/5": 1.0}
    assert second.cats == {"emotion/4": 1.0}


def test_group(tmp_path: Path, strict: BadInput) -> None:
    records = read_csv(write(tmp_path / "a.csv", CSV), strict, CsvOptions(group="id"))
    assert [record.meta["group"] for record in records] == ["1", "2", "3"]


@pytest.mark.parametrize(
    "text, line, code",
    [
        ("", None, "E101"),
        ("text,number\na,1\n", 1, "E188"),
        ("text,label\na,x\nb\n", 3, "E103"),
        ("text,label\na,x\nb,x,y\n", 3, "E103"),
        ("text,label\na,x\n ,x\n", 3, "E135"),
        ('text,label\na,x\n"b,x\n', 3, "E138"),
        (b"text,label\na,x\n\xff,x\n", 3, "E102"),
    ],
)
def test_malformed(
    tmp_path: Path, lenient: BadInput, text: "str | bytes", line: "int | None", code: str
) -> None:
    path = write(tmp_path / "a.csv", text)
    where = "" if line is None else f":{line}"
    with pytest.raises(DataError, match=rf"a\.csv{where}: \[{code}\]"):
        list(read_csv(path, BadInput()))
    records = list(read_csv(path, lenient))
    assert [error.line for error in lenient.errors] == [line]
    assert [record.text for record in records] == (["a"] if line == 3 else [])


def test_tables_as_people_have_them(tmp_path: Path, strict: BadInput) -> None:
    """A comment before the header, another separator, what the annotator refused."""
    text = "# exported\ntext;label;answer\n#1 hit;good;accept\nHm;bad;reject\nOh;bad;ignore\n"
    (record,) = read_csv(write(tmp_path / "a.csv", text), strict, CsvOptions(delimiter=";"))
    assert (record.text, record.cats) == ("#1 hit", {"category/good": 1.0})
    assert sorted(strict.notes.values()) == [1, 2]
    comma = CsvOptions(delimiter=",")
    path = write(tmp_path / "b.csv", text.replace("# exported\n", ""))
    with pytest.raises(DataError, match=r"b\.csv:1: \[E175\].*--delimiter ';'"):
        list(read_csv(path, strict, comma))
    # Rows that look broken with the wrong separator do not hide what is wrong.
    path = write(tmp_path / "c.csv", 'text;label\n"a;b";good\n')
    with pytest.raises(DataError, match=r"c\.csv:1: \[E175\].*--delimiter ';'"):
        list(read_csv(path, strict, comma))


def test_named_columns_must_exist(tmp_path: Path, strict: BadInput) -> None:
    path = write(tmp_path / "a.csv", CSV)
    for options in (CsvOptions(text="stars"), CsvOptions(label="stars"), CsvOptions(group="stars")):
        with pytest.raises(DataError, match=r"a\.csv:1: \[E139\].*stars.*id, text, label"):
            list(read_csv(path, strict, options))


def test_columns_nobody_reads_are_named(tmp_path: Path, strict: BadInput) -> None:
    text = 'id,text,label,intent,ents\n1,a,,x,"[[0, 1, ""X""]]"\n2,b,,y,\n'
    path = write(tmp_path / "a.csv", text)
    assert [record.cats for record in read_csv(path, strict)] == [None, None]
    intent, ents, nothing = strict.warning_lines()
    assert intent.startswith(f"{path}:2: [E169]") and intent.endswith("intent (2 lines)")
    assert ents.startswith(f"{path}:2: [E171]")
    assert nothing.startswith(f"{path}: [E172]")


def test_columns_by_number_must_exist(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="E139"):
        list(read_csv(write(tmp_path / "a.csv", "a,b\n"), BadInput(), CsvOptions("0", "7")))


def test_an_empty_cell_is_no_group(tmp_path: Path, strict: BadInput) -> None:
    path = write(tmp_path / "a.csv", "text,label,film\na,x,\nb,x, \nc,x,Alien\n")
    rows = read_csv(path, strict, CsvOptions(group="film"))
    assert [row.meta.get("group") for row in rows] == [None, None, "Alien"]

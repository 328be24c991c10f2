from pathlib import Path
from typing import List

import pytest

from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.brat import read_nerel
from mtnlp.data.labels import NEREL_ENTITY_LABELS, NEREL_RELATION_LABELS
from mtnlp.errors import DataError
from mtnlp.types import Record
from tests.data.corpora import BRAT_ANN, BRAT_TEXT, write

ENTITIES = [
    (0, 9, "PERSON"),
    (13, 28, "ORGANIZATION"),
    (13, 17, "CITY"),
    (38, 42, "CITY"),
]


def read(folder: Path, text: "str | bytes", ann: "str | bytes", policy: BadInput) -> List[Record]:
    write(folder / "a.txt", text)
    write(folder / "a.ann", ann)
    return list(read_nerel(folder, policy))


def test_label_sets() -> None:
    assert len(set(NEREL_ENTITY_LABELS)) == len(NEREL_ENTITY_LABELS) == 29
    assert len(set(NEREL_RELATION_LABELS)) == len(NEREL_RELATION_LABELS) == 49


def test_document(tmp_path: Path, strict: BadInput) -> None:
    (record,) = read(tmp_path, BRAT_TEXT, BRAT_ANN, strict)
    assert record.text == BRAT_TEXT
    assert record.spans == {"nerel": ENTITIES}
    assert record.entities is None
    assert record.cats is not None
    assert len(record.cats) == 49
    assert {key for key, value in record.cats.items() if value} == {"event/WORKPLACE"}
    assert not strict.notes


def test_offsets_count_characters(tmp_path: Path, strict: BadInput) -> None:
    (record,) = read(tmp_path, "Ёж 😀 Анна", "T1\tPERSON 5 9\tАнна\n", strict)
    assert record.spans == {"nerel": [(5, 9, "PERSON")]}


def test_discontinuous_entities_are_counted_and_left_out(tmp_path: Path, strict: BadInput) -> None:
    ann = BRAT_ANN + "T5\tPERSON 0 4;38 42\tAnna Rome\nR2\tKNOWS Arg1:T5 Arg2:T1\n"
    (record,) = read(tmp_path, BRAT_TEXT, ann, strict)
    assert record.spans == {"nerel": ENTITIES}
    assert record.cats is not None and record.cats["event/KNOWS"] == 1.0
    assert dict(strict.notes) == {"discontinuous entities left out": 1}


def test_stray_and_other_lines(tmp_path: Path, strict: BadInput) -> None:
    other = (
        "N1\tReference T1 Wikidata:Q1\tx\n#1\tAnnotatorNotes T1\tx\n"
        "A1\tNegated T1\n*\tEquiv T1 T2\n"
    )
    (record,) = read(tmp_path, BRAT_TEXT, BRAT_ANN + other + "\nПо словам очевидцев\n", strict)
    assert record.spans == {"nerel": ENTITIES}
    assert dict(strict.notes) == {"stray lines ignored": 1}


def test_whitespace_is_trimmed(tmp_path: Path, strict: BadInput) -> None:
    (record,) = read(tmp_path, BRAT_TEXT, "T1\tPERSON 0 10\tAnna Berg \n", strict)
    assert record.spans == {"nerel": [(0, 9, "PERSON")]}


def test_quotations_write_line_breaks_as_spaces(tmp_path: Path, strict: BadInput) -> None:
    (record,) = read(tmp_path, "Anna\nBerg", "T1\tPERSON 0 9\tAnna Berg\n", strict)
    assert record.spans == {"nerel": [(0, 9, "PERSON")]}


@pytest.mark.parametrize("start", [6, 7], ids=["rewritten later", "annotated so"])
def test_windows_line_ends(tmp_path: Path, strict: BadInput, start: int) -> None:
    """Offsets may have been counted with `\\r\\n` as one character or as two."""
    ann = f"T1\tCITY {start} {start + 4}\tRome\r\n"
    (record,) = read(tmp_path, "Hello\r\nRome\r\n", ann, strict)
    assert record.spans == {"nerel": [(start, start + 4, "CITY")]}
    assert record.text is not None and record.text[start : start + 4] == "Rome"


@pytest.mark.parametrize(
    "ann, line, code",
    [
        ("T1\tPERSON 0 900\tAnna Berg\n", 1, "E122"),
        ("T1\tPERSON 9 0\tAnna Berg\n", 1, "E122"),
        ("T1\tPERSON 1 9\tAnna Berg\n", 1, "E123"),
        ("T1\tPERSON 4 5\t \n", 1, "E123"),
        ("T1\tWIZARD 0 9\tAnna Berg\n", 1, "E125"),
        (BRAT_ANN + "R2\tHATES Arg1:T1 Arg2:T2\n", 6, "E125"),
        (BRAT_ANN + "R2\tKNOWS Arg1:T1 Arg2:T9\n", 6, "E124"),
        (BRAT_ANN + "R2\tKNOWS Arg1:T1 Ar", 6, "E121"),
        (BRAT_ANN + "T5\tCITY 38", 6, "E121"),
        (BRAT_ANN + "T5", 6, "E121"),
        ("T1\tPERSON 0 x\tAnna Berg\n", 1, "E121"),
        (BRAT_ANN + "T4\tPERSON 0 9\tAnna Berg\n", 6, "E164"),
        (BRAT_ANN + "R1\tKNOWS Arg1:T1 Arg2:T2\n", 6, "E164"),
    ],
)
def test_malformed(tmp_path: Path, lenient: BadInput, ann: str, line: int, code: str) -> None:
    write(tmp_path / "b.txt", BRAT_TEXT)
    write(tmp_path / "b.ann", BRAT_ANN)
    with pytest.raises(DataError, match=rf"a\.ann:{line}: \[{code}\]"):
        read(tmp_path, BRAT_TEXT, ann, BadInput())
    (record,) = read_nerel(tmp_path, lenient)
    assert record.meta["path"].endswith("b.ann")
    assert [error.line for error in lenient.errors] == [line]


@pytest.mark.parametrize(
    "text, ann, message",
    [
        ("", BRAT_ANN, r"a\.txt: \[E101\]"),
        (BRAT_TEXT[:20], BRAT_ANN, r"a\.ann:3: \[E122\]"),
        (b"Anna\nB\xff", BRAT_ANN, r"a\.txt:2: \[E102\]"),
        (BRAT_TEXT, b"T1\tPERSON 0 4\tAnna\nT2\t\xff", r"a\.ann:2: \[E102\]"),
    ],
)
def test_broken_files(tmp_path: Path, text: str, ann: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, text, ann, BadInput())


def test_an_empty_annotation_is_one(tmp_path: Path, strict: BadInput) -> None:
    """brat makes the `.ann` beside every text; annotators leave it so where nothing is to find."""
    for ann in ("", "\n"):
        (record,) = read(tmp_path, BRAT_TEXT, ann, strict)
        assert record.spans == {"nerel": []}
        assert record.cats is not None and set(record.cats.values()) == {0.0}


@pytest.mark.parametrize(
    "offsets, spans, left_out",
    [
        ("0 4;5 9", [(0, 9, "PERSON")], 0),
        ("5 9;0 4", [(0, 9, "PERSON")], 0),
        ("0 4;5 9;13 17", [], 1),
        ("0 4;10 12", [], 1),
    ],
)
def test_fragments_around_white_space_are_one(
    tmp_path: Path, strict: BadInput, offsets: str, spans: list, left_out: int
) -> None:
    """Annotation tools break an entity where its line ends."""
    text = "Anna\nBerg of Oslo"
    pairs = [[int(number) for number in pair.split()] for pair in offsets.split(";")]
    surface = " ".join(text[start:end] for start, end in pairs).replace("\n", " ")
    (record,) = read(tmp_path, text, f"T1\tPERSON {offsets}\t{surface}\n", strict)
    assert record.spans == {"nerel": spans}
    assert sum(strict.notes.values()) == left_out


def test_half_a_pair(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", BRAT_TEXT)
    with pytest.raises(DataError, match=r"a\.ann: \[E100\]"):
        list(read_nerel(tmp_path, BadInput()))


def test_no_documents(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="E120"):
        list(read_nerel(tmp_path, BadInput()))

"""brat as a format of one's own: any types, and everything but entities counted."""

from pathlib import Path
from typing import Any, List

import pytest

from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.own_brat import is_brat, read_own_brat
from mtnlp.data.inputs import find_inputs
from mtnlp.data.options import ConvertOptions
from mtnlp.data.overlaps import UNSETTLED
from mtnlp.data.sources import read_source
from mtnlp.errors import DataError
from mtnlp.types import Record
from tests.data.corpora import write

TEXT = "Interleukin-2 and IL-4\nactivate STAT5 and STAT6.\n"
ANN = """T1\tProtein 0 13\tInterleukin-2
T2\tProtein 18 22\tIL-4
T3\tPositive_regulation 23 31\tactivate
T4\tProtein 32 37\tSTAT5
T5\tSTAT 32 36\tSTAT
T6\tComplex 0 13;32 37\tInterleukin-2 STAT5
E1\tPositive_regulation:T3 Cause:T1 Theme:T4
R1\tBinds Arg1:T1 Arg2:E1
R2\tPart-of Whole:T4 Part:T5
A1\tNegation E1
M1\tConfidence E1 High
N1\tReference T1 UniProt:P60568\tIL2
#1\tAnnotatorNotes T1\tcheck this
*\tEquiv T1 T2
Something the annotator typed
"""


def read(path: Path, **options: Any) -> "tuple[List[Record], BadInput]":
    policy = BadInput()
    return list(read_own_brat(path, policy, ConvertOptions("brat", **options))), policy


def test_everything_a_document_holds(tmp_path: Path) -> None:
    write(tmp_path / "doc.1.txt", TEXT)
    ann = write(tmp_path / "doc.1.ann", ANN)
    write(tmp_path / "README.txt", "How to annotate")
    write(tmp_path / "annotation.conf", "[entities]")
    assert is_brat(tmp_path)
    (record,), policy = read(tmp_path)
    assert record.text == TEXT and record.cats is None
    assert record.spans == {
        UNSETTLED: [
            (0, 13, "Protein"),
            (18, 22, "Protein"),
            (23, 31, "Positive_regulation"),
            (32, 37, "Protein"),
            (32, 36, "STAT"),
        ]
    }
    assert record.meta == {"path": str(ann)}
    assert dict(policy.notes) == {
        "texts without an .ann file left out": 1,
        "discontinuous entities left out": 1,
        "stray lines ignored": 1,
        "events left out": 1,
        "relations left out": 2,
        "attributes left out": 2,
        "normalisations left out": 1,
        "notes left out": 1,
        "equivalences left out": 1,
    }


def test_nested_or_not(tmp_path: Path) -> None:
    flat = "\n".join(line for line in ANN.splitlines() if line[:2] in ("T1", "T2"))
    for split, ann in (("train", ANN), ("dev", flat), ("test", "")):
        write(tmp_path / "nested" / split / "a.txt", TEXT)
        write(tmp_path / "nested" / split / "a.ann", ann)
        write(tmp_path / "flat" / split / "a.txt", TEXT)
        write(tmp_path / "flat" / split / "a.ann", flat if ann else "")
    for name, layer in (("nested", "spans"), ("flat", "entities")):
        inputs = find_inputs([tmp_path / name])
        assert (inputs.format, inputs.name, list(inputs.splits)) == (
            "brat",
            name,
            ["train", "dev", "test"],
        )
        splits = read_source(ConvertOptions("brat", **inputs.splits), BadInput())
        assert len(getattr(splits["dev"][0], layer)) == (1 if layer == "spans" else 2)
        empty = splits["test"][0]
        assert (empty.entities, empty.spans) == (
            (None, {"sc": []}) if layer == "spans" else ([], None)
        )
    records, _ = read(tmp_path / "nested" / "train", spans_key="deep")
    assert list(records[0].spans or {}) == ["deep"]


def test_malformed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="E120"):
        read(tmp_path)
    write(tmp_path / "b.txt", TEXT)
    write(tmp_path / "b.ann", ANN)
    write(tmp_path / "a.ann", ANN)
    with pytest.raises(DataError, match=r"a\.txt: \[E100\]"):
        read(tmp_path)
    write(tmp_path / "a.txt", TEXT)
    write(tmp_path / "a.ann", ANN.replace("18 22", "18 21"))
    with pytest.raises(DataError, match=r"a\.ann:2: \[E123\]"):
        read(tmp_path)
    policy = BadInput(skip=True)
    (record,) = read_own_brat(tmp_path, policy, ConvertOptions("brat"))
    assert record.meta["path"].endswith("b.ann") and len(policy.errors) == 1

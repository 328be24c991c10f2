"""WebAnno TSV 3, in the form INCEpTION writes."""

from pathlib import Path
from typing import Any, List, Optional

import pytest

from mtnlp.data.convert import convert
from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.webanno import is_webanno, read_webanno
from mtnlp.data.inputs import find_inputs
from mtnlp.data.options import ConvertOptions
from mtnlp.data.sources import read_source
from mtnlp.errors import DataError
from mtnlp.types import Record, Trimmed
from tests.data.corpora import write

NER = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
POS = "de.tudarmstadt.ukp.dkpro.core.api.lexmorph.type.pos.POS"
COREF = "de.tudarmstadt.ukp.dkpro.core.api.coref.type.CoreferenceLink"
DEP = "de.tudarmstadt.ukp.dkpro.core.api.syntax.type.dependency.Dependency"

# Every line of a token ends with a tab, as the tool writes it.
FULL = f"""#FORMAT=WebAnno TSV 3.3
#T_SP={POS}|PosValue
#T_SP={NER}|identifier|value
#T_SP=webanno.custom.Frame|frame|ROLE_webanno.custom.Frame:roles_webanno.custom.Link|uima.tcas.Annotation
#T_CH={COREF}|referenceType|referenceRelation
#T_RL={DEP}|DependencyType|BT_{POS}


#Text=Ms. Anna Berg runs 'Sun_set' 😊 .
1-1\t0-3\tMs.\tNNP\t_\t_\t_\t_\t_\tnam[1]\tcoref->1-1\t_\t_\t
1-2\t4-8\tAnna\tNNP\tQ1[1]|*[2]\tPER[1]|GIVEN[2]\t_\t_\t_\t_\t_\tSUBJ\t1-4\t
1-3\t9-13\tBerg\tNNP\tQ1[1]\tPER[1]\t_\t_\t_\t_\t_\t_\t_\t
1-4\t14-18\truns\tVBZ\t_\t_\tRun\tagent;thing\t1-2[1];1-6\t_\t_\tROOT\t1-4\t
1-5\t19-20\t'\t``\t_\t_\t_\t_\t_\t_\t_\t_\t_\t
1-6\t20-27\tSun_set\tNNP\t*\tORG\\_\\[x\\]\t_\t_\t_\t_\t_\t_\t_\t
1-7\t27-28\t'\t''\t_\t_\t_\t_\t_\t_\t_\t_\t_\t
1-8\t29-31\t😊\tSYM\t*\tFACE\t_\t_\t_\t_\t_\t_\t_\t
1-9\t32-33\t.\t.\t_\t_\t_\t_\t_\t_\t_\t_\t_\t

#Text=She likes Oslo.
2-1\t35-38\tShe\tPRP\t_\t_\t_\t_\t_\tpr[1]\t*->1-2\t_\t_\t
2-2\t39-44\tlikes\tVBZ\t_\t_\t_\t_\t_\t_\t_\t_\t_\t
2-3\t45-49\tOslo\tNNP\t*\t*\t_\t_\t_\t_\t_\t_\t_\t
2-3.1\t46-48\tsl\t_\t*\tPART\t_\t_\t_\t_\t_\t_\t_\t
2-4\t49-50\t.\t.\t_\t_\t_\t_\t_\t_\t_\t_\t_\t
"""
SIMPLE = """#FORMAT=WebAnno TSV 3.2
#T_SP=webanno.custom.Thing|


#Text=A red fox
1-1\t0-1\tA\t_\t
1-2\t2-5\tred\t*[1]\t
1-3\t6-9\tfox\t*[1]\t

#Text=Nothing here
2-1\t10-17\tNothing\t_\t
2-2\t18-22\there\t_\t
"""


def read(path: Path, **options: Any) -> "tuple[List[Record], BadInput]":
    policy = BadInput()
    return list(read_webanno(path, policy, ConvertOptions("webanno", **options))), policy


def found(record: Record, key: Optional[str] = None) -> "list[tuple[str, str]]":
    layer = record.entities if key is None else (record.spans or {})[key]
    assert record.text is not None and layer is not None
    return [(record.text[start:end], label) for start, end, label in layer]


def test_everything_a_file_holds(tmp_path: Path) -> None:
    path = write(tmp_path / "doc.tsv", FULL)
    assert is_webanno(path)
    (first, second), policy = read(path)
    assert first.text == "Ms. Anna Berg runs 'Sun_set' 😊 ."
    assert found(first) == [
        ("Anna", "GIVEN"),
        ("Anna Berg", "PER"),
        ("Sun_set", "ORG_[x]"),
        ("😊", "FACE"),
    ]
    assert second.text == "She likes Oslo."
    assert found(second) == [("sl", "PART")]
    assert (second.meta["path"], second.meta["line"]) == (str(path), 21)
    assert "group" not in second.meta
    assert dict(policy.notes) == {
        f"annotations of {NER}|value read": 5,
        f"annotations of {NER}|value without a value left out": 1,
        f"values of {NER}|identifier left out": 1,
        f"annotations of {POS} left out": 13,
        "annotations of webanno.custom.Frame left out": 1,
        "links of slots of webanno.custom.Frame left out": 2,
        f"links of chains of {COREF} left out": 2,
        f"relations of {DEP} left out": 2,
    }


def test_whole_documents_and_a_layer_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "doc.tsv", FULL.replace("\n", "\r\n"))
    (record,), _ = read(path, unit="document", spans_key="deep")
    assert record.text == "Ms. Anna Berg runs 'Sun_set' 😊 .  She likes Oslo."
    assert found(record, "deep")[-1] == ("sl", "PART")


def test_a_layer_without_features(tmp_path: Path) -> None:
    (first, second), policy = read(write(tmp_path / "doc.tsv", SIMPLE))
    assert (found(first), found(second)) == ([("red fox", "Thing")], [])
    assert dict(policy.notes) == {"annotations of webanno.custom.Thing read": 1}


def test_white_space_is_left_out_and_known(tmp_path: Path) -> None:
    text = SIMPLE.replace("1-2\t2-5\tred\t*[1]", "1-2\t1-5\t red\t*[1]")
    (first, _), _ = read(write(tmp_path / "doc.tsv", text))
    assert found(first) == [("red fox", "Thing")]
    assert isinstance((first.entities or [])[0], Trimmed)


def test_an_annotation_across_sentences(tmp_path: Path) -> None:
    text = SIMPLE.replace("Nothing\t_", "Nothing\t*[1]")
    path = write(tmp_path / "doc.tsv", text)
    (first, second), policy = read(path)
    assert (found(first), found(second)) == ([], [])
    assert sum(count for name, count in policy.notes.items() if "across sentences" in name) == 1
    (record,), _ = read(path, unit="document")
    assert found(record) == [("red fox Nothing", "Thing")]


def test_line_breaks_and_escapes_in_the_text(tmp_path: Path) -> None:
    text = (
        "#FORMAT=WebAnno TSV 3.3\n#T_SP=webanno.custom.Thing|value\n\n\n"
        "#Sentence.id=s1\n#Text=a\\\\b\\tc\n#Text=d e\n"
        "1-1\t0-3\ta\\\\b\tX\\|Y\\->Z\t\n1-2\t4-5\tc\tX[1]\t\n1-3\t6-7\td\tX[1]\t\n1-4\t8-9\te\t_\t\n"
        "1-4.1\t9-9\t\tX\t\n"
    )
    (record,), policy = read(write(tmp_path / "doc.tsv", text))
    assert record.text == "a\\b\tc\nd e"
    assert found(record) == [("a\\b", "X|Y->Z"), ("c\nd", "X")]
    assert policy.notes["annotations of webanno.custom.Thing|value without a text left out"] == 1


def test_the_first_layer_with_annotations(tmp_path: Path) -> None:
    """Of the whole folder, so that all of its documents have the same one."""
    empty = (
        "#FORMAT=WebAnno TSV 3.3\n#T_SP=a.First|value\n#T_SP=b.Second|note|value\n\n\n#Text=x y\n"
    )
    write(tmp_path / "1.tsv", empty + "1-1\t0-1\tx\t_\tn\tV\t\n1-2\t2-3\ty\t_\t_\t_\t\n")
    write(tmp_path / "2.tsv", empty + "1-1\t0-1\tx\t_\t_\t_\t\n1-2\t2-3\ty\tW\tn\t*\t\n")
    write(tmp_path / "notes.txt", "no export")
    (first, second), policy = read(tmp_path)
    assert (found(first), found(second)) == ([], [("y", "W")])
    assert policy.notes["annotations of b.Second left out"] == 2
    assert first.meta["group"] != second.meta["group"]
    inputs = find_inputs([tmp_path])
    assert (inputs.format, inputs.splits) == ("webanno", {"train": tmp_path})


def test_nothing_annotated(tmp_path: Path) -> None:
    records, policy = read(write(tmp_path / "doc.tsv", SIMPLE.replace("*[1]", "_")))
    assert [found(record) for record in records] == [[], []] and not policy.notes


def test_several_annotators(tmp_path: Path) -> None:
    """As INCEpTION exports them: a folder per document, a file per annotator."""
    for number in range(10):
        text = SIMPLE.replace("fox", f"fo{number}")
        for name in ("anna", "bob"):
            write(tmp_path / f"doc{number}.txt" / f"{name}.tsv", text)
        write(tmp_path / f"doc{number}.txt" / "INITIAL_CAS.tsv", text.replace("*[1]", "_"))
        odd = text.replace("A\t_", "A\t*[1]")
        write(tmp_path / f"doc{number}.txt" / "carl.tsv", odd)
    assert find_inputs([tmp_path]).format == "webanno"
    report = convert(ConvertOptions("webanno", train=tmp_path, name="x", out=tmp_path / "out"))
    assert sum(report.written.units.values()) == 20
    assert report.agreement is not None
    assert (report.agreement.annotators, report.agreement.documents) == (3, 20)
    assert report.agreement.f1[None].value == pytest.approx(1 / 3)


def test_overlaps_decide_for_the_whole_corpus(tmp_path: Path) -> None:
    flat, nested = write(tmp_path / "a.tsv", SIMPLE), write(tmp_path / "b.tsv", FULL)
    policy = BadInput()
    splits = read_source(ConvertOptions("webanno", train=flat, test=flat), policy)
    (first, second) = splits["train"]
    assert (first.entities, first.spans, second.entities) == ([(2, 9, "Thing")], None, [])
    splits = read_source(ConvertOptions("webanno", train=flat, test=nested), policy)
    assert splits["train"][0].spans == {"sc": [(2, 9, "Thing")]}
    assert splits["train"][0].entities is None
    assert any("E182" in message for message in policy.warnings)


@pytest.mark.parametrize(
    "old, new, line, code",
    [
        ("2-5\tred", "2-4\tred", 7, "E186"),
        ("2-5\tred", "2-5\tblue", 7, "E186"),
        ("2-5\tred", "2-900\tred", 7, "E186"),
        ("1-2\t2-5", "1-2\t2", 7, "E187"),
        ("1-2\t2-5", "two\t2-5", 7, "E187"),
        ("red\t*[1]\t", "red", 7, "E103"),
        ("red\t*[1]\t", "red\t*[1]\tX\tY", 7, "E103"),
        ("#Text=A red fox\n", "", 5, "E187"),
    ],
)
def test_malformed(tmp_path: Path, old: str, new: str, line: int, code: str) -> None:
    path = write(tmp_path / "doc.tsv", SIMPLE.replace(old, new))
    with pytest.raises(DataError, match=rf"doc\.tsv:{line}: \[{code}\]"):
        read(path)
    policy = BadInput(skip=True)
    assert list(read_webanno(path, policy, ConvertOptions("webanno"))) == []
    assert len(policy.errors) == 1

"""Several annotators of one document become one Record."""

from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
import spacy
from spacy.tokens import DocBin

from mtnlp.data.annotators import TIED_CATS, TIED_ENTITIES, TIED_SPANS, TWICE, merge_annotators
from mtnlp.data.convert import convert, print_report
from mtnlp.data.datasets import FORMATS
from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.entry import Format
from mtnlp.data.options import ConvertOptions
from mtnlp.errors import DataError, MtnlpError
from mtnlp.types import Annotation, Record
from tests.data.corpora import write

PER, LOC, WIDE = Annotation(0, 4, "PER"), Annotation(5, 9, "LOC"), Annotation(0, 9, "LOC")


def judged(annotator: str, document: str = "1", **layers: Any) -> Record:
    return Record(
        text="Anna Rome", meta={"annotator": annotator, "document": document}, **layers
    )  # fmt: skip


def merge(records: List[Record], how: str = "majority") -> "tuple[Record, Dict[str, int]]":
    policy = BadInput()
    merged, _ = merge_annotators({"train": records}, how, policy)
    (record,) = merged["train"]
    notes = dict(policy.notes)
    notes.pop("documents of several annotators merged")
    return record, notes


def test_the_majority_of_entities() -> None:
    records = [
        judged("x", entities=[PER, LOC]),
        judged("y", entities=[PER]),
        judged("z", entities=[WIDE]),
    ]
    record, notes = merge(records)
    assert (record.entities, record.missing, notes) == ([PER], None, {})
    assert record.meta == {"document": "1"}


def test_a_tie_is_left_unknown() -> None:
    record, notes = merge([judged("x", entities=[PER, LOC]), judged("y", entities=[PER])])
    assert (record.entities, record.missing) == ([PER], [(5, 9)])
    assert notes == {TIED_ENTITIES: 1}
    spans = [judged("x", spans={"deep": [PER, LOC]}), judged("y", spans={"deep": [PER]})]
    record, notes = merge(spans)
    assert (record.spans, record.entities, notes) == ({"deep": [PER]}, None, {TIED_SPANS: 1})


def test_who_did_not_judge_does_not_count() -> None:
    records = [judged("x", entities=[PER]), judged("y"), judged("z", cats={"t/a": 1.0})]
    record, notes = merge(records)
    assert (record.entities, record.cats, notes) == ([PER], {"t/a": 1.0}, {})
    part = [judged("x", entities=[PER, LOC]), judged("y", entities=[PER], missing=[(5, 9)])]
    record, _ = merge(part)
    assert (record.entities, record.missing) == ([PER, LOC], None)
    both = [judged(name, entities=[PER], missing=[(8 - n, 9)]) for n, name in enumerate("xy")]
    assert merge(both)[0].missing == [(8, 9)]


@pytest.mark.parametrize(
    "labels, expected, ties",
    [
        ("aab", {"t/a": 1.0, "t/b": 0.0, "t/c": 0.0}, {}),
        ("aabc", {"t/a": 1.0, "t/b": 0.0, "t/c": 0.0}, {}),
        ("ab", None, {TIED_CATS: 1}),
    ],
)
def test_one_label_of_each(labels: str, expected: "dict | None", ties: "dict") -> None:
    records = [
        judged(str(number), cats={f"t/{name}": float(name == label) for name in "abc"})
        for number, label in enumerate(labels)
    ]
    assert (merge(records)[0].cats, merge(records)[1]) == (expected, ties)


def test_labels_by_themselves() -> None:
    records = [
        judged("x", cats={"t/a": 1.0, "t/b": 1.0, "t/c": 0.0}),
        judged("y", cats={"t/a": 1.0, "t/b": 0.0, "t/c": 0.0, "t/d": 1.0}),
    ]
    record, notes = merge(records)
    assert record.cats == {"t/a": 1.0, "t/c": 0.0, "t/d": 1.0}
    assert notes == {TIED_CATS: 1}


def test_the_first_of_each_layer() -> None:
    records = [
        judged("x", cats={"t/a": 1.0}),
        judged("y", entities=[LOC], missing=[(0, 4)], cats={"t/a": 0.0, "u/b": 1.0}),
        judged("z", entities=[PER], spans={"deep": [WIDE]}),
    ]
    record, notes = merge(records, "first")
    assert (record.entities, record.missing) == ([LOC], [(0, 4)])
    assert (record.cats, record.spans) == ({"t/a": 1.0, "u/b": 1.0}, {"deep": [WIDE]})
    assert notes == {}


def test_an_error_where_it_is_asked_for() -> None:
    records = [judged("x", "1"), judged("x", "2"), judged("y", "2")]
    records[2].meta.update(path=Path("a.jsonl"), line=7)
    with pytest.raises(DataError, match=r"a\.jsonl:7: \[E159\].*x, y.*--annotators"):
        merge_annotators({"train": records}, "error", BadInput())
    policy = BadInput(skip=True)
    merged, _ = merge_annotators({"train": records}, "error", policy)
    assert len(merged["train"]) == 1 and len(policy.errors) == 1
    with pytest.raises(MtnlpError, match=r"E144.*--annotators 'all'.*majority"):
        merge_annotators({"train": records}, "all", BadInput())


def test_what_is_no_shared_document() -> None:
    """No annotator, another document, another text; each stays as it is."""
    records = [
        Record(text="Anna"),
        Record(text="Anna"),
        judged("x", "1"),
        judged("y", "2"),
        Record(text="Bob", meta={"annotator": "z", "document": "1"}),
    ]
    policy = BadInput()
    merged, agreement = merge_annotators({"train": records}, "majority", policy)
    assert merged == {"train": records} and agreement is None and not policy.notes


def test_the_same_annotator_twice() -> None:
    records = [judged("x", entities=[PER]), judged("x", entities=[]), judged("y", entities=[])]
    record, notes = merge(records)
    assert record.entities == [] and notes == {TWICE: 1}
    policy = BadInput()
    merged, _ = merge_annotators({"train": records[:2]}, "majority", policy)
    assert merged["train"] == records[1:2] and dict(policy.notes) == {TWICE: 1}


def test_a_conversion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def read(path: Path, on_bad: BadInput, options: ConvertOptions) -> Iterator[Record]:
        for number in range(10):
            for name, label in (("x", "a"), ("y", "a"), ("z", "b")):
                yield Record(
                    text=f"Anna Rome {number}",
                    entities=[PER, LOC] if name == "x" else [PER],
                    cats={f"topic/{label}": 1.0},
                    meta={"annotator": name, "document": number, "judged": ["topic"]},
                )

    monkeypatch.setitem(FORMATS, "votes", Format("votes", read))
    train = write(tmp_path / "a", "x")
    report = convert(ConvertOptions("votes", train=train, out=tmp_path / "out"))
    assert report.written.units == {"train": 8, "dev": 1, "test": 1}
    doc = next(DocBin().from_disk(report.written.files["dev"]).get_docs(spacy.blank("en").vocab))
    assert [ent.text for ent in doc.ents] == ["Anna"]
    assert doc.cats == {"topic/a": 1.0, "topic/b": 0.0}
    assert report.agreement is not None and report.agreement.documents == 10
    print_report(report)
    output = capsys.readouterr().out
    assert "3 annotators, 10 documents judged by several of them" in output
    assert "Cohen's kappa" in output and "Documents of several annotators merged: 10" in output

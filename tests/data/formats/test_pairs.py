"""Pairs of texts: JSON lines, tables, and what becomes of them."""

import json
from pathlib import Path
from typing import Any, List, Optional, Tuple

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import DocBin

from mtnlp.annotation.pairs import SIDE_SEPARATOR, similarity_of
from mtnlp.data.convert import convert
from mtnlp.data.docbin import to_doc
from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.pairs import read_pairs
from mtnlp.data.formats.sts import read_sts
from mtnlp.data.options import ConvertOptions
from mtnlp.data.recognise import recognise
from mtnlp.data.statistics import corpus_statistics
from mtnlp.errors import DataError
from mtnlp.recipes.profiling import TrainCounts
from mtnlp.reports.statistics import statistics_tables
from mtnlp.types import Record
from tests.data.corpora import write

TEXTS = ["A man is dancing.", "A man dances.", "A child rides a horse.", "The market fell again."]
NLP = spacy.blank("en")
STS_ROW = "main-captions\tMSRvid\t2012test\t{number:04}\t{score}\t{first}\t{second}"


def sts(scores: Any, extra: str = "") -> str:
    rows = []
    for number, score in enumerate(scores):
        first, second = TEXTS[number % 4], TEXTS[(number + 1) % 4] + ' "quoted'
        rows.append(STS_ROW.format(number=number, score=score, first=first, second=second) + extra)
    return "\n".join(rows) + "\n"


def lines(*rows: Any) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def shown(records: List[Record]) -> List[Tuple[Tuple[str, ...], Optional[float]]]:
    """The texts of each pair, by its spans, and its similarity."""
    found = []
    for record in records:
        text, places = str(record.text), (record.spans or {})["pair"]
        sides = tuple(text[place.start : place.end] for place in places)
        assert SIDE_SEPARATOR.join(sides) == text
        found.append((sides, (record.cats or {}).get("similarity")))
    return found


def test_the_sts_benchmark(tmp_path: Path, strict: BadInput, nlp: Language) -> None:
    path = write(tmp_path / "sts-dev.csv", sts([5, "3.800", 0.4], "\thttp://source"))
    assert recognise(path).name == "sts"
    records = list(read_sts(path, strict))
    assert shown(records)[1] == ((TEXTS[1], TEXTS[2] + ' "quoted'), pytest.approx(0.76))
    assert [(record.cats or {})["similarity"] for record in records] == [1.0, 0.76, 0.08]
    assert strict.notes == {"similarities from 0 to 5, divided by 5": 3}
    doc = to_doc(records[0], nlp)
    assert [span.text for span in doc.spans["pair"]] == [TEXTS[0], TEXTS[1] + ' "quoted']
    assert similarity_of(doc) == 1.0 and not doc.has_annotation("ENT_IOB")


@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_a_table_with_a_header(mark: str, tmp_path: Path, strict: BadInput) -> None:
    rows = [
        ("Sentence1", "id", "similarity", "sentence2"),
        ("One, two", "1", "0.25", "Three, four"),
    ]
    cells = [[f'"{cell}"' if mark in cell else cell for cell in row] for row in rows]
    path = write(tmp_path / "pairs.csv", "\n".join(mark.join(row) for row in cells) + "\n")
    assert recognise(path).name == "sts"
    assert shown(list(read_sts(path, strict))) == [(("One, two", "Three, four"), 0.25)]
    assert not strict.notes


def test_json_lines(tmp_path: Path, strict: BadInput) -> None:
    rows = [
        {"text1": " A dog ran. ", "text2": "A hound\nran.", "similarity": 0.5},
        {"text1": "x", "text2": "y", "similarity": "1"},
        {"Sentence1": "p", "sentence2": "q", "score": 0, "id": 7},
    ]
    path = write(tmp_path / "pairs.jsonl", lines(*rows))
    assert recognise(path).name == "pairs"
    sides = [("A dog ran.", "A hound\nran."), ("x", "y"), ("p", "q")]
    assert shown(list(read_pairs(path, strict))) == list(zip(sides, [0.5, 1.0, 0.0], strict=True))
    write(path, lines(rows[0], {**rows[1], "similarity": 4}))
    assert [cat for _, cat in shown(list(read_pairs(path, strict)))] == [0.1, 0.8]


def test_texts_that_belong_together(tmp_path: Path, strict: BadInput) -> None:
    rows = [
        {"anchor": "Who?", "positive": "Ada."},
        {"anchor": "a", "positive": "b", "negative": "c"},
    ]
    path = write(tmp_path / "pairs.json", json.dumps(rows))
    assert recognise(path).name == "pairs"
    records = list(read_pairs(path, strict))
    assert shown(records) == [(("Who?", "Ada."), None), (("a", "b"), None)]
    assert [record.cats for record in records] == [None, None]
    assert sum(strict.notes.values()) == 1 and "negatives left out" in next(iter(strict.notes))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text1": "a", "text2": "b"}, r"E755.*text1, text2"),
        ({"text": "a", "label": "b"}, r"E755.*text, label"),
        (["a", "b"], "E755"),
        ({"text1": "a", "text2": " ", "similarity": 1}, "E136.*'text2'"),
        ({"text1": "a", "text2": 3, "similarity": 1}, "E136.*'text2'"),
        ({"text1": "a", "text2": "b", "similarity": None}, "E136.*'similarity'.*None"),
        ({"text1": "a", "text2": "b", "similarity": True}, "E136.*True"),
        ({"text1": "a", "text2": "b", "similarity": 6}, "E136.*0 to 5; not 6"),
        ({"text1": "a", "text2": "b", "similarity": -0.1}, "E136.*not -0.1"),
        ({"text1": "a", "text2": "b", "similarity": "nan"}, "E136.*'nan'"),
    ],
)
def test_what_is_no_pair(
    row: Any, message: str, tmp_path: Path, strict: BadInput, lenient: BadInput
) -> None:
    good = {"text1": "a", "text2": "b", "similarity": 0.5}
    path = write(tmp_path / "pairs.jsonl", lines(good, row))
    with pytest.raises(DataError, match=message) as raised:
        list(read_pairs(path, strict))
    assert "pairs.jsonl:2" in str(raised.value)
    assert len(list(read_pairs(path, lenient))) == len(lenient.errors) == 1


def test_bad_rows_of_a_table(tmp_path: Path, lenient: BadInput) -> None:
    path = write(tmp_path / "sts.csv", sts([5, "high", 1]) + "main\tMSRvid\tx\t1\t2\tno second\n")
    assert len(list(read_sts(path, lenient))) == 2
    assert [error.line for error in lenient.errors] == [2, 4]


def test_files_of_other_kinds_are_not_taken(tmp_path: Path) -> None:
    rows = [{"text": "A dog ran.", "label": "x"}, {"question": "Who is it?", "answer": "Ada"}]
    for row in rows:
        path = write(tmp_path / "rows.jsonl", lines(row, row))
        assert recognise(path).name == "jsonl"
    table = "text\tlabel\nA dog ran away\tgood\nIt came back again\tbad\n"
    assert recognise(write(tmp_path / "t.tsv", table)).name == "csv"


def test_from_end_to_end(tmp_path: Path) -> None:
    """A corpus of pairs has neither entities nor categories: no report takes them for that."""
    train = write(tmp_path / "sts-train.csv", sts([i % 6 for i in range(20)]))
    report = convert(ConvertOptions("sts", train=train, name="sts", out=tmp_path / "out"))
    assert report.written.units == {"train": 16, "dev": 2, "test": 2}
    assert not report.warnings and report.written.misaligned == 0
    known = {"language", "duplicates", "shared_texts"}
    assert {finding.kind for finding in report.findings} <= known
    docs = DocBin().from_disk(report.written.files["dev"]).get_docs(NLP.vocab)
    assert all(similarity_of(doc) is not None for doc in docs)
    statistics = corpus_statistics(tmp_path / "out")
    numbers = statistics["sts"]["splits"]["train"]
    assert numbers["pairs"] == {"documents": 16, "missing": 0, "with_similarity": 16}
    assert not numbers["entities"] and not numbers["categories"]
    titles = {row[0]: row for table in statistics_tables(statistics) for row in table.rows}
    assert titles["pairs of texts"][1:3] == [16, 0]
    train_counts = TrainCounts(1, counter=None)  # type: ignore[arg-type]
    train_counts.add(next(DocBin().from_disk(report.written.files["dev"]).get_docs(NLP.vocab)))
    assert not train_counts.layers and not train_counts.tasks

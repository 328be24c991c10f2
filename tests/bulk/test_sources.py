"""What a path holds, which records it has, and that they are read one by one."""

import json
import pickle
from itertools import islice
from pathlib import Path
from typing import Any, List

import pyarrow.parquet
import pytest

from mtnlp.bulk.entries import Document, Entry, Fault, Fields
from mtnlp.bulk.readers import jsonl
from mtnlp.bulk.sources import find_source, recognise
from mtnlp.errors import DataError
from tests.bulk.conftest import rows
from tests.bulk.inputs import WRITERS, write_docbin, write_jsonl, write_parquet

NAMED = Fields(id="id")


def read(path: Path, fields: Fields = Fields(), start: int = 0) -> List[Entry]:
    return list(find_source(path, fields).read(start))


def ids(entries: List[Entry]) -> List[Any]:
    return [entry.id for entry in entries]


@pytest.mark.parametrize("suffix", [*WRITERS, "tsv"])
def test_from_any_record_on(suffix: str, tmp_path: Path) -> None:
    """In a file and across files; the number that is counted is the number that is read."""
    write = WRITERS.get(suffix, WRITERS["csv"])
    # A TSV knows no quotation marks, so no text of it can hold a tab.
    records = [{**row, "text": row["text"].replace("\t", " ")} for row in rows(9)]
    for name, part in (("a", records), ("b", records[:7]), ("sub/c", records[:1])):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write(tmp_path / f"{name}.{suffix}", part)
    source = find_source(tmp_path, Fields())
    assert source.counts == [9, 7, 1]
    whole = list(source.read())
    for start in range(18):
        assert list(source.read(start)) == whole[start:]
    assert ids(whole)[9] == (f"b.{suffix}:2" if suffix in ("csv", "tsv") else f"b.{suffix}:1")
    texts = [entry.text for entry in whole if isinstance(entry, Document)]
    assert texts[:9] == [record["text"] for record in records]


def test_a_folder_of_texts(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "two.txt").write_bytes("Zwei\r\nZeilen: é".encode())
    (tmp_path / "one.txt").write_text("", encoding="utf8")
    (tmp_path / ".hidden.txt").write_text("no", encoding="utf8")
    (tmp_path / "three.txt").write_bytes(b"fine\nbad \xff")
    (tmp_path / "readme.md").write_text("no", encoding="utf8")
    source = find_source(tmp_path, Fields())
    two, one, three = source.read()
    assert two == Document("b/two.txt", f"{tmp_path}/b/two.txt", "Zwei\r\nZeilen: é")
    assert one == Document("one.txt", f"{tmp_path}/one.txt", "")
    assert isinstance(three, Fault) and three.place == f"{tmp_path}/three.txt:2"
    assert "byte 0xff" in three.error
    assert source.left_out == {".md": 1}
    with pytest.raises(DataError, match="E154"):
        find_source(tmp_path, NAMED)


def test_the_kind_is_told_by_suffix_or_content(tmp_path: Path) -> None:
    for suffix, kind in zip(WRITERS, ("jsonl", "csv", "parquet", "docbin"), strict=True):
        path = WRITERS[suffix](tmp_path / f"x.{suffix}", rows(3))
        bare = path.rename(tmp_path / f"bare_{suffix}")
        found = recognise(bare)
        assert found is not None and found.name == kind
        assert len(read(bare)) == 3
    (tmp_path / "prose").write_text("Just a text.\n", encoding="utf8")
    with pytest.raises(DataError, match="E603"):
        find_source(tmp_path / "prose", Fields())
    assert len(list(find_source(tmp_path / "prose", Fields(), "text").read())) == 1


def test_a_folder_of_several_kinds(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", rows(2))
    write_docbin(tmp_path / "a.spacy", rows(3))
    with pytest.raises(DataError, match=r"E604.*docbin 1, jsonl 1.*--format"):
        find_source(tmp_path, Fields())
    source = find_source(tmp_path, Fields(), "docbin")
    assert source.counts == [3] and source.left_out == {".jsonl": 1}
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="E603"):
        find_source(tmp_path / "empty", Fields())
    with pytest.raises(FileNotFoundError):
        find_source(tmp_path / "missing", Fields())


BAD_LINES = [
    b'{"id": 1, "text": "fine"}',
    b"",
    b'{"id": 2, "text": "cut',
    b'{"id": 3, "text": "\xff"}',
    b'{"id": 4, "text": "half \\ud83d"}',
    b'{"id": 5}',
    b'{"id": 6, "text": 7}',
    b'["a list"]',
    b'{"text": "no id"}',
    b"[" * 100_000,
    '{"id": "é", "text": "Ж"}'.encode(),
]


def test_malformed_lines(tmp_path: Path) -> None:
    """Each in its place, with its line and what is wrong; blank lines are no records."""
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + b"\n".join(BAD_LINES))
    entries = read(path, NAMED)
    assert [entry.place for entry in entries] == [
        f"{path}:{line}" for line in (1, 3, 4, 5, 6, 7, 8, 9, 10, 11)
    ]
    assert isinstance(entries[0], Document) and entries[0].id == "1"
    assert isinstance(entries[-1], Document) and entries[-1].id == "é"
    reasons = [entry.error for entry in entries if isinstance(entry, Fault)]
    parts = (
        "not valid JSON, Unterminated string starting at at column 19",
        "byte 0xff",
        "half a character",
        "is missing",
        "holds no text",
    )
    parts = (*parts, "no mapping", "has no id", "not valid JSON")
    for reason, part in zip(reasons, parts, strict=True):
        assert part in reason and "[E610]" in reason
    assert entries[4].id == "5" and entries[1].id == "bad.jsonl:3"


def test_malformed_rows(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    table = b'id,text\n1,"two\nlines"\n2\n\n3,\xe9t\xe9\n4,\n5,fine\n6,"open\n7,lost\n'
    path.write_bytes(table)
    entries = read(path, NAMED)
    shown = [(entry.id, entry.place.rpartition(":")[2]) for entry in entries]
    lines = [("1", "2"), ("bad.csv:4", "4"), ("3", "6"), ("4", "7"), ("5", "8"), ("bad.csv:9", "9")]
    assert shown == lines
    assert entries[0].text == "two\nlines" and entries[3].text == ""  # type: ignore[union-attr]
    faults = [entry.error for entry in entries if isinstance(entry, Fault)]
    for error, part in zip(faults, ("1 columns", "byte 0xe9", "lines 9 through 10"), strict=True):
        assert part in error


def test_columns_by_number(tmp_path: Path) -> None:
    path = tmp_path / "bare.tsv"
    path.write_text('a\tsaid "so"\nb\ttwo\n', encoding="utf8")
    entries = read(path, Fields(text="1", id="0", carried=("0",)))
    assert [entry[2] for entry in entries] == ['said "so"', "two"]
    assert entries[1] == Document("b", f"{path}:2", "two", None, {"0": "b"})


def test_broken_files_are_set_aside(tmp_path: Path) -> None:
    """The rest of a folder is read."""
    good = write_parquet(tmp_path / "a.parquet", rows(20)).read_bytes()
    (tmp_path / "b.parquet").write_bytes(good[: len(good) // 2])
    write_parquet(tmp_path / "c.parquet", rows(2))
    source = find_source(tmp_path, Fields())
    entries = list(source.read())
    assert source.counts == [20, 1, 2] and len(entries) == 23
    assert isinstance(entries[20], Fault) and "E608" in entries[20].error
    docs = tmp_path / "docs"
    docs.mkdir()
    whole = write_docbin(docs / "a.spacy", rows(2)).read_bytes()
    (docs / "b.spacy").write_bytes(whole[:-20])
    entries = read(docs)
    assert [type(entry) for entry in entries] == [Document, Document, Fault]
    assert "E140" in entries[2].error  # type: ignore[union-attr]


def test_a_broken_row_group(tmp_path: Path) -> None:
    """Its rows are set aside one by one: those behind it keep their numbers."""
    records = [{"text": f"text {number} " + "x" * 50} for number in range(12)]
    path = write_parquet(tmp_path / "a.parquet", records)
    data = bytearray(path.read_bytes())
    column = pyarrow.parquet.read_metadata(path).row_group(1).column(0)
    data[column.data_page_offset : column.data_page_offset + 40] = b"\xff" * 40
    path.write_bytes(bytes(data))
    entries = read(path)
    faults = [index for index, entry in enumerate(entries) if isinstance(entry, Fault)]
    assert len(entries) == 12 and faults and set(faults) <= set(range(4, 8))
    assert entries[8] == Document("a.parquet:9", f"{path}:9", records[8]["text"], None, {})


def test_fields_that_are_not_there(tmp_path: Path) -> None:
    for suffix in ("jsonl", "csv", "parquet"):
        path = WRITERS[suffix](tmp_path / f"x.{suffix}", rows(3))
        with pytest.raises(DataError, match=r"E605.* nope\. Found: id, text, stars"):
            find_source(path, Fields(id="nope"))
        records = [{"a": record["text"], "b": "c"} for record in rows(3)]
        path = WRITERS[suffix](tmp_path / f"y.{suffix}", records)
        with pytest.raises(DataError, match=r"E606.*a, b.*--text-field"):
            find_source(path, Fields())
        assert len(read(path, Fields(text="a"))) == 3
        path = WRITERS[suffix](tmp_path / f"z.{suffix}", [{"Review": "a", "n": "1"}])
        assert read(path)[0][2] == "a"
        if suffix == "jsonl":  # a later record may have it
            assert "W201" in find_source(path, Fields(carried=("nope",))).warnings[0]
        else:
            with pytest.raises(DataError, match="E605"):
                find_source(path, Fields(carried=("nope",)))
    path = tmp_path / "array.json"
    path.write_text(json.dumps(rows(2)), encoding="utf8")
    with pytest.raises(DataError, match="E607"):
        find_source(path, Fields())
    with pytest.raises(DataError, match="E154"):
        find_source(write_docbin(tmp_path / "x.spacy", rows(1)), Fields(text="text"))


def test_a_later_file_without_the_text(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", rows(1))
    write_jsonl(tmp_path / "b.jsonl", [{"other": "x"}, {"other": "y"}])
    one, *others = read(tmp_path)
    assert isinstance(one, Document)
    assert [isinstance(entry, Fault) and "E606" in entry.error for entry in others] == [True, True]


def test_tokens_of_a_docbin_without_spaces(tmp_path: Path) -> None:
    from spacy.tokens import Doc, DocBin
    from spacy.vocab import Vocab

    doc = Doc(Vocab(), words=["do", "n't", "."])
    doc.has_unknown_spaces = True
    DocBin(docs=[doc]).to_disk(tmp_path / "x.spacy")
    (entry,) = read(tmp_path / "x.spacy")
    assert isinstance(entry, Document) and entry.words == ["do", "n't", "."]


def test_lines_are_read_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_jsonl(tmp_path / "many.jsonl", rows(20_000))
    seen = 0
    lines = jsonl._lines

    def counted(*arguments: Any) -> Any:
        nonlocal seen
        for line in lines(*arguments):
            seen += 1
            yield line

    source = find_source(path, Fields())
    assert sum(source.counts) == 20_000
    monkeypatch.setattr(jsonl, "_lines", counted)
    assert len(list(islice(source.read(15_100), 10))) == 10
    # From the mark on; and some of the first lines are looked at for the names of fields.
    assert seen == 110 + 1000


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_from_the_mark_on(suffix: str, tmp_path: Path) -> None:
    """Byte and line are those of the record, whatever stands before it."""
    records = [{"id": f"é{number}", "text": f'two "lines"\nof {number}'} for number in range(7000)]
    for name, part in (("a", records[:6001]), ("b", records[6001:])):
        path = WRITERS[suffix](tmp_path / f"{name}.{suffix}", part)
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"4998", b"\n\xff", 1))
    source = find_source(tmp_path, Fields())
    whole = list(source.read())
    assert len(whole) == sum(source.counts) >= 7000
    assert [len(tally.marks) for tally in source.tallies] == [2, 1]
    for start in (0, 1, 4999, 5000, 5001, 6000, 6001, 6002, 6999):
        assert list(islice(source.read(start), 3)) == whole[start : start + 3]


def test_the_records_of_a_shard(tmp_path: Path) -> None:
    """As places of files, which another process reads."""
    for name, count in (("a", 9), ("b", 0), ("c", 7), ("d", 1)):
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join('{"text": "x"}\n' for _ in range(count)), encoding="utf8")
    source = find_source(tmp_path, Fields())
    parts = [source.part(number, 4) for number in range(5)]
    assert [[(s.file.name, s.start, s.length) for s in part.slices] for part in parts] == [
        [("a.jsonl", 0, 4)],
        [("a.jsonl", 4, 4)],
        [("a.jsonl", 8, 1), ("c.jsonl", 0, 3)],
        [("c.jsonl", 3, 4)],
        [("d.jsonl", 0, 1)],
    ]
    sent = pickle.loads(pickle.dumps([part.absolute() for part in parts]))
    assert [entry for part in sent for entry in part.read()] == list(source.read())

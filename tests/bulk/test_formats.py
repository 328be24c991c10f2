"""Every kind of input to every format of output."""

from functools import cache
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pyarrow.parquet
import pytest
import spacy

from mtnlp.bulk.annotate import annotate
from mtnlp.bulk.entries import Document, Fields
from mtnlp.bulk.options import AnnotateOptions
from mtnlp.bulk.rows import to_row
from mtnlp.bulk.shards import FORMATS
from mtnlp.errors import MtnlpError
from tests.bulk.conftest import rows
from tests.bulk.inputs import WRITERS, read_docbin, read_output, write_jsonl

FIELDS = Fields(id="id", carried=("stars", "name"))
load = cache(spacy.load)


def expected(model: str, records: List[Dict[str, Any]], vector: bool = False) -> List[Any]:
    """What the pipeline says of each text alone, without memory zones."""
    nlp = load(model)
    found = []
    for record in records:
        carried = {name: record[name] for name in ("stars", "name")}
        document = Document(record["id"], "", record["text"], None, carried)
        found.append(to_row(nlp(record["text"]), document, text=True, vector=vector))
    return found


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("suffix", WRITERS)
def test_every_input_to_every_output(suffix: str, to: str, scored: str, tmp_path: Path) -> None:
    records = rows(14)
    path = WRITERS[suffix](tmp_path / f"in.{suffix}", records)
    options = AnnotateOptions(to=to, fields=FIELDS, shard_size=5, batch_size=3)
    summary = annotate(scored, path, tmp_path / "out", options)
    wanted = expected(scored, records)
    found = read_output(tmp_path / "out")
    assert found == wanted
    assert summary.shards == 3 and not summary.failed
    assert summary.done.documents == 14 and not summary.before.records
    assert summary.done.words == sum(len(load(scored)(record["text"])) for record in records)
    assert not list((tmp_path / "out" / "errors").iterdir())


def test_offsets_are_characters(scored: str, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", rows(6))
    annotate(scored, path, tmp_path / "out", AnnotateOptions(fields=FIELDS))
    found = read_output(tmp_path / "out")
    named = [
        [(e["layer"], row["text"][e["start"] : e["end"]], e["label"]) for e in row["entities"]]
        for row in found
    ]
    assert ("doc.ents", "Paris", "LOC") in named[2] and ("doc.ents", "Москве", "LOC") in named[2]
    assert ("words", "Анна", "WORD") in named[2]
    assert named[1] == named[4] == []
    words = [e for e in found[0]["entities"] if e["layer"] == "words"]
    assert [e["score"] for e in words] == [0.1, 0.2, None]
    assert all(e["score"] is None for e in found[0]["entities"] if e["layer"] == "doc.ents")


@pytest.mark.parametrize("to", FORMATS)
def test_own_components(to: str, tiny: str, tmp_path: Path) -> None:
    """Scores of entities, categories and vectors are those of the pipeline on each text alone."""
    records = rows(12)
    path = write_jsonl(tmp_path / "in.jsonl", records)
    options = AnnotateOptions(to=to, fields=FIELDS, shard_size=7, batch_size=4)
    annotate(tiny, path, tmp_path / "out", options)
    found, wanted = read_output(tmp_path / "out"), expected(tiny, records, vector=True)
    assert {e["layer"] for row in wanted for e in row["entities"]} == {"doc.ents", "nerel"}
    assert [row["id"] for row in found] == [row["id"] for row in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert one.keys() == other.keys()
        keys = ("layer", "start", "end", "label")
        named = [[tuple(e[key] for key in keys) for e in row["entities"]] for row in (one, other)]
        assert named[0] == named[1]
        scores = [[e["score"] for e in row["entities"]] for row in (one, other)]
        assert None not in scores[0]
        np.testing.assert_allclose(scores[0], scores[1], atol=1e-4)
        assert one["cats"] == pytest.approx(other["cats"], abs=1e-4)
        np.testing.assert_allclose(one["vector"], other["vector"], atol=1e-4)
        assert len(one["vector"]) == 32


def test_what_can_be_left_out(tiny: str, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", rows(3))
    options = AnnotateOptions(text=False, vector=False)
    annotate(tiny, path, tmp_path / "out", options)
    assert list(read_output(tmp_path / "out")[0]) == ["id", "entities", "cats"]
    options = AnnotateOptions(to="docbin", vector=False)
    annotate(tiny, path, tmp_path / "docs", options)
    assert "vector" not in read_docbin(tmp_path / "docs" / "documents" / "000000.spacy")[0]
    with pytest.raises(MtnlpError, match=r"E154.*--no-text"):
        annotate(tiny, path, tmp_path / "no", AnnotateOptions(to="docbin", text=False))
    with pytest.raises(MtnlpError, match="E614"):
        fields = Fields(carried=("entities",))
        annotate(tiny, path, tmp_path / "no", AnnotateOptions(fields=fields))
    assert not (tmp_path / "no").exists()


def test_all_shards_have_one_schema(scored: str, tmp_path: Path) -> None:
    """What is carried over may be anything; the first shard has no entity and no value."""
    records = [
        {"text": "", "x": None},
        {"text": "Paris", "x": "a"},
        {"text": "Anna", "x": [1, "é"]},
    ]
    path = write_jsonl(tmp_path / "in.jsonl", records)
    options = AnnotateOptions(fields=Fields(carried=("x",)), shard_size=1)
    annotate(scored, path, tmp_path / "out", options)
    table = pyarrow.parquet.read_table(tmp_path / "out" / "documents")
    assert table.column("x").to_pylist() == [None, "a", '[1, "é"]']
    assert table.column("id").to_pylist() == ["in.jsonl:1", "in.jsonl:2", "in.jsonl:3"]
    assert "vector" not in table.column_names

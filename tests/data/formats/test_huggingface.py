"""Datasets of Hugging Face on disk, written by the library itself."""

import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

from mtnlp.data.convert import convert
from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.huggingface import is_huggingface, read_huggingface
from mtnlp.data.inputs import find_inputs
from mtnlp.data.options import ConvertOptions
from mtnlp.data.sources import read_source
from mtnlp.errors import DataError, MtnlpError
from mtnlp.types import Record
from tests.data.corpora import write

datasets = pytest.importorskip("datasets")
datasets.disable_progress_bars()
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


def ner(names: List[str] = TAGS, count: int = 1) -> Any:
    label = datasets.ClassLabel(names=names)
    features = datasets.Features(
        id=datasets.Value("string"),
        tokens=datasets.Sequence(datasets.Value("string")),
        ner_tags=datasets.Sequence(label),
    )
    columns = {
        "id": ["0", "1"] * count,
        "tokens": [["Anna", "Berg", "sang"], ["Rome"]] * count,
        "ner_tags": [[1, 2, 0], [3]] * count,
    }
    return datasets.Dataset.from_dict(columns, features)


def topics(labels: List[Any], feature: Any, name: str = "label") -> Any:
    texts = [f"Text {number}" for number in range(len(labels))]
    features = datasets.Features({"text": datasets.Value("string"), name: feature})
    return datasets.Dataset.from_dict({"text": texts, name: labels}, features)


def read(path: Path, **options: Any) -> "tuple[List[Record], BadInput]":
    policy = BadInput()
    return list(read_huggingface(path, policy, ConvertOptions("huggingface", **options))), policy


def save(dataset: Any, path: Path, how: str) -> Path:
    if how == "parquet":
        dataset.to_parquet(path)
    elif how == "disk":
        dataset.save_to_disk(path)
    elif how == "arrow":
        dataset.save_to_disk(path.parent / "saved")
        (path.parent / "saved" / "data-00000-of-00001.arrow").rename(path)
    else:
        import pyarrow

        with pyarrow.OSFile(str(path), "wb") as sink:
            table = dataset.data.table
            with pyarrow.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table)
    return path


@pytest.mark.parametrize("how", ["parquet", "disk", "arrow", "arrow table"])
def test_tokens_and_tags(tmp_path: Path, how: str) -> None:
    path = save(ner(), tmp_path / "data", how)
    assert is_huggingface(path)
    (first, second), policy = read(path)
    assert (first.tokens, first.entities) == (["Anna", "Berg", "sang"], [(0, 2, "PER")])
    assert second.entities == [(0, 1, "LOC")]
    assert (first.meta["path"], first.meta["line"]) == (str(path), 1)
    assert "split" not in first.meta and not policy.notes and not policy.warnings


def test_types_without_prefixes_and_unknown_tags(tmp_path: Path) -> None:
    dataset = ner(["O", "person", "person of art", "place"])
    (first, second), _ = read(save(dataset, tmp_path / "a", "parquet"))
    assert first.entities == [(0, 1, "person"), (1, 2, "person of art")]
    assert second.entities == [(0, 1, "place")]
    rows = {"tokens": [["Anna", "sang"]], "ner_tags": [[-1, 0]]}
    dataset = datasets.Dataset.from_dict(rows).cast_column(
        "ner_tags", datasets.Sequence(datasets.ClassLabel(names=TAGS))
    )
    (record,), _ = read(save(dataset, tmp_path / "b", "parquet"))
    assert (record.entities, record.missing) == ([], [(0, 1)])


def test_labels(tmp_path: Path) -> None:
    names = datasets.ClassLabel(names=["bad", "good"])
    found, _ = read(save(topics([1, 0, -1], names), tmp_path / "a", "parquet"), task="tone")
    assert [record.cats for record in found] == [{"tone/good": 1.0}, {"tone/bad": 1.0}, None]
    text = datasets.Value("string")
    found, _ = read(save(topics(["x", None], text), tmp_path / "b", "parquet"))
    assert [record.cats for record in found] == [{"category/x": 1.0}, None]
    for column in ("label", "labels"):
        several = topics([[0, 1], []], datasets.Sequence(names), column)
        found, _ = read(save(several, tmp_path / column, "parquet"))
        assert [record.cats for record in found] == [
            {"category/bad": 1.0, "category/good": 1.0},
            {},
        ]
        assert found[1].meta["judged"] == ["category"]
    found, _ = read(save(topics([1], names, "labels"), tmp_path / "c", "parquet"))
    assert found[0].cats == {"category/good": 1.0}


def test_ids_without_names(tmp_path: Path) -> None:
    path = save(topics([1, 0], datasets.Value("int64")), tmp_path / "a", "parquet")
    assert [record.cats for record in read(path)[0]] == [{"category/1": 1.0}, {"category/0": 1.0}]
    names = write(tmp_path / "names.txt", "bad\ngood\n")
    found, _ = read(path, label_names=names)
    assert found[0].cats == {"category/good": 1.0}
    tagged = ner().cast_column("ner_tags", datasets.Sequence(datasets.Value("int64")))
    path = save(tagged, tmp_path / "b", "parquet")
    found, policy = read(path)
    assert found[0].entities is None and any("E170" in text for text in policy.warnings)
    names = write(tmp_path / "tags.txt", "\n".join(TAGS))
    assert read(path, label_names=names)[0][0].entities == [(0, 2, "PER")]


def test_spans(tmp_path: Path) -> None:
    """Also as older versions of the library keep a list of mappings: a mapping of lists."""
    label = datasets.ClassLabel(names=["PER"])
    number = datasets.Value("int32")
    parts: Dict[str, Any] = {"start": number, "end": number, "label": label}
    spans = [{"start": 0, "end": 4, "label": 0}]
    lists = {key: [span[key] for span in spans] for key in parts}
    for name, value, feature in (
        ("a", spans, [parts]),
        ("b", lists, {key: datasets.Sequence(kind) for key, kind in parts.items()}),
    ):
        features = datasets.Features(text=datasets.Value("string"), entities=feature)
        rows = {"text": ["Anna sang"], "entities": [value]}
        dataset = datasets.Dataset.from_dict(rows, features)
        (record,), _ = read(save(dataset, tmp_path / name, "parquet"))
        assert record.entities == [(0, 4, "PER")]


def test_several_splits(tmp_path: Path) -> None:
    splits = {"train": 4, "validation": 2, "test": 1, "unsupervised": 3}
    whole = datasets.DatasetDict({name: ner(count=count) for name, count in splits.items()})
    whole.save_to_disk(tmp_path / "saved")
    found, policy = read(tmp_path / "saved")
    assert [record.meta["split"] for record in found] == ["train"] * 8 + ["dev"] * 4 + ["test"] * 2
    assert dict(policy.notes) == {"rows of the split unsupervised left out": 6}
    assert found[8].meta["path"] == str(tmp_path / "saved" / "validation")
    report = convert(
        ConvertOptions("huggingface", train=tmp_path / "saved", name="x", out=tmp_path / "out")
    )
    assert report.written.units == {"train": 8, "dev": 4, "test": 2}
    inputs = find_inputs([tmp_path / "saved"])
    assert (inputs.format, inputs.name) == ("huggingface", "saved")
    assert {split: path.name for split, path in inputs.splits.items()} == {
        "train": "train",
        "dev": "validation",
        "test": "test",
    }


@pytest.mark.parametrize("folder", ["", "data"])
def test_shards_in_a_folder(tmp_path: Path, folder: str) -> None:
    """As the hub has them: `data/train-00000-of-00002.parquet`."""
    place = tmp_path / folder
    place.mkdir(exist_ok=True)
    for name in ("train-00000-of-00002", "train-00001-of-00002", "test-00000-of-00001"):
        ner().to_parquet(place / f"{name}.parquet")
    inputs = find_inputs([tmp_path])
    assert (inputs.format, inputs.splits) == ("huggingface", {"train": tmp_path})
    splits = read_source(ConvertOptions("huggingface", **inputs.splits), BadInput())
    assert {split: len(records) for split, records in splits.items()} == {"train": 4, "test": 2}


def test_media_are_left_out(tmp_path: Path) -> None:
    dataset = topics(["x"], datasets.Value("string"))
    dataset = dataset.add_column("picture", [{"bytes": b"", "path": None}])
    dataset = dataset.cast_column("picture", datasets.Image())
    (record,), policy = read(save(dataset, tmp_path / "a", "parquet"))
    assert record.cats == {"category/x": 1.0}
    assert dict(policy.notes) == {"values of the column picture left out": 1}


def test_malformed(tmp_path: Path) -> None:
    path = save(topics(["x", "y"], datasets.Value("string")), tmp_path / "a", "parquet")
    with pytest.raises(DataError, match=r"a:1: \[E135\].*--text-field"):
        read(path, text_field="review")
    for content in (b"PAR1 cut short", b"\xff\xff\xff\xff\x10"):
        broken = write(tmp_path / "b.parquet", content)
        assert is_huggingface(broken)
        with pytest.raises(DataError, match=r"b\.parquet: \[E185\]"):
            read(broken)
    (tmp_path / "c").mkdir()
    write(tmp_path / "c" / "state.json", "{}")
    with pytest.raises(DataError, match=r"c: \[E185\]"):
        read(tmp_path / "c")
    policy = BadInput(skip=True)
    assert list(read_huggingface(broken, policy, ConvertOptions("huggingface"))) == []
    assert len(policy.errors) == 1


def test_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(ner(), tmp_path / "a", "parquet")
    monkeypatch.setitem(sys.modules, "datasets", None)
    assert is_huggingface(path)
    with pytest.raises(MtnlpError, match=r"E002.*datasets.*mtnlp\[hub\]"):
        read(path)

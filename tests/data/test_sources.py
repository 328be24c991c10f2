from pathlib import Path
from typing import List

import pytest

from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.options import ConvertOptions
from mtnlp.data.sources import (
    fill_cats,
    find_splits,
    language_of,
    read_source,
    unit_of,
)
from mtnlp.errors import MtnlpError
from mtnlp.types import Record
from tests.data.corpora import (
    CONLL,
    JSONL,
    SAMPLE,
    TSV,
    make_conll,
    make_imdb,
    make_multinerd,
    make_nerel,
    pack,
    write,
)


@pytest.mark.parametrize(
    "names",
    [
        ["eng.train", "eng.testa", "eng.testb"],
        ["train.txt", "valid.txt", "test.txt"],
        ["train.conll", "dev.conll", "test.conll"],
        ["conll2003/eng.train", "conll2003/eng.testa", "conll2003/eng.testb"],
    ],
)
def test_conll_is_found_by_name(tmp_path: Path, names: List[str]) -> None:
    for name in names:
        write(tmp_path / name, CONLL)
    found = find_splits("conll", tmp_path)
    assert [found[split] for split in ("train", "dev", "test")] == [tmp_path / n for n in names]


@pytest.mark.parametrize(
    "names, text",
    [
        (["train_en.jsonl", "val_en.jsonl", "test_en.jsonl"], JSONL),
        (["train/train_en.jsonl", "val/val_en.jsonl", "test/test_en.jsonl"], JSONL),
        (["train_en.tsv", "val_en.tsv", "test_en.tsv"], TSV),
        (["EN/train/train_en.tsv", "EN/val/val_en.tsv", "EN/test/test_en.tsv"], TSV),
        (
            ["wikineural_en/train.conllu", "wikineural_en/val.conllu", "wikineural_en/test.conllu"],
            TSV,
        ),
    ],
)
def test_multinerd_is_found_by_name(tmp_path: Path, names: List[str], text: str) -> None:
    for name in names:
        write(tmp_path / name, text)
    found = find_splits("multinerd", tmp_path)
    assert [found[split] for split in ("train", "dev", "test")] == [tmp_path / n for n in names]
    options = ConvertOptions("multinerd", source="local", path=tmp_path)
    assert [len(rows) for rows in read_source(options, BadInput()).values()] == [2, 2, 2]


@pytest.mark.parametrize("folder", ["", "NEREL-v1.1", "NEREL/NEREL-v1.1"])
def test_nerel_is_found_by_name(tmp_path: Path, folder: str) -> None:
    make_nerel(tmp_path / folder)
    splits = read_source(ConvertOptions("nerel", source="local", path=tmp_path), BadInput())
    assert [(split, len(rows)) for split, rows in splits.items()] == [
        ("train", 3),
        ("dev", 3),
        ("test", 3),
    ]


@pytest.mark.parametrize("below", ["", "aclImdb", "aclImdb_v1.tar.gz", "file"])
def test_imdb_is_found_by_name(tmp_path: Path, below: str) -> None:
    tree = make_imdb(tmp_path / "source")
    path = tree.parent
    if below == "":
        path = tree
    elif below == "aclImdb_v1.tar.gz":
        path = tmp_path / "packed"
        path.mkdir()
        pack(tree, path / below)
    elif below == "file":
        path = pack(tree, tmp_path / "any.tgz")
    splits = read_source(ConvertOptions("imdb", source="local", path=path), BadInput())
    assert {split: len(rows) for split, rows in splits.items()} == {"train": 20, "test": 20}


@pytest.mark.parametrize("corpus", ["imdb", "conll", "nerel", "multinerd"])
def test_the_sample_needs_no_path_but_the_folder(corpus: str) -> None:
    splits = read_source(ConvertOptions(corpus, sample=SAMPLE), BadInput())
    assert sum(map(len, splits.values())) >= 40


@pytest.mark.parametrize("corpus", ["imdb", "conll", "nerel", "multinerd"])
def test_nothing_there(tmp_path: Path, corpus: str) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(MtnlpError, match="E141"):
            read_source(ConvertOptions(corpus, source="local", path=path), BadInput())
    with pytest.raises(MtnlpError, match=r"E144.*--path"):
        read_source(ConvertOptions(corpus, source="local"), BadInput())


def test_a_path_does_not_disturb_the_sample(tmp_path: Path) -> None:
    """A project gives one command line for all sources."""
    options = ConvertOptions("conll", sample=SAMPLE, path=tmp_path / "nowhere")
    assert len(read_source(options, BadInput())["train"]) > 100


def test_nerel_of_the_hub_is_an_asset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MtnlpError, match=r"E141.*project assets"):
        read_source(ConvertOptions("nerel", source="hub"), BadInput())
    make_nerel(tmp_path / "assets" / "NEREL" / "NEREL-v1.1")
    assert len(read_source(ConvertOptions("nerel", source="hub"), BadInput())["train"]) == 3


def test_options_that_make_no_sense(tmp_path: Path) -> None:
    for options in (ConvertOptions("ontonotes"), ConvertOptions("conll", source="web")):
        with pytest.raises(MtnlpError, match="E144"):
            read_source(options, BadInput())
    with pytest.raises(MtnlpError, match=r"E144.*--train"):
        read_source(ConvertOptions("csv"), BadInput())
    for task in ("a/b", " "):
        with pytest.raises(MtnlpError, match=r"E144.*--task"):
            read_source(ConvertOptions("csv", task=task), BadInput())


def test_units() -> None:
    assert unit_of(ConvertOptions("conll")) == "sentence"
    assert unit_of(ConvertOptions("conll", unit="document")) == "document"
    assert unit_of(ConvertOptions("imdb")) == "document"
    for options in (
        ConvertOptions("imdb", unit="sentence"),
        ConvertOptions("multinerd", unit="document"),
        ConvertOptions("conll", unit="document", source="hub"),
    ):
        with pytest.raises(MtnlpError, match="E148"):
            unit_of(options)
    with pytest.raises(MtnlpError, match="E144"):
        unit_of(ConvertOptions("conll", unit="page"))


def test_languages() -> None:
    assert language_of(ConvertOptions("nerel")) == "en"
    assert language_of(ConvertOptions("nerel", source="local")) == "ru"
    assert language_of(ConvertOptions("nerel", source="local", lang="en")) == "en"
    assert language_of(ConvertOptions("imdb", source="local")) == "en"


def test_conll_units(tmp_path: Path) -> None:
    make_conll(tmp_path)
    sizes = {
        unit: len(
            read_source(
                ConvertOptions("conll", source="local", path=tmp_path, unit=unit), BadInput()
            )["train"]
        )
        for unit in ("sentence", "document")
    }
    assert sizes == {"sentence": 3, "document": 2}


def judged(text: str, *keys: str) -> Record:
    """A Record that names every label of the task `t` that holds."""
    return Record(text=text, cats=dict.fromkeys(keys, 1.0), meta={"judged": ["t"]})


def test_fill_cats_only_where_all_labels_are_named() -> None:
    """A mapping says what was judged; a label it does not name may hold or not."""
    records = [judged("a", "t/x"), Record(text="b", cats={"t/y": 1.0}), Record(text="c", cats={})]
    fill_cats({"train": records})
    assert [record.cats for record in records] == [{"t/x": 1.0, "t/y": 0.0}, {"t/y": 1.0}, {}]


def test_fill_cats() -> None:
    train = [judged("a", "t/x"), Record(text="b"), judged("c")]
    dev = [judged("d", "t/y")]
    fill_cats({"train": train, "dev": dev})
    assert [record.cats for record in train] == [
        {"t/x": 1.0, "t/y": 0.0},
        None,
        {"t/x": 0.0, "t/y": 0.0},
    ]
    assert dev[0].cats == {"t/x": 0.0, "t/y": 1.0}


def test_fill_cats_leaves_other_tasks_missing() -> None:
    records = [judged("a", "t/x", "u/z"), judged("b", "t/y")]
    fill_cats({"train": records})
    assert records[1].cats == {"t/x": 0.0, "t/y": 1.0}


def test_multinerd_sample_layout(tmp_path: Path) -> None:
    found = find_splits("multinerd", make_multinerd(tmp_path))
    assert found["dev"].name == "val_en.jsonl"

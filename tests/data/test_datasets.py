"""The table: a dataset or a format is one file and one entry."""

from pathlib import Path
from typing import Iterator

import pytest
import spacy
from spacy.tokens import DocBin

from mtnlp.data.convert import convert
from mtnlp.data.datasets import DATASETS, FORMATS
from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.entry import Card, Dataset, Format, SplitFiles
from mtnlp.data.options import ConvertOptions
from mtnlp.data.sources import language_of, unit_of
from mtnlp.errors import MtnlpError
from mtnlp.types import Annotation, Record
from tests.data.corpora import write


# What the one file of a new dataset holds: its reader, and this.
def read_cities(path: Path, on_bad: BadInput, unit: str) -> Iterator[Record]:
    for line in path.read_text(encoding="utf8").splitlines():
        city = Annotation(0, len(line), "loc")
        yield Record(text=line, entities=[city], cats={"size/big": 1.0}, meta={"path": str(path)})


CITIES = Dataset(
    name="cities",
    card=Card("Cities", "A. Nonymous, 2020", "https://example.org", "CC0", "Nothing to note."),
    read=read_cities,
    find=SplitFiles(folders=("", "cities-v1"), suffixes=(".lst",)),
    labels=("LOC",),
    rename={"loc": "LOC", "big": "BIG"},
    language="pl",
)


def test_a_new_dataset_is_one_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DATASETS, CITIES.name, CITIES)
    for split in ("train", "valid", "test"):
        write(tmp_path / "in" / "cities-v1" / f"{split}.lst", "Łódź\nGdynia\n")
    options = ConvertOptions(
        "cities", source="local", path=tmp_path / "in", out=tmp_path, labels=["LOC"]
    )
    report = convert(options)
    assert (report.unit, report.written.units) == ("document", {"train": 2, "dev": 2, "test": 2})
    docs = DocBin().from_disk(report.written.files["dev"]).get_docs(spacy.blank("pl").vocab)
    found = [(doc.text, [ent.label_ for ent in doc.ents], doc.cats) for doc in docs]
    assert found[0] == ("Łódź", ["LOC"], {"size/BIG": 1.0})
    assert language_of(options) == "pl"
    with pytest.raises(MtnlpError, match=r"E147.*PER.*LOC"):
        convert(ConvertOptions("cities", source="local", path=tmp_path / "in", labels=["PER"]))
    with pytest.raises(MtnlpError, match=r"E141.*train\.lst"):
        convert(ConvertOptions("cities", source="local", path=tmp_path / "test"))
    with pytest.raises(MtnlpError, match=r"E174.*cities"):
        convert(ConvertOptions("cities", source="hub"))
    with pytest.raises(MtnlpError, match="E148"):
        unit_of(ConvertOptions("cities", unit="sentence"))


def test_a_new_format_is_one_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(path: Path, on_bad: BadInput, options: ConvertOptions) -> Iterator[Record]:
        for line in path.read_text().splitlines():
            yield Record(tokens=line.split(options.delimiter), entities=[])

    monkeypatch.setitem(FORMATS, "words", Format("words", read, options=("delimiter",)))
    train = write(tmp_path / "a", "a|b\nc|d\ne|f\n")
    report = convert(
        ConvertOptions("words", train=train, test=train, delimiter="|", out=tmp_path / "out")
    )
    assert report.written.tokens["test"] == 6


@pytest.mark.parametrize("name", [*DATASETS, *FORMATS])
def test_every_entry(name: str) -> None:
    entry = DATASETS.get(name) or FORMATS[name]
    assert entry.name == name
    assert set(entry.units) <= {"sentence", "document"}
    if isinstance(entry, Dataset):
        assert entry.card.title and entry.card.licence and entry.card.notice
        assert spacy.blank(entry.language)
        assert len(set(entry.labels)) == len(entry.labels)


@pytest.mark.parametrize(
    "option, formats",
    [
        ("delimiter", "columns and csv"),
        ("spans_field", "jsonl"),
        ("label_names", "csv"),
        ("group_field", "jsonl and csv"),
        ("spans_key", "columns and jsonl"),
    ],
)
def test_an_option_the_format_does_not_read(option: str, formats: str) -> None:
    for name in ("docbin", "conll"):
        with pytest.raises(MtnlpError, match=rf"E154.*--{option.replace('_', '-')} .*{formats}"):
            convert(ConvertOptions(name, **{option: "x"}))


def test_own_files_are_not_for_a_published_corpus() -> None:
    """The embedded sample would be converted in their place."""
    with pytest.raises(
        MtnlpError, match=r"--train is for .*, columns, .* and .*, and this is conll"
    ):
        convert(ConvertOptions("conll", train=Path("my.conll")))

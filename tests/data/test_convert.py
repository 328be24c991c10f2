"""Whole conversions through the functions behind the command line."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, List

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from mtnlp.data.convert import convert, keep_labels, print_report
from mtnlp.data.options import ConvertOptions
from mtnlp.data.recognise import recognise
from mtnlp.errors import DataError, MtnlpError
from mtnlp.types import Annotation, Record
from tests.data.corpora import (
    COLUMNS,
    MAKERS,
    SAMPLE,
    files_below,
    make_conll,
    make_imdb,
    multinerd_line,
    write,
)

VOCAB = spacy.blank("en").vocab


def docs_of(path: Path) -> List[Doc]:
    return list(DocBin().from_disk(path).get_docs(VOCAB))


def local(corpus: str, tmp_path: Path, **options: Any) -> ConvertOptions:
    root = tmp_path / "in"
    MAKERS[corpus](root)
    corpus = corpus.removesuffix("_tsv")
    return ConvertOptions(corpus, source="local", path=root, out=tmp_path / "out", **options)


@pytest.mark.parametrize("corpus", ["imdb", "conll", "nerel", "multinerd"])
def test_sample(tmp_path: Path, corpus: str) -> None:
    report = convert(ConvertOptions(corpus, sample=SAMPLE, out=tmp_path))
    splits = ("dev", "test", "train")
    assert files_below(tmp_path) == [f"{split}/{corpus}.spacy" for split in splits]
    assert sum(report.written.units.values()) in (160, 240, 40)
    docs = [doc for path in report.written.files.values() for doc in docs_of(path)]
    assert all(bool(doc.cats) == (corpus in ("imdb", "nerel")) for doc in docs)
    assert all(doc.has_annotation("ENT_IOB") == (corpus == "conll") for doc in docs)
    assert all(set(doc.spans) == {corpus} & {"nerel", "multinerd"} for doc in docs)
    for doc in docs:
        for span in [*doc.ents, *(span for group in doc.spans.values() for span in group)]:
            assert span.text == span.text.strip()
    assert report.written.misaligned == 0


def test_imdb_dev_shares_no_movie_with_train(tmp_path: Path) -> None:
    report = convert(local("imdb", tmp_path))
    assert report.written.units == {"train": 16, "dev": 4, "test": 20}
    texts = {
        split: {doc.text for doc in docs_of(path)} for split, path in report.written.files.items()
    }

    def movies(split: str) -> set:
        words = [text.rstrip(".").split() for text in texts[split]]
        return {(word[0], word[1], int(word[-1]) // 2) for word in words}

    assert not movies("train") & movies("dev")


def test_a_second_run_writes_the_same_bytes(tmp_path: Path) -> None:
    options = local("imdb", tmp_path, limit=(10, 2, 5))
    first = {split: path.read_bytes() for split, path in convert(options).written.files.items()}
    again = {split: path.read_bytes() for split, path in convert(options).written.files.items()}
    assert first == again


def test_system_b(tmp_path: Path) -> None:
    row = multinerd_line(["Ada", "saw", "a", "red", "fox", "in", "May"], [1, 0, 0, 7, 8, 0, 27])
    for name in ("train", "val", "test"):
        write(tmp_path / "in" / f"{name}_en.jsonl", row)
    options = ConvertOptions(
        "multinerd",
        source="local",
        path=tmp_path / "in",
        out=tmp_path,
        labels=["PER", "ORG", "LOC", "DIS", "ANIM"],
        name="system_b",
    )
    (doc,) = docs_of(convert(options).written.files["train"])
    assert [span.label_ for span in doc.spans["multinerd"]] == ["PER", "ANIM"]


def test_labels_that_the_corpus_has_not(tmp_path: Path) -> None:
    with pytest.raises(MtnlpError, match=r"E147.*DOG"):
        convert(local("conll", tmp_path, labels=["PER", "DOG"]))
    assert files_below(tmp_path / "out") == []


def test_keep_labels_keeps_annotated_apart_from_missing() -> None:
    records = [Record(text="a", entities=[Annotation(0, 1, "A")]), Record(text="b")]
    records[1].spans = {"x": [Annotation(0, 1, "A"), Annotation(0, 1, "B")]}
    keep_labels({"train": records}, ["B"], None)
    assert records[0].entities == []
    assert records[1].entities is None
    assert records[1].spans == {"x": [(0, 1, "B")]}


def test_limit_and_report(tmp_path: Path) -> None:
    report = convert(local("conll", tmp_path, limit=(2, 1, 0)))
    assert report.written.units == {"train": 2, "dev": 1, "test": 3}
    (shared,) = [
        f for f in report.findings if f.message == "Sentences of test whose text is also in train"
    ]
    assert (shared.count, len(shared.places)) == (2, 2)
    assert all("eng.testb:" in place and "eng.train:" in place for place in shared.places)
    assert report.unit == "sentence"


def test_conll_documents_carry_sentences(tmp_path: Path) -> None:
    report = convert(local("conll", tmp_path, unit="document"))
    first = docs_of(report.written.files["train"])[0]
    assert [len(sentence) for sentence in first.sents] == [4, 2]


def test_ratio_keeps_documents_whole(tmp_path: Path) -> None:
    """Six documents, each twice two sentences or one: a document is in one split alone."""
    report = convert(local("conll", tmp_path, ratio=(0.5, 0.25, 0.25)))
    assert sum(report.written.units.values()) == 9
    for path in report.written.files.values():
        texts = [doc.text for doc in docs_of(path)]
        assert sum("EU" in text for text in texts) == sum("Rome" in text for text in texts)


def test_columns_of_ones_own(tmp_path: Path) -> None:
    train = write(tmp_path / "train.txt", (COLUMNS + "\n") * 5)
    options = ConvertOptions(
        "columns", train=train, test=train, name="mine", spans_key="mine", out=tmp_path / "out"
    )
    report = convert(options)
    assert report.written.units == {"train": 8, "dev": 2, "test": 10}
    docs = docs_of(report.written.files["train"])
    assert all(not doc.has_annotation("ENT_IOB") and "mine" in doc.spans for doc in docs)


def test_entities_from_a_layer(tmp_path: Path) -> None:
    train = write(tmp_path / "train.txt", (COLUMNS + "\n") * 5)
    options = ConvertOptions(
        "columns",
        train=train,
        name="mine",
        spans_key="mine",
        ents_from="mine",
        out=tmp_path / "out",
    )
    docs = docs_of(convert(options).written.files["train"])
    assert all([*doc.ents] == [*doc.spans["mine"]] for doc in docs)
    with pytest.raises(MtnlpError, match=r"E177.*'mine'"):
        convert(replace(options, ents_from="other"))


def test_csv_of_ones_own(tmp_path: Path) -> None:
    text = "text,label\n" + "".join(f"text {n},{'abc'[n % 3]}\n" for n in range(30)) + "none,\n"
    train = write(tmp_path / "train.csv", text)
    options = ConvertOptions("csv", train=train, test=train, task="topic", out=tmp_path / "out")
    docs = docs_of(convert(options).written.files["test"])
    assert docs[0].cats == {"topic/a": 1.0, "topic/b": 0.0, "topic/c": 0.0}
    assert docs[-1].cats == {}


def test_jsonl_of_ones_own(tmp_path: Path) -> None:
    row = {"text": "Ada sang.", "label": "x", "spans": [{"start": 0, "end": 3, "label": "PER"}]}
    train = write(tmp_path / "train.jsonl", (json.dumps(row) + "\n") * 5)
    options = ConvertOptions("jsonl", train=train, dev=train, test=train, out=tmp_path / "out")
    (doc, *_) = docs_of(convert(options).written.files["dev"])
    assert [ent.text for ent in doc.ents] == ["Ada"]


def test_docbin_of_ones_own(tmp_path: Path) -> None:
    first = convert(ConvertOptions("conll", sample=SAMPLE, out=tmp_path / "a"))
    files = first.written.files
    options = ConvertOptions(
        "docbin", train=files["train"], dev=files["dev"], test=files["test"], out=tmp_path / "b"
    )
    second = convert(options)
    for split, path in files.items():
        old, new = docs_of(path), docs_of(second.written.files[split])
        assert [doc.to_json() for doc in old] == [doc.to_json() for doc in new]
        assert all(doc.has_unknown_spaces for doc in new)


def test_what_is_missing_in_a_docbin_stays_missing(tmp_path: Path) -> None:
    doc = Doc(VOCAB, words=["Ada", "sang", "in", "Rome"])
    doc.set_ents([Span(doc, 0, 1, "PER")], outside=[doc[1:2]], default="missing")
    doc.cats = {"topic/a": 1.0}
    other = Doc(VOCAB, words=["Film"])
    other.cats = {"topic/b": 1.0, "positive": 0.0}
    path = tmp_path / "a.spacy"
    DocBin(docs=[doc, other]).to_disk(path)
    options = ConvertOptions(
        "docbin", train=path, dev=path, test=path, task="mood", out=tmp_path / "out"
    )
    first, second = docs_of(convert(options).written.files["test"])
    assert [token.ent_iob_ for token in first] == ["B", "O", "", ""]
    assert first.cats == {"topic/a": 1.0}
    assert second.cats == {"topic/b": 1.0, "mood/positive": 0.0}
    assert not second.has_annotation("ENT_IOB")


def test_a_mapping_says_what_was_judged(tmp_path: Path) -> None:
    rows = [
        {"text": "a", "cats": {"topic/a": 1.0}},
        {"text": "b", "cats": {"topic/b": 0}},
        {"text": "c", "label": "good"},
        {"text": "d", "labels": ["bad"]},
    ]
    path = write(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    options = ConvertOptions("jsonl", train=path, dev=path, test=path, out=tmp_path / "out")
    docs = docs_of(convert(options).written.files["test"])
    assert [doc.cats for doc in docs] == [
        {"topic/a": 1.0},
        {"topic/b": 0.0},
        {"category/bad": 0.0, "category/good": 1.0},
        {"category/bad": 1.0, "category/good": 0.0},
    ]


def test_offsets_in_other_units_are_a_warning(tmp_path: Path) -> None:
    row = {"text": "😀 Łódź is old", "spans": [{"start": 3, "end": 7, "label": "LOC"}]}
    path = write(tmp_path / "a.jsonl", json.dumps(row))
    options = ConvertOptions("jsonl", train=path, dev=path, test=path, out=tmp_path / "out")
    (warning,) = convert(options).warnings
    assert warning.startswith(f"{path}:1: [E173]") and "'Łódź'" in warning


def test_a_test_split_is_needed(tmp_path: Path) -> None:
    """A published corpus without one is not complete."""
    root = make_conll(tmp_path / "in")
    (root / "eng.testb").unlink()
    with pytest.raises(MtnlpError, match=r"E145.*test"):
        convert(ConvertOptions("conll", source="local", path=root, out=tmp_path / "out"))


def test_splits_of_ones_own_data(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """Train alone is split, and dev is halved where there is no test."""
    train = write(tmp_path / "train.txt", (COLUMNS + "\n") * 10)
    dev = write(tmp_path / "dev.txt", (COLUMNS + "\n") * 2)
    options = ConvertOptions("columns", train=train, out=tmp_path / "out")
    for given, units, said in (
        (
            options,
            {"train": 16, "dev": 2, "test": 2},
            "One part was given; it is split into train, dev and test, 80:10:10",
        ),
        (replace(options, dev=dev), {"train": 20, "dev": 2, "test": 2}, "it is half of dev"),
        (replace(options, ratio=(0.6, 0.2, 0.2)), {"train": 12, "dev": 4, "test": 4}, ""),
        (replace(options, test=dev), {"train": 16, "dev": 4, "test": 4}, ""),
    ):
        report = convert(given)
        assert report.written.units == units
        assert said in report.made and bool(said) == bool(report.made)
        print_report(report)
        assert said in " ".join(capsys.readouterr().out.split())


def test_a_file_without_texts_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "reviews.csv", "text,label\n")
    assert recognise(path).name == "csv"
    with pytest.raises(MtnlpError, match=r"E145.*train.*none in .*reviews\.csv"):
        convert(ConvertOptions("csv", train=path, out=tmp_path / "out"))


def test_skip_bad_counts_and_goes_on(tmp_path: Path) -> None:
    root = make_conll(tmp_path / "in")
    path = root / "eng.train"
    write(path, path.read_text().replace("I-ORG", "I-DOG"))
    options = ConvertOptions("conll", source="local", path=root, out=tmp_path, skip_bad=True)
    report = convert(options)
    assert report.written.units == {"train": 2, "dev": 3, "test": 3}
    assert len(report.skipped) == 1 and "eng.train:3: [E105]" in report.skipped[0]


def test_a_split_of_nothing_but_faults(tmp_path: Path) -> None:
    root = make_conll(tmp_path / "in")
    write(root / "eng.train", "one two\n\nthree\n")
    options = ConvertOptions(
        "conll", source="local", path=root, out=tmp_path / "out", skip_bad=True
    )
    with pytest.raises(MtnlpError, match=r"E145.*train.*2 were malformed"):
        convert(options)
    assert files_below(tmp_path / "out") == []


def test_a_fault_late_in_the_input_writes_nothing(tmp_path: Path) -> None:
    root = make_imdb(tmp_path / "in")
    write(root / "train" / "pos" / "9_9.txt", b"\xff")
    with pytest.raises(DataError):
        convert(ConvertOptions("imdb", source="local", path=root, out=tmp_path / "out"))
    assert files_below(tmp_path / "out") == []


@pytest.mark.parametrize("name", ["a/b", "..", ""])
def test_a_name_is_a_file_name(tmp_path: Path, name: str) -> None:
    if name:
        with pytest.raises(MtnlpError, match=r"E144.*--name"):
            convert(local("conll", tmp_path, name=name))
    else:
        assert convert(local("conll", tmp_path, name=name)).name == "conll"


def test_the_input_is_not_replaced(tmp_path: Path) -> None:
    """Nor removed, where the result has no such split."""
    path = tmp_path / "test" / "mine.spacy"
    path.parent.mkdir()
    DocBin(docs=[spacy.blank("en")("Hello there")] * 4).to_disk(path)
    before = path.read_bytes()
    options = ConvertOptions("docbin", train=path, name="mine", out=tmp_path, ratio=(0.5, 0.5, 0))
    with pytest.raises(MtnlpError, match=r"E144.*--name 'mine'.*mine\.spacy is read"):
        convert(options)
    assert path.read_bytes() == before
    assert convert(replace(options, name="other")).written.units == {"train": 2, "dev": 2}

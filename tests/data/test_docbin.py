from pathlib import Path
from typing import Iterable, Iterator, Optional

import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.training import Corpus

from mtnlp.data.docbin import Written, to_doc, write_corpus, write_shards
from mtnlp.data.document_ids import document_of
from mtnlp.errors import MtnlpError
from mtnlp.types import Annotation, Record
from tests.data.corpora import files_below

NLP = spacy.blank("en")


def record_of_tokens() -> Record:
    return Record(
        tokens=["do", "n't", "go", "York", "-based"],
        sent_starts=[True, False, False, True, False],
        entities=[Annotation(3, 4, "LOC")],
        tags=["VB", "RB", "VB", "NNP", "JJ"],
    )


def round_trip(*docs: Doc) -> "list[Doc]":
    data = DocBin(docs=docs).to_bytes()
    return list(DocBin().from_bytes(data).get_docs(spacy.blank("en").vocab))


def test_tokens_stay_as_they_are(tmp_path: Path) -> None:
    """Whatever tokenizer the reading pipeline has: that is what unknown spaces are for."""
    write_corpus({"train": [record_of_tokens()]}, tmp_path, "x")
    (example,) = Corpus(tmp_path / "train")(NLP)
    for doc in (example.reference, example.predicted):
        assert [token.text for token in doc] == ["do", "n't", "go", "York", "-based"]
    doc = example.reference
    assert doc.has_unknown_spaces
    assert [(ent.start, ent.end, ent.label_) for ent in doc.ents] == [(3, 4, "LOC")]
    assert [token.tag_ for token in doc] == ["VB", "RB", "VB", "NNP", "JJ"]
    assert [token.i for token in doc if token.is_sent_start] == [0, 3]


def test_missing_is_not_negative(tmp_path: Path) -> None:
    records = [
        Record(text="Only a label.", cats={"t/a": 1.0, "t/b": 0.0}),
        Record(text="Only entities, and none.", entities=[]),
        Record(text="Only a layer, and nothing in it.", spans={"x": []}),
    ]
    write_corpus({"train": records}, tmp_path, "x")
    data = DocBin().from_disk(tmp_path / "train" / "x.spacy")
    label, entities, layer = data.get_docs(spacy.blank("en").vocab)
    assert label.cats == {"t/a": 1.0, "t/b": 0.0}
    assert not label.has_annotation("ENT_IOB") and not label.spans
    assert entities.has_annotation("ENT_IOB") and not entities.ents
    assert not entities.cats and not entities.spans
    assert {token.ent_iob_ for token in entities} == {"O"}
    assert "x" in layer.spans and len(layer.spans["x"]) == 0
    assert not layer.has_annotation("ENT_IOB") and not layer.cats
    assert not any(doc.has_annotation("TAG") for doc in (label, entities, layer))
    assert not any(doc.has_annotation("SENT_START") for doc in (label, entities, layer))


def test_missing_stretches_of_a_text() -> None:
    """Whatever token a stretch touches is unknown, except where an entity stands."""
    record = Record(text="Ada sang in Rome today", entities=[Annotation(0, 3, "PER")])
    record.missing = [(2, 8), (13, 14)]
    doc = to_doc(record, NLP)
    assert [token.ent_iob_ for token in doc] == ["B", "", "O", "", "O"]
    assert [token.ent_iob_ for token in round_trip(doc)[0]] == ["B", "", "O", "", "O"]


def test_misaligned_spans_widen_to_tokens() -> None:
    written = Written()
    record = Record(text="Newyorkers left", spans={"x": [Annotation(0, 7, "LOC")]})
    doc = to_doc(record, NLP, written)
    assert [(span.text, span.label_) for span in doc.spans["x"]] == [("Newyorkers", "LOC")]
    assert written.misaligned == 1


def test_repeated_annotations_count_once() -> None:
    written = Written()
    spans = [Annotation(0, 3, "A"), Annotation(0, 3, "A"), Annotation(0, 3, "B")]
    doc = to_doc(Record(text="One two", spans={"x": spans}), NLP, written)
    assert [span.label_ for span in doc.spans["x"]] == ["A", "B"]
    assert written.repeated == 1


def test_entities_that_collide_after_widening() -> None:
    written = Written()
    entities = [Annotation(0, 3, "A"), Annotation(3, 15, "B")]
    doc = to_doc(Record(text="Newyorkers left", entities=entities), NLP, written)
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("Newyorkers left", "B")]
    assert written.overlapping == 1


def test_no_entity_begins_or_ends_in_whitespace() -> None:
    written = Written()
    spans = [Annotation(0, 4, "A"), Annotation(1, 2, "B")]
    record = Record(tokens=["\n", "word", "\u00a0", " "], spans={"x": spans})
    doc = to_doc(record, NLP, written)
    assert [(s.start, s.end, s.label_) for s in doc.spans["x"]] == [(1, 2, "A"), (1, 2, "B")]
    blank = Record(tokens=["a", " "], entities=[Annotation(1, 2, "A")])
    assert len(to_doc(blank, NLP, written).ents) == 0
    assert written.blank == 1


def test_nested_and_crossing_spans_survive() -> None:
    spans = [Annotation(0, 7, "A"), Annotation(0, 3, "B"), Annotation(4, 13, "C")]
    (doc,) = round_trip(to_doc(Record(text="one two three", spans={"x": spans}), NLP))
    assert [(s.start_char, s.end_char, s.label_) for s in doc.spans["x"]] == spans


def test_all_splits_are_counted(tmp_path: Path) -> None:
    splits = {"train": [Record(text="a b"), Record(text="c")], "test": [Record(text="d")]}
    written = write_corpus(splits, tmp_path, "x")
    assert written.units == {"train": 2, "test": 1}
    assert written.tokens == {"train": 3, "test": 1}
    assert files_below(tmp_path) == ["test/x.spacy", "train/x.spacy"]


def test_a_split_that_is_gone_is_removed(tmp_path: Path) -> None:
    records = [Record(text="a")]
    write_corpus({"train": records, "dev": records, "test": records}, tmp_path, "x")
    write_corpus({"train": records, "test": records}, tmp_path, "x")
    assert files_below(tmp_path) == ["test/x.spacy", "train/x.spacy"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_interruption_leaves_the_corpus_as_it_was(tmp_path: Path, error: type) -> None:
    records = [Record(text="old")]
    write_corpus({"train": records, "dev": records, "test": records}, tmp_path, "x")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def interrupted(items: Iterable[Record], what: str, length: Optional[int]) -> Iterator[Record]:
        for item in items:
            if "test" in what:
                raise error
            yield item

    new = [Record(text="new and longer")]
    with pytest.raises(error):
        write_corpus({"train": new, "dev": new, "test": new}, tmp_path, "x", progress=interrupted)
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before


def test_interrupted_first_time_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        write_corpus(
            {"train": [Record(text="a")], "test": [Record(tokens=["a"], tags=[])]}, tmp_path, "x"
        )
    assert files_below(tmp_path) == []


def numbered_docs(count: int) -> Iterator[Doc]:
    return (Doc(NLP.vocab, words=[f"a{number}"]) for number in range(count))


def test_shards_hold_every_document_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "train" / "news"
    files = write_shards(numbered_docs(25), folder, 10)
    assert [file.name for file in files] == ["000000.spacy", "000001.spacy", "000002.spacy"]
    words = [[doc[0].text for doc in DocBin().from_disk(f).get_docs(NLP.vocab)] for f in files]
    assert [len(shard) for shard in words] == [10, 10, 5]
    assert [word for shard in words for word in shard] == [f"a{i}" for i in range(25)]
    assert [eg.reference[0].text for eg in Corpus(tmp_path / "train")(NLP)][::24] == ["a0", "a24"]
    # Another writing leaves none of the old files behind.
    write_shards(numbered_docs(3), folder, 10)
    assert files_below(tmp_path) == ["train/news/000000.spacy"]


def test_interrupted_shards_leave_what_was_there(tmp_path: Path) -> None:
    def broken() -> Iterator[Doc]:
        yield from numbered_docs(5)
        raise KeyboardInterrupt

    folder = tmp_path / "news"
    (file,) = write_shards(numbered_docs(3), folder)
    before = file.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        write_shards(broken(), folder, 2)
    assert files_below(tmp_path) == ["news/000000.spacy"]
    assert file.read_bytes() == before
    with pytest.raises(MtnlpError, match="E144"):
        write_shards(numbered_docs(3), folder, 0)
    assert files_below(tmp_path) == ["news/000000.spacy"]


def test_entities_from_a_layer(tmp_path: Path) -> None:
    """The longest ones, none overlapping; what has entities keeps them, what has no layer none."""
    nested = [Annotation(0, 1, "PER"), Annotation(0, 3, "ORG"), Annotation(3, 5, "LOC")]
    words = ["Smith", "and", "Sons", "New", "York", "grew"]
    records = [
        Record(tokens=words, spans={"fine": nested}),
        Record(tokens=words, spans={"fine": nested}, entities=[]),
        Record(tokens=words, spans={"other": nested}),
    ]
    write_corpus({"train": records}, tmp_path, "x", ents_from="fine")
    data = DocBin().from_disk(tmp_path / "train" / "x.spacy")
    made, own, none = data.get_docs(spacy.blank("en").vocab)
    assert [(ent.start, ent.end, ent.label_) for ent in made.ents] == [(0, 3, "ORG"), (3, 5, "LOC")]
    assert {token.ent_iob_ for token in made} == {"B", "I", "O"} and len(made.spans["fine"]) == 3
    assert not own.ents and own.has_annotation("ENT_IOB")
    assert not none.has_annotation("ENT_IOB")


def test_a_doc_knows_which_document_it_is_from(tmp_path: Path) -> None:
    """Without the folder of a path, which differs from machine to machine."""
    path = tmp_path / "eng.train"
    records = [
        Record(tokens=["a"], meta={"path": str(path), "group": f"{path}#1"}),
        Record(tokens=["b"], meta={"path": str(path), "group": "tt0111161"}),
        Record(tokens=["c"], meta={"path": str(path)}),
    ]
    written = write_corpus({"train": records, "dev": records[2:]}, tmp_path / "corpus", "own")
    vocab = spacy.blank("en").vocab
    docs = DocBin().from_disk(written.files["train"]).get_docs(vocab)
    assert [document_of(doc) for doc in docs] == ["eng.train#1", "tt0111161", None]
    # A corpus that knows of none has no user data at all.
    assert DocBin().from_disk(written.files["dev"]).user_data == [None]

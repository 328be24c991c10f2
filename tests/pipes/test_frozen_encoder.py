"""Training on a frozen encoder: each text is encoded once, and the losses are the same."""

import io
from pathlib import Path
from typing import Any, Dict, List

import pytest
from spacy.language import Language
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as train_loop

from tests.models.test_feature_cache import Counter
from tests.pipes.cases import (
    EXACT,
    adam,
    encoder_weights,
    head_weights,
    initialized,
    mixed_examples,
    same_weights,
    step,
)
from tests.pipes.test_spacy_train import training_config
from tests.tiny import PIPES, make_nlp


def encoder_model(nlp: Language) -> Any:
    pipe: Any = nlp.get_pipe("transformer")
    return pipe.model


def make_frozen(backbone: Path, **settings: Any) -> Language:
    encoder = {**EXACT["transformer"], "frozen": True, **settings}
    return initialized(make_nlp(backbone, PIPES, {**EXACT, "transformer": encoder}))


def train_epochs(nlp: Language, **kw: Any) -> List[Dict[str, float]]:
    """Three epochs, batched otherwise each time, the middle one in sub-batches, and an evaluation
    after each. Returns: the losses of the steps."""
    sgd, losses = adam(), []
    for size in (4, 6, 5):
        examples = mixed_examples(nlp)
        for i in range(0, len(examples), size):
            batch = examples[i : i + size]
            parts = [batch[:2], batch[2:]] if size == 6 else [batch]
            losses.append(step(nlp, *filter(None, parts), sgd=sgd, **kw))
        nlp.evaluate(mixed_examples(nlp))
    return losses


def test_same_losses_as_without_a_cache(backbone: Path) -> None:
    cached, uncached = make_frozen(backbone), make_frozen(backbone, cache_size=0)
    before = encoder_weights(cached)
    counters = [Counter(encoder_model(nlp).transformer) for nlp in (cached, uncached)]
    found, expected = train_epochs(cached), train_epochs(uncached)
    assert len(found) > 6
    for one, other in zip(found, expected, strict=True):
        assert one == pytest.approx(other, rel=1e-4, abs=1e-5)
    n_docs = len(mixed_examples(cached))
    assert [counter.windows for counter in counters] == [n_docs, 6 * n_docs]
    for nlp in (cached, uncached):
        assert same_weights(before, encoder_weights(nlp))
    untrained = head_weights(make_frozen(backbone), "ner")
    assert not same_weights(untrained, head_weights(cached, "ner"))


def test_frozen_by_the_config_is_frozen_by_spacy(backbone: Path) -> None:
    """Like `frozen_components` and `annotating_components`, to the bit, without naming them."""
    listed = make_frozen(backbone, frozen=False)
    named = {"exclude": ["transformer"], "annotates": ["transformer"]}
    frozen = make_frozen(backbone, cache_size=0)
    for nlp, kw in ((listed, named), (frozen, {})):
        for _ in range(3):
            step(nlp, mixed_examples(nlp), **kw)
    for name in ("ner", "nested_ner", "textcat", "events"):
        assert same_weights(head_weights(listed, name), head_weights(frozen, name))


@pytest.mark.parametrize("listed", [True, False])
def test_spacy_train_on_a_sourced_encoder(listed: bool, trained: Language, tmp_path: Path) -> None:
    """By the callback, beside `frozen_components` or without."""
    config = training_config(trained, tmp_path, ["transformer"])
    if listed:
        config["training"]["frozen_components"] = ["transformer"]
        config["training"]["annotating_components"] = ["transformer"]
    config["initialize"] = {"after_init": {"@callbacks": "mtnlp.FreezeEncoder.v1"}}
    nlp = init_nlp(config)
    counter = Counter(encoder_model(nlp).transformer)
    train_loop(nlp, stdout=io.StringIO(), stderr=io.StringIO())
    assert counter.windows == len(mixed_examples(nlp))
    assert same_weights(encoder_weights(trained), encoder_weights(nlp))

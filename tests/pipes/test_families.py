"""Encoders of every family go through every pipe."""

from pathlib import Path

import numpy as np
import spacy

from tests.pipes.cases import (
    LONG_TEXT,
    TASKS,
    TEXTS,
    assert_same_answers,
    encoder_weights,
    initialized,
    mixed_examples,
    same_weights,
    train,
)
from tests.tiny import FAMILIES, PIPES, make_nlp


def test_family(any_backbone: Path, tmp_path: Path) -> None:
    assert any_backbone.name in FAMILIES
    configs = {
        "textcat": {"tasks": TASKS},
        "fine_ner": {"spans_key": "multinerd", "model": {"decoder": "softmax"}},
    }
    nlp = initialized(make_nlp(any_backbone, PIPES, configs))
    before = encoder_weights(nlp)
    losses = train(nlp, mixed_examples(nlp), 1)
    assert all(losses[name] > 0 for name in PIPES if name != "sentence_vectors")
    assert np.isfinite(list(losses.values())).all()
    assert not same_weights(before, encoder_weights(nlp))

    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    texts = [*TEXTS, LONG_TEXT, "Её зовут Анна, она живёт в Москве. 🦊 \u200b naïve"]
    for doc, again in zip(nlp.pipe(texts), loaded.pipe(texts), strict=True):
        assert_same_answers(doc, again)
        assert np.isfinite(doc.vector).all()
        assert np.isfinite(list(doc.cats.values())).all()
        assert (doc.vector_norm > 0) == bool(doc.text.strip())

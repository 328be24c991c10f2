"""A pipeline trained with adapters: only they and the heads learn, and what is saved is plain."""

import io
import sys
from pathlib import Path
from typing import Any, Dict

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as train_loop

from mtnlp.models.adapters import is_adapted
from tests.pipes.cases import (
    EXACT,
    TEXTS,
    adam,
    encoder_weights,
    initialized,
    mixed_examples,
    same_weights,
    train,
    weights,
)
from tests.pipes.test_spacy_train import training_config
from tests.tiny import PIPES, make_nlp

LORA = {"@misc": "mtnlp.LoRA.v1", "rank": 4, "alpha": 8, "targets": ["query", "value"]}


def make_adapted(backbone: Path) -> Language:
    encoder = {**EXACT["transformer"], "adapter": LORA}
    return initialized(make_nlp(backbone, PIPES, {**EXACT, "transformer": encoder}))


def encoder_of(nlp: Language) -> Any:
    pipe: Any = nlp.get_pipe("transformer")
    return pipe.model.transformer


def scores(nlp: Language) -> Dict[str, Any]:
    """All probabilities, by text."""
    found = {}
    for i, doc in enumerate(nlp.pipe(TEXTS)):
        found[f"{i} cats"] = np.array([doc.cats[label] for label in sorted(doc.cats)])
        for key, group in doc.spans.items():
            found[f"{i} {key}"] = np.array(group.attrs["scores"])
        found[f"{i} vector"] = doc._.sentence_vector
    return found


def assert_same_scores(one: Language, other: Language) -> None:
    found, expected = scores(one), scores(other)
    assert found.keys() == expected.keys()
    for name, values in found.items():
        np.testing.assert_allclose(values, expected[name], atol=1e-5, err_msg=name)


def test_saving_in_the_middle_changes_nothing(backbone: Path, tmp_path: Path) -> None:
    found = []
    for saves in (False, True):
        nlp, sgd = make_adapted(backbone), adam()
        before = encoder_weights(nlp)
        for i in range(3):
            train(nlp, mixed_examples(nlp), 2, sgd=sgd)
            if saves:
                nlp.to_disk(tmp_path / str(i))
                nlp.to_bytes()
        found.append({name: weights(nlp.get_pipe(name).model) for name in PIPES})  # type: ignore
        found[-1]["transformer"] = encoder_weights(nlp)
        for name, value in encoder_weights(nlp).items():
            assert np.array_equal(value, before[name]) == (".lora_" not in name)
    for name, value in found[0].items():
        assert same_weights(value, found[1][name])


def test_spacy_train(trained: Language, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`spacy train` saves pipelines that are plain, load without peft and say the same."""
    config = training_config(trained, tmp_path, [])
    config["components"]["transformer"]["model"]["adapter"] = LORA
    nlp = init_nlp(config)
    (tmp_path / "out").mkdir()
    train_loop(nlp, tmp_path / "out", stdout=io.StringIO(), stderr=io.StringIO())
    assert is_adapted(encoder_of(nlp))
    products = [name for name in encoder_weights(nlp) if ".lora_B." in name]
    assert len(products) == 4 and all(encoder_weights(nlp)[name].any() for name in products)
    monkeypatch.setitem(sys.modules, "peft", None)  # not installed
    assert (tmp_path / "out" / "model-best").is_dir()
    plain = make_nlp(encoder_of(trained).name_or_path, ["ner"])
    plain.initialize(lambda: mixed_examples(plain))
    loaded = spacy.load(tmp_path / "out" / "model-last")
    assert encoder_weights(loaded).keys() == encoder_weights(plain).keys()
    assert_same_scores(loaded, nlp)
    assert_same_scores(loaded.from_bytes(nlp.to_bytes()), nlp)


def test_training_goes_on_from_a_saved_pipeline(backbone: Path, tmp_path: Path) -> None:
    """A new adapter on what was saved, whose own weights stay."""
    nlp = make_adapted(backbone)
    train(nlp, mixed_examples(nlp), 3)
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    before = encoder_weights(loaded)
    train(loaded, mixed_examples(loaded), 3)
    after = {
        name.replace(".base_layer.", "."): value
        for name, value in encoder_weights(loaded).items()
        if ".lora_" not in name
    }
    assert is_adapted(encoder_of(loaded))
    assert same_weights(before, after)
    loaded.to_disk(tmp_path / "again")
    assert_same_scores(spacy.load(tmp_path / "again"), loaded)


def test_replace_listeners(backbone: Path, tmp_path: Path) -> None:
    """The pipe's own encoder has its own copy of the adapter."""
    nlp = make_adapted(backbone)
    train(nlp, mixed_examples(nlp), 3)
    expected = scores(nlp)
    nlp.replace_listeners("transformer", "events", ["model.tok2vec"])
    for name, values in scores(nlp).items():
        np.testing.assert_allclose(values, expected[name], atol=1e-6)
    nlp.to_disk(tmp_path)
    assert_same_scores(spacy.load(tmp_path), nlp)
    pipe: Any = nlp.get_pipe("events")
    before = weights(pipe.model)
    train(nlp, mixed_examples(nlp), 1)
    moved = [name for name, value in weights(pipe.model).items() if (value != before[name]).any()]
    assert any(".lora_" in name for name in moved)
    assert not any(".base_layer." in name for name in moved)

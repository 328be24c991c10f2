"""Classifiers over several layers of the encoder."""

from pathlib import Path
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.util import load_model_from_path

from tests.pipes.cases import TASKS, TEXTS, initialized, mixed_examples, train
from tests.tiny import make_nlp

CONFIG: Any = {
    "transformer": {"layers": [0, 1]},
    "textcat": {"tasks": TASKS, "model": {"tok2vec": {"layers": [1, 0]}}},
    "events": {"model": {"tok2vec": {"layers": [1, 0]}}},
}


def joint(backbone: Path) -> Language:
    return initialized(make_nlp(backbone, ["ner", "textcat", "events"], CONFIG))


def predictions(nlp: Language) -> np.ndarray:
    return np.array([list(doc.cats.values()) for doc in nlp.pipe(TEXTS)])


def test_they_learn_save_and_replace_listeners(backbone: Path, tmp_path: Path) -> None:
    nlp = joint(backbone)
    pipe: Any = nlp.get_pipe("textcat")
    assert pipe.cfg["width"] == 3 * 32
    examples = mixed_examples(nlp)
    train(nlp, examples, 60)
    scores = nlp.evaluate(examples)
    assert scores["ents_f"] == scores["cats_sentiment_acc"] == scores["cats_event_micro_f"] == 1.0
    expected = predictions(nlp)
    nlp.to_disk(tmp_path / "model")
    loaded = load_model_from_path(tmp_path / "model")
    np.testing.assert_allclose(predictions(loaded), expected, atol=1e-6)
    loaded.replace_listeners("transformer", "textcat", ["model.tok2vec"])
    loaded.to_disk(tmp_path / "own")
    own = load_model_from_path(tmp_path / "own")
    np.testing.assert_allclose(predictions(own), expected, atol=1e-6)

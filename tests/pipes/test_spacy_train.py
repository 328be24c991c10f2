"""`spacy train`, with components fresh, sourced and frozen."""

import io
from pathlib import Path
from typing import Any, Dict, List

import pytest
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as train_loop
from thinc.api import Config

from tests.pipes.cases import (
    TEXTS,
    encoder_weights,
    head_weights,
    mixed_examples,
    same_weights,
    weights,
)
from tests.tiny import PIPES

TRAINING = """
[paths]
train = null
source = null

[training]
seed = 0
gpu_allocator = null
dropout = 0.1
max_steps = 4
eval_frequency = 2
patience = 0
accumulate_gradient = 2
train_corpus = "corpora.train"
dev_corpus = "corpora.dev"

[training.batcher]
@batchers = "spacy.batch_by_sequence.v1"
size = 6

[training.optimizer]
@optimizers = "Adam.v1"
learn_rate = 0.005

[corpora]

[corpora.train]
@readers = "spacy.Corpus.v1"
path = ${paths.train}

[corpora.dev]
@readers = "spacy.Corpus.v1"
path = ${paths.train}
"""


def training_config(trained: Language, folder: Path, sourced: List[str]) -> Config:
    """A config of `spacy train` that takes some components from a trained pipeline."""
    trained.to_disk(folder / "source")
    docs = [example.reference for example in mixed_examples(trained)]
    DocBin(docs=docs, store_user_data=True).to_disk(folder / "train.spacy")
    config = Config().from_str(TRAINING, interpolate=False)
    config["paths"] = {"train": str(folder / "train.spacy"), "source": str(folder / "source")}
    own = Config().from_str(trained.config.to_str())
    config["nlp"] = {"lang": "en", "pipeline": ["transformer", *PIPES]}
    config["components"] = {
        name: {"source": str(folder / "source")} if name in sourced else own["components"][name]
        for name in ("transformer", *PIPES)
    }
    return config


def pipe_weights(nlp: Language, name: str) -> Dict[str, Any]:
    pipe: Any = nlp.get_pipe(name)
    return weights(pipe.model)


def run_training(config: Config) -> Language:
    """Returns: the pipeline after its last step."""
    nlp = init_nlp(config)
    train_loop(nlp, None, stdout=io.StringIO(), stderr=io.StringIO())
    return nlp


def test_spacy_train(trained: Language, tmp_path: Path) -> None:
    nlp = run_training(training_config(trained, tmp_path, []))
    for name in PIPES:
        pipe, expected = nlp.get_pipe(name), trained.get_pipe(name)
        assert pipe.labels == expected.labels  # type: ignore[attr-defined]
    assert nlp.get_pipe("ner").cfg["loss_normalization"] == 15 / 3  # type: ignore[attr-defined]
    assert nlp(TEXTS[0]).cats.keys() == trained(TEXTS[0]).cats.keys()


@pytest.mark.parametrize("frozen", ["ner", "sentence_vectors"])
def test_spacy_train_with_a_frozen_head(frozen: str, trained: Language, tmp_path: Path) -> None:
    """A head from another pipeline, frozen, beside a fresh encoder: where it stands last too, the
    encoder learns."""
    config = training_config(trained, tmp_path, [frozen])
    config["training"]["frozen_components"] = [frozen]
    config["components"]["transformer"] = {"source": str(tmp_path / "source")}
    config["nlp"]["pipeline"] = [
        "transformer",
        frozen,
        *[name for name in PIPES if name != frozen],
    ]
    before = pipe_weights(trained, frozen)
    nlp = run_training(config)
    assert same_weights(before, pipe_weights(nlp, frozen))
    assert not same_weights(encoder_weights(trained), encoder_weights(nlp))


def test_spacy_train_on_a_frozen_encoder(trained: Language, tmp_path: Path) -> None:
    config = training_config(trained, tmp_path, ["transformer"])
    config["training"]["frozen_components"] = ["transformer"]
    config["training"]["annotating_components"] = ["transformer"]
    nlp = run_training(config)
    assert same_weights(encoder_weights(trained), encoder_weights(nlp))
    assert not same_weights(head_weights(trained, "ner"), head_weights(nlp, "ner"))


def test_spacy_train_from_a_sourced_head_with_its_own_encoder(
    trained: Language, tmp_path: Path
) -> None:
    config = training_config(trained, tmp_path, ["transformer", "ner"])
    config["components"]["ner"]["replace_listeners"] = ["model.tok2vec"]
    config["training"]["frozen_components"] = ["ner"]
    nlp = run_training(config)
    expected, doc = trained(TEXTS[0]), nlp(TEXTS[0])
    assert [ent.text for ent in doc.ents] == [ent.text for ent in expected.ents]
    assert [ent._.confidence for ent in doc.ents] == pytest.approx(
        [ent._.confidence for ent in expected.ents], abs=1e-5
    )
    assert not same_weights(encoder_weights(trained), encoder_weights(nlp))

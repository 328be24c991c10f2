"""Encoders that begin as that of a trained pipeline."""

from pathlib import Path
from typing import Any, Dict

import numpy as np
import pytest
import spacy
import torch

from mtnlp.data.batchers import wordpiece_counter
from mtnlp.errors import MtnlpError
from mtnlp.models.kept_layers import find_layers
from mtnlp.models.runner import make_runner
from mtnlp.models.trained_encoder import encoder_source
from mtnlp.models.transformer import WindowedTransformerModel
from tests.models.encoders import TEXTS, make_docs, make_encoder
from tests.tiny import make_nlp

SHORT = TEXTS[:4]


@pytest.fixture(scope="module", params=["bert", "xlm-r"])
def any_backbone(request: pytest.FixtureRequest, backbones: Dict[str, Path]) -> Path:
    return backbones[request.param]


@pytest.fixture(scope="module")
def nlp(any_backbone: Path) -> Any:
    """A pipeline whose encoder is no longer the one it began as."""
    nlp = make_nlp(any_backbone, pipes=["sentence_vectors"])
    nlp.initialize()
    with torch.no_grad():
        for weights in nlp.get_pipe("transformer").model.transformer.parameters():
            weights.add_(0.01)
    return nlp


@pytest.fixture(scope="module")
def trained(nlp: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "pipeline"
    nlp.to_disk(folder)
    return folder


def states(model: WindowedTransformerModel) -> np.ndarray:
    data = model.predict(make_docs(SHORT)).doc_data
    return np.concatenate([doc.model_output.last_hidden_state[0] for doc in data])


def test_begins_as_the_trained_one(nlp: Any, trained: Path, any_backbone: Path) -> None:
    expected = states(nlp.get_pipe("transformer").model)
    assert np.abs(expected - states(make_encoder(any_backbone))).max() > 1e-3
    for folder in (trained, trained / "transformer"):
        np.testing.assert_allclose(states(make_encoder(folder)), expected, rtol=0, atol=1e-6)


def test_a_student_of_a_pipeline(nlp: Any, trained: Path) -> None:
    settings = {"output_attentions": True}
    student: Any = make_encoder(trained, keep_layers=[1], transformer_config=settings).transformer
    whole = nlp.get_pipe("transformer").model.transformer
    assert student.config.output_attentions and not whole.config.output_attentions
    (own,), layers = find_layers(student)[1], find_layers(whole)[1]
    for weights, others in zip(own.parameters(), layers[1].parameters(), strict=True):
        torch.testing.assert_close(weights, others, rtol=0, atol=0)


def test_batches_are_counted_by_its_tokenizer(trained: Path, any_backbone: Path) -> None:
    doc = make_docs(SHORT)[0]
    assert wordpiece_counter(str(trained))(doc) == wordpiece_counter(str(any_backbone))(doc) > 0


def test_no_encoder_or_several(backbone: Path, tmp_path: Path) -> None:
    spacy.blank("en").to_disk(tmp_path / "blank")
    two = make_nlp(backbone, pipes=[])
    model = two.get_pipe_config("transformer")["model"]
    two.add_pipe("transformer", name="second", config={"model": model})
    two.initialize()
    two.to_disk(tmp_path / "two")
    for name, found in (("blank", "none"), ("two", "transformer, second")):
        with pytest.raises(MtnlpError, match=f"E773.*transformers are {found}"):
            make_encoder(tmp_path / name)
    with encoder_source(str(tmp_path / "two" / "second")) as folder:
        assert (Path(folder) / "model.safetensors").is_file()


def test_weights_of_another_engine(backbone: Path, tmp_path: Path) -> None:
    model = make_encoder(backbone)
    model.convert(make_runner("onnxruntime", "fp32", 1, ()), make_docs(SHORT))
    model.to_disk(tmp_path / "model")
    with pytest.raises(MtnlpError, match=r"E774.*onnxruntime"):
        make_encoder(tmp_path)

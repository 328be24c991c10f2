"""Students of some of an encoder's layers: what they say, how they are saved, what cannot be."""

from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest
import torch
import transformers

from mtnlp.errors import MtnlpError
from mtnlp.models.adapters import create_lora_v1, is_adapted
from mtnlp.models.kept_layers import find_layers, keep_layers
from mtnlp.models.runner import make_runner
from mtnlp.models.transformer import WindowedTransformerModel, build_transformer_model_v1
from mtnlp.training.gradual_unfreezing import place_parameters
from tests.models.encoders import TEXTS, make_docs, make_encoder
from tests.tiny import SIZES

LAYERS = 4
SHORT = TEXTS[:4]


@pytest.fixture(scope="module", params=["bert", "xlm-r", "distilbert", "llama"])
def deep(
    request: pytest.FixtureRequest,
    backbones: Dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A tiny encoder of four layers, of each family in turn."""
    return deepen(backbones[request.param], tmp_path_factory.mktemp("deep") / request.param)


@pytest.fixture(scope="module")
def deep_bert(backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT of four layers."""
    return deepen(backbone, tmp_path_factory.mktemp("deep") / "bert4")


def deepen(folder: Path, target: Path) -> Path:
    config = transformers.AutoConfig.from_pretrained(folder)
    config.num_hidden_layers = LAYERS
    torch.manual_seed(1)
    transformers.AutoModel.from_config(config).save_pretrained(target)
    transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(target)
    return target


def states(model: WindowedTransformerModel) -> np.ndarray:
    data = model.predict(make_docs(SHORT)).doc_data
    return np.concatenate([doc.model_output.last_hidden_state[0] for doc in data])


def cut_by_hand(model: WindowedTransformerModel, keep: List[int]) -> WindowedTransformerModel:
    """The live encoder's own layers, in another list."""
    encoder: Any = model.transformer
    owner = encoder
    if hasattr(encoder, "encoder"):
        owner = encoder.encoder
    elif hasattr(encoder, "transformer"):
        owner = encoder.transformer
    name = "layer" if hasattr(owner, "layer") else "layers"
    setattr(owner, name, torch.nn.ModuleList(getattr(owner, name)[i] for i in keep))
    return model


@pytest.mark.parametrize("keep", [[3], [2, 0, 1]])
def test_says_what_the_layers_say(deep: Path, keep: List[int]) -> None:
    student = make_encoder(deep, keep_layers=keep)
    assert student.transformer.config.num_hidden_layers == len(keep)
    expected = states(cut_by_hand(make_encoder(deep), keep))
    np.testing.assert_allclose(states(student), expected, rtol=0, atol=1e-6)
    assert np.abs(expected - states(make_encoder(deep))).max() > 0.01


def test_is_not_cut_again_when_loaded(deep: Path) -> None:
    student = make_encoder(deep, keep_layers=[1, 3])
    with torch.no_grad():
        for weights in student.transformer.parameters():
            weights.add_(0.01)
    loaded: Any = build_transformer_model_v1("nowhere", keep_layers=[1, 3])
    loaded.from_bytes(student.to_bytes())
    loaded.initialize()
    assert loaded.transformer.config.num_hidden_layers == 2
    np.testing.assert_array_equal(states(loaded), states(student))
    copied = student.copy()
    copied.initialize()
    np.testing.assert_array_equal(states(copied), states(student))


def test_hidden_states_of_a_student(deep_bert: Path) -> None:
    student = make_encoder(deep_bert, keep_layers=[1, 3], layers=[2])
    output = student.predict(make_docs(SHORT)).doc_data[0].model_output
    np.testing.assert_array_equal(output["layer_2"], output.last_hidden_state)
    with pytest.raises(MtnlpError, match="E206"):
        make_encoder(deep_bert, keep_layers=[1, 3], layers=[3]).predict(make_docs(SHORT))


def test_adapters_and_frozen(deep_bert: Path) -> None:
    student = make_encoder(deep_bert, keep_layers=[1, 3], adapter=create_lora_v1(rank=2))
    plain = make_encoder(deep_bert, keep_layers=[1, 3])
    assert is_adapted(student.transformer)
    np.testing.assert_array_equal(states(student), states(plain))
    frozen = make_encoder(deep_bert, keep_layers=[1, 3], frozen=True)
    frozen.begin_update(make_docs(SHORT))
    assert frozen.features is not None
    np.testing.assert_array_equal(states(frozen), states(plain))


@pytest.mark.parametrize("keep", [[0, 4], [1, 1]])
def test_layers_that_are_not_there(deep_bert: Path, keep: List[int]) -> None:
    with pytest.raises(MtnlpError, match=r"E770.* 4 layers, 0 to 3"):
        make_encoder(deep_bert, keep_layers=keep)


def test_negative_layers(deep_bert: Path) -> None:
    with pytest.raises(MtnlpError, match=r"E330.*keep_layers"):
        build_transformer_model_v1(str(deep_bert), keep_layers=[-1])


def test_layers_that_share_weights() -> None:
    config = transformers.AlbertConfig(vocab_size=9, embedding_size=8, **SIZES)
    with pytest.raises(MtnlpError, match=r"E771.*\(albert\)"):
        keep_layers(transformers.AlbertModel(config), [0])


def test_layers_in_parts() -> None:
    config = transformers.XLMConfig(vocab_size=9, emb_dim=8, n_layers=2, n_heads=2)
    with pytest.raises(MtnlpError, match=r"E771.*\(xlm\)"):
        keep_layers(transformers.XLMModel(config), [0])


def test_layers_of_several_kinds() -> None:
    """As in ModernBERT, whose first layer has no norm, and of whose layers every third attends to
    all of the text."""
    config = transformers.BertConfig(vocab_size=9, layer_types=["all", "near", "near"], **SIZES)
    config.num_hidden_layers = 3
    encoder = transformers.BertModel(config)
    assert keep_layers(encoder, [0, 2]).config.layer_types == ["all", "near"]
    encoder.encoder.layer[2].attention.local = 128
    with pytest.raises(MtnlpError, match=r"E772.*Layer 2 .*\(bert\).* layer 1,"):
        keep_layers(encoder, [0, 2])


def test_electra() -> None:
    config = transformers.ElectraConfig(vocab_size=9, embedding_size=8, **SIZES)
    encoder = transformers.ElectraModel(config).eval()
    assert find_layers(encoder)[0] == "encoder.layer"
    ids = torch.tensor([[1, 2, 3]])
    student = keep_layers(encoder, [1])
    assert not student.training
    hidden = encoder.embeddings_project(encoder.embeddings(ids))
    expected = encoder.encoder.layer[1](hidden)[0]
    torch.testing.assert_close(student(ids).last_hidden_state, expected)


def test_another_engine(deep_bert: Path) -> None:
    student = make_encoder(deep_bert, keep_layers=[1, 3])
    expected = states(student)
    student.convert(make_runner("onnxruntime", "fp32", 1, ()), make_docs(SHORT))
    np.testing.assert_allclose(states(student), expected, rtol=0, atol=1e-4)
    loaded: Any = build_transformer_model_v1("nowhere", keep_layers=[1, 3], engine="onnxruntime")
    loaded.from_bytes(student.to_bytes())
    np.testing.assert_allclose(states(loaded), expected, rtol=0, atol=1e-4)


def test_rates_and_unfreezing_count_the_layers_there_are(deep_bert: Path) -> None:
    student = make_encoder(deep_bert, keep_layers=[1, 3])
    depths = {depth for depth, _ in place_parameters(student.transformer)}
    assert depths == {0, 1, 2}

"""Adapters: what trains, what is saved, and what peft itself merges."""

import copy
import sys
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest
import torch

from mtnlp.errors import MtnlpError
from mtnlp.models.adapters import LoRA, create_lora_v1, is_adapted, merged_state
from mtnlp.models.parameters import count_parameters
from mtnlp.models.transformer import WindowedTransformerModel, build_transformer_model_v1
from tests.models.encoders import NO_DROPOUT, make_docs, make_encoder
from tests.tiny import HIDDEN


def make_lora(folder: Path) -> LoRA:
    # The one family whose usual layers peft does not know.
    targets = ["q_lin", "v_lin"] if folder.name == "distilbert" else []
    return create_lora_v1(rank=3, alpha=6, targets=targets)


def make_adapted(folder: Path, **settings: Any) -> WindowedTransformerModel:
    """An encoder whose adapters are no longer zero."""
    model = make_encoder(folder, adapter=make_lora(folder), **settings)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, weights in model.transformer.named_parameters():
            if ".lora_" in name:
                weights.normal_(std=0.2, generator=generator)
    return model


def states(model: WindowedTransformerModel) -> np.ndarray:
    data = model.predict(make_docs()).doc_data
    return np.concatenate([doc.model_output.last_hidden_state[0] for doc in data])


def copy_state(module: torch.nn.Module) -> Dict[str, torch.Tensor]:
    return {name: weights.clone() for name, weights in module.state_dict().items()}


def update(model: WindowedTransformerModel) -> None:
    """One backward pass, each hidden state's gradient being itself."""
    output, backprop = model.begin_update(make_docs())
    gradient = output.unsplit_by_doc([])
    for name, hidden in output.model_output.items():
        gradient.model_output[name] = hidden.clone()
    backprop(gradient)


def test_a_new_adapter_changes_nothing(any_backbone: Path) -> None:
    plain = make_encoder(any_backbone)
    adapted = make_encoder(any_backbone, adapter=make_lora(any_backbone))
    assert is_adapted(adapted.transformer)
    np.testing.assert_array_equal(states(plain), states(adapted))


def test_only_adapters_are_trained(backbone: Path) -> None:
    lora = create_lora_v1(rank=3, targets=["query", "value", "dense"])
    model = make_encoder(backbone, transformer_config=NO_DROPOUT, adapter=lora)
    update(model)
    named = list(model.transformer.named_parameters())
    trained = [name for name, weights in named if weights.grad is not None]
    # B is zero at first, so that only B has a gradient that is not zero.
    moved = [name for name, weights in named if weights.grad is not None and weights.grad.any()]
    assert trained == [name for name, _ in named if ".lora_" in name and "pooler" not in name]
    assert moved == [name for name in trained if ".lora_B." in name]


def test_count(backbone: Path) -> None:
    plain = count_parameters(make_encoder(backbone))
    assert plain.trainable == plain.total > 10_000
    lora = create_lora_v1(rank=3, targets=["query", "value"])
    adapted = count_parameters(make_encoder(backbone, adapter=lora))
    own = 2 * 2 * 3 * (HIDDEN + HIDDEN)  # layers, targets, rank, columns of A and rows of B
    assert adapted == (own, plain.total + own)
    assert adapted.share == own / (plain.total + own)
    assert count_parameters(make_encoder(backbone, frozen=True)) == (0, plain.total)
    assert count_parameters(build_transformer_model_v1("not loaded")) == (0, 0)


def test_count_is_logged(backbone: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="spacy"):
        make_encoder(backbone)
        assert not caplog.messages
        model = make_encoder(backbone, adapter=make_lora(backbone))
        model.initialize()
    trainable, total = count_parameters(model)
    (message,) = caplog.messages
    assert f"{trainable} of {total} weights" in message
    assert f"({100 * trainable / total:.2f}%)" in message


def test_merged_as_peft_merges(any_backbone: Path) -> None:
    encoder = make_adapted(any_backbone).transformer
    before = copy_state(encoder)
    found = merged_state(encoder)
    merged = copy.deepcopy(encoder)
    for layer in merged.modules():
        if hasattr(layer, "lora_A"):
            layer.merge()  # type: ignore[operator]
    expected = {
        name.replace(".base_layer.", "."): weights
        for name, weights in merged.state_dict().items()
        if ".lora_" not in name
    }
    assert (
        list(found) == list(expected) == list(make_encoder(any_backbone).transformer.state_dict())
    )
    changed = 0
    for name, weights in found.items():
        torch.testing.assert_close(weights, expected[name], rtol=0, atol=1e-6)
        changed += name not in before
    assert changed >= 4
    # The live encoder is what it was.
    for name, weights in encoder.state_dict().items():
        assert weights.equal(before[name])


def test_what_is_saved_is_a_plain_encoder(
    any_backbone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_adapted(any_backbone)
    saved, expected = model.to_bytes(), states(model)
    assert is_adapted(model.transformer)
    np.testing.assert_array_equal(states(model), expected)
    monkeypatch.setitem(sys.modules, "peft", None)  # not installed
    for adapter in (None, create_lora_v1()):
        loaded = build_transformer_model_v1("not read", adapter=adapter).from_bytes(saved)
        assert isinstance(loaded, WindowedTransformerModel)
        assert not is_adapted(loaded.transformer)
        np.testing.assert_allclose(states(loaded), expected, atol=1e-5)
    with pytest.raises(MtnlpError, match=r"E270.*mtnlp\[lora\]"):
        loaded.begin_update(make_docs())


def test_a_loaded_encoder_gets_a_new_adapter_when_trained(backbone: Path) -> None:
    model = make_adapted(backbone, transformer_config=NO_DROPOUT)
    saved, expected = model.to_bytes(), states(model)
    model.from_bytes(saved)
    assert not is_adapted(model.transformer)
    update(model)
    assert is_adapted(model.transformer)
    assert 0 < count_parameters(model).share < 0.2
    np.testing.assert_allclose(states(model), expected, atol=1e-5)


def test_copies_keep_their_adapter(backbone: Path) -> None:
    model = make_adapted(backbone)
    expected = states(model)
    for copied in (model.copy(), copy.deepcopy(model)):
        assert is_adapted(copied.transformer)
        assert copied.adapter is not None
        np.testing.assert_array_equal(states(copied), expected)
        with torch.no_grad():
            for weights in copied.transformer.parameters():
                weights.zero_()
    np.testing.assert_array_equal(states(model), expected)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_states_below_the_adapters(backbone: Path, precision: Any) -> None:
    """Nothing is trained through the embeddings, which poolers may ask for all the same."""
    found: List[Dict[str, torch.Tensor]] = []
    for layers in ((), (0,)):
        model = make_adapted(
            backbone,
            transformer_config=NO_DROPOUT,
            layers=layers,
            precision=precision,
            allow_slow=True,
        )
        update(model)
        named = model.transformer.named_parameters()
        found.append({name: p.grad for name, p in named if p.grad is not None})
    assert len(found[0]) == 2 * 2 * 2
    for name, gradient in found[0].items():
        assert gradient.any() and gradient.isfinite().all() and gradient.dtype == torch.float32
        torch.testing.assert_close(gradient, found[1][name])


def test_targets_that_are_not_there(backbone: Path, backbones: Dict[str, Path]) -> None:
    with pytest.raises(MtnlpError, match=r"E272.*k_lin"):
        make_encoder(backbones["distilbert"], adapter=create_lora_v1())
    with pytest.raises(MtnlpError, match=r"E272.*q_proj.*dense, key, query, value"):
        make_encoder(backbone, adapter=create_lora_v1(targets=["q_proj"]))


@pytest.mark.parametrize("settings", [{"rank": 0}, {"alpha": 0.0}, {"dropout": 1.0}])
def test_settings_out_of_range(settings: Dict[str, Any]) -> None:
    with pytest.raises(MtnlpError, match="E271"):
        create_lora_v1(**settings)


def test_frozen_with_an_adapter(backbone: Path) -> None:
    with pytest.raises(MtnlpError, match="E273"):
        build_transformer_model_v1(str(backbone), adapter=create_lora_v1(), frozen=True)
    with pytest.raises(MtnlpError, match="E273"):
        make_adapted(backbone).freeze(0)

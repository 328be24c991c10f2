"""Layers and depths, read from the names of every family's parameters."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from mtnlp.training.parameter_groups import depth_of, layer_of

SMALL = {"hidden_size": 8, "num_hidden_layers": 3, "num_attention_heads": 2, "vocab_size": 11}
OTHERS = {
    "electra": transformers.ElectraConfig(**SMALL, intermediate_size=8, embedding_size=4),
    "deberta": transformers.DebertaV2Config(
        **SMALL, intermediate_size=8, relative_attention=True, position_buckets=4
    ),
    "modernbert": transformers.ModernBertConfig(**SMALL, intermediate_size=8, pad_token_id=0),
    "gpt2": transformers.GPT2Config(n_embd=8, n_layer=3, n_head=2, vocab_size=11),
    "mpnet": transformers.MPNetConfig(**SMALL, intermediate_size=8),
}


def check(encoder: torch.nn.Module, layers: int) -> None:
    """Every layer's parameters are found where the module has them, embeddings at the bottom."""
    names = [name for name, _ in encoder.named_parameters()]
    numbers = {layer_of(name) for name in names}
    assert numbers - {None} == set(range(layers))
    embeddings: Any = encoder.get_input_embeddings()  # type: ignore[operator]
    for name, parameter in encoder.named_parameters():
        if parameter is embeddings.weight:
            assert depth_of(name, layers) == layers, name
        elif f".{layers - 1}." in name:
            assert depth_of(name, layers) == 0, name
        elif ".0." in name and "Layer" not in name:
            assert depth_of(name, layers) == layers - 1, name


def test_the_families_of_the_tests(any_backbone: Path) -> None:
    check(transformers.AutoModel.from_pretrained(any_backbone), 2)


@pytest.mark.parametrize("family", OTHERS)
def test_further_families(family: str) -> None:
    with torch.device("meta"):
        check(transformers.AutoModel.from_config(OTHERS[family]), 3)


def test_shared_layers_are_one() -> None:
    name = "encoder.albert_layer_groups.0.albert_layers.0.ffn.weight"
    assert (layer_of(name), depth_of(name, 1)) == (0, 0)


@pytest.mark.parametrize("name", ["W", "final_norm.weight", "encoder.LayerNorm.bias", "0.weight"])
def test_what_is_in_no_layer_is_at_the_top(name: str) -> None:
    assert layer_of(name) is None
    assert depth_of(name, 6) == 0

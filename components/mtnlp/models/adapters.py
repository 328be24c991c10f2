"""Low-rank adapters on the encoder: `mtnlp.LoRA.v1`.

Source: Hu et al., 2021, "LoRA: Low-Rank Adaptation of Large Language Models". The layers are
peft's, which is imported only when an adapter is attached: a saved pipeline has none.
"""

import importlib
from math import inf
from typing import Any, Dict, Sequence, cast

import torch

from ..errors import Errors, MtnlpError

NAME = "default"  # what peft calls the one adapter there is


class LoRA:
    """The settings of low-rank adapters; arguments as those of `mtnlp.LoRA.v1`."""

    def __init__(self, rank: int, alpha: float, dropout: float, targets: Sequence[str]):
        self.rank = rank
        self.alpha = alpha
        self.dropout = dropout
        self.targets = tuple(targets)

    def attach(self, encoder: torch.nn.Module) -> None:
        """Put an adapter on each target. Its product is zero at first, so that the encoder says
        what it said before. All other weights stop asking for a gradient.

        Raises: MtnlpError E270 where peft is missing and E272 where the encoder has no such layers.
        """
        try:
            peft: Any = importlib.import_module("peft")
        except ImportError as error:
            raise MtnlpError(Errors.E270.format(error=error)) from error
        settings = peft.LoraConfig(
            r=self.rank,
            lora_alpha=self.alpha,
            lora_dropout=self.dropout,
            target_modules=list(self.targets) or None,
        )
        try:
            peft.inject_adapter_in_model(settings, encoder, adapter_name=NAME)
        except ValueError as error:  # peft's own error is one, too
            found = ", ".join(linear_layers(encoder))
            raise MtnlpError(Errors.E272.format(error=error, found=found)) from error
        encoder.train(encoder.training)  # the adapter's layers, too, are in the encoder's mode


def create_lora_v1(
    rank: int = 8, alpha: float = 16, dropout: float = 0.0, targets: Sequence[str] = ()
) -> LoRA:
    """Adapters to train in place of the encoder's own weights: W x + (alpha / rank) B A x, where W
    stays as it is.

    rank: rows of A and columns of B.
    alpha: weight of the product, divided by the rank.
    dropout: on what goes into A.
    targets: last parts of the names of the layers that get an adapter, e.g. "query"; none: those
        usual for the encoder's architecture (queries and values, in most cases), if peft knows it.

    Raises: MtnlpError E271 for settings out of range.
    """
    if rank < 1 or not 0 < alpha < inf or not 0 <= dropout < 1:
        raise MtnlpError(Errors.E271.format(rank=rank, alpha=alpha, dropout=dropout))
    return LoRA(rank, alpha, dropout, targets)


def is_adapted(encoder: torch.nn.Module) -> bool:
    """Whether adapters are attached."""
    return bool(getattr(encoder, "peft_config", None))


def merged_state(encoder: torch.nn.Module) -> Dict[str, torch.Tensor]:
    """The `state_dict` of the plain encoder that says the same: each adapter's product is added to
    the weights it stands beside. The encoder itself stays as it is."""
    state = {
        name.replace(".base_layer.", "."): weights
        for name, weights in encoder.state_dict().items()
        if ".lora_" not in name
    }
    for name, layer in encoder.named_modules():
        if hasattr(layer, "get_delta_weight"):
            product = cast(Any, layer).get_delta_weight(NAME).detach()
            state[f"{name}.weight"] = state[f"{name}.weight"] + product
    return state


def linear_layers(encoder: torch.nn.Module) -> Sequence[str]:
    """The last parts of the names of all linear layers."""
    names = [name for name, layer in encoder.named_modules() if isinstance(layer, torch.nn.Linear)]
    return sorted({name.rpartition(".")[2] for name in names})

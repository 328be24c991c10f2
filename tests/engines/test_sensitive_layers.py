"""Which layers 8 bits cost most, on layers whose errors are known."""

from typing import Any, List

import numpy as np
import pytest
import torch

from mtnlp.engines.sensitive_layers import round_rows, round_tensor, sensitive_layers


class Layers(torch.nn.Module):
    """Linear layers side by side over the embeddings of ids."""

    def __init__(self, *layers: torch.nn.Linear):
        super().__init__()
        self.table = torch.nn.Embedding(20, 8)
        self.layers = torch.nn.ModuleList(layers)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> List[torch.Tensor]:
        return [layer(self.table(input_ids)) for layer in self.layers]


def test_steps_are_no_wider_than_8_bits_allow() -> None:
    torch.manual_seed(0)
    values = torch.randn(50, 30) * torch.rand(50, 1) * 10
    step = (values.max() - values.min()) / 255
    assert (round_tensor(values) - values).abs().max() <= step / 2 * 1.001
    assert len(round_tensor(values).unique()) <= 256
    steps = values.abs().amax(dim=1, keepdim=True) / 127
    assert ((round_rows(values) - values).abs() <= steps / 2 * 1.001).all()
    # Zeros stay zeros: they are padding, or what ReLU gives.
    assert (
        not round_tensor(torch.tensor([0.0, 3.0, 7.0]))[0]
        and not round_rows(torch.zeros(2, 3)).any()
    )


def test_the_worst_come_first() -> None:
    torch.manual_seed(0)
    layers = [torch.nn.Linear(8, 16) for _ in range(4)]
    with torch.no_grad():
        # An outlier in each row: the steps become so wide that the other weights are lost.
        layers[2].weight[:, 0] = 300
        layers[2].bias.copy_(-300 * 0.5)
        layers[1].weight[:, 0] = 20
    module = Layers(*layers)
    with torch.no_grad():
        module.table.weight[:, 0] = 0.5
    ids: Any = np.arange(20).reshape(2, 10)
    samples = [(ids, np.ones((2, 10), dtype=bool))]
    assert sensitive_layers(module, samples, share=0.5) == ["layers.2", "layers.1"]
    assert sensitive_layers(module, samples, share=0.25) == ["layers.2"]
    assert sensitive_layers(module, [], share=1.0) == []
    # The module is as it was.
    assert all(not layer._forward_hooks for layer in layers)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_none_or_all(share: float) -> None:
    module = Layers(torch.nn.Linear(8, 4), torch.nn.Linear(8, 4))
    ids: Any = np.zeros((1, 3), dtype=np.int64)
    found = sensitive_layers(module, [(ids, np.ones((1, 3), dtype=bool))], share)
    assert len(found) == 2 * share

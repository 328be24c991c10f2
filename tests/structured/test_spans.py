"""Values of the tokens of spans."""

import torch

from mtnlp.structured.spans import span_minimum


def test_span_minimum() -> None:
    values = torch.tensor([[0.5, 0.2, 0.9], [0.7, 0.1, 0.8]])
    spans = torch.tensor([[0, 0, 1, 3], [0, 1, 3, 0], [1, 2, 3, 0], [1, 0, 3, 0]])
    assert torch.equal(span_minimum(values, spans), torch.tensor([0.5, 0.2, 0.8, 0.1]))
    assert span_minimum(values, spans[:0]).shape == (0,)
